// SPDX-License-Identifier: Apache-2.0
// What lies where in the flash of an nRF51822 (docs/formats/update.md), and what every image begins
// with. The linker scripts get the same numbers from device/firmware/CMakeLists.txt.
#pragma once

#include <cstddef>
#include <cstdint>

#include "device/boot/journal.hpp"

namespace sotto::boot {

inline constexpr std::size_t kFlashSize = 0x4'0000;
inline constexpr std::size_t kJournalBegin = 0x800;  // behind the boot program
inline constexpr std::size_t kJournalSize = 0x800;   // two pages
inline constexpr std::size_t kSlotSize = 0x1'd800;   // 118 KB
inline constexpr std::size_t kRecordsBegin = 0x3'c000;
constexpr std::size_t slot_begin(Slot slot) {
    return kJournalBegin + kJournalSize + static_cast<std::size_t>(slot) * kSlotSize;
}
static_assert(slot_begin(Slot::B) + kSlotSize == kRecordsBegin);

// The front of an image: the processor's vectors, and in those that ARMv6-M reserves what a boot
// program and an update want to know. Offsets.
inline constexpr std::size_t kImageStack = 0x00;
inline constexpr std::size_t kImageEntry = 0x04;    // in the slot it was linked for, and odd
inline constexpr std::size_t kImageMagic = 0x1c;    // kMagic
inline constexpr std::size_t kImageVersion = 0x20;  // of the firmware
inline constexpr std::size_t kImageHeaderSize = 0x40;
inline constexpr std::uint32_t kMagic = 0x314f'5453;  // "STO1"

// Little-endian. Precondition: four bytes from the offset on.
constexpr std::uint32_t word_at(Bytes bytes, std::size_t offset) {
    const Bytes word = bytes.subspan(offset, 4);
    return word[0] | word[1] << 8U | word[2] << 16U | std::uint32_t{word[3]} << 24U;
}

// Whether these bytes begin an image that was linked for this slot.
constexpr bool is_image(Bytes image, Slot slot) {
    if (image.size() < kImageHeaderSize || image.size() > kSlotSize) return false;
    const std::uint32_t entry = word_at(image, kImageEntry);
    const std::size_t begin = slot_begin(slot);
    return word_at(image, kImageMagic) == kMagic && entry > begin && entry < begin + image.size() &&
           (entry & 1U) != 0;
}

}  // namespace sotto::boot
