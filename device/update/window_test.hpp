// SPDX-License-Identifier: Apache-2.0
// A part of a flash, which loses its power with the whole of it. For the tests of this folder.
#pragma once

#include "device/boot/layout.hpp"
#include "ports/flash/flash_storage.hpp"
#include "ports/flash/memory_flash_test.hpp"

namespace sotto::update {

class Window final : public ports::Flash {
  public:
    Window(ports::Flash& flash, std::size_t begin, std::size_t size)
        : flash_(flash), begin_(begin), size_(size) {}
    Bytes bytes() const override { return flash_.bytes().subspan(begin_, size_); }
    std::size_t page_size() const override { return flash_.page_size(); }
    Status write_word(std::size_t offset, std::uint32_t word) override {
        return flash_.write_word(begin_ + offset, word);
    }
    Status erase_page(std::size_t offset) override { return flash_.erase_page(begin_ + offset); }

  private:
    ports::Flash& flash_;
    std::size_t begin_;
    std::size_t size_;
};

// A chip's flash, smaller: journal, the slot that is free, records.
struct Chip {
    static constexpr std::size_t kPage = ports::MemoryFlash::kPageSize;
    static constexpr std::size_t kSlotPages = 8;
    static constexpr std::size_t kRecordPages = 64;

    explicit Chip(std::uint32_t seed = 1) : flash(2 + kSlotPages + kRecordPages, seed) { boot(); }
    // Whether the records could be opened.
    bool boot() {
        flash.reboot();
        storage.emplace(records);
        return storage->open().has_value();
    }

    ports::MemoryFlash flash;
    Window journal_area{flash, 0, 2 * kPage};
    Window slot{flash, 2 * kPage, kSlotPages* kPage};
    Window records{flash, (2 + kSlotPages) * kPage, kRecordPages* kPage};
    boot::Journal journal{journal_area};
    std::optional<ports::FlashStorage> storage;
};

// An image for slot B, of this version and size.
inline std::vector<std::uint8_t> make_image(std::uint32_t version, std::size_t size) {
    std::vector<std::uint8_t> image(size);
    for (std::size_t i = 0; i < size; ++i) image[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
    const auto put = [&](std::size_t offset, std::uint32_t word) {
        for (std::size_t i = 0; i < 4; ++i)
            image[offset + i] = static_cast<std::uint8_t>(word >> (8U * i));
    };
    put(boot::kImageEntry, static_cast<std::uint32_t>(boot::slot_begin(boot::Slot::B) + 0x41));
    put(boot::kImageMagic, boot::kMagic);
    put(boot::kImageVersion, version);
    return image;
}

}  // namespace sotto::update
