// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/image.hpp"

#include <array>
#include <zlib.h>

#include "core/base/reader.hpp"

namespace sotto::cloud::particle {

namespace {

// Behind the vectors of interrupts, which differ: none, nRF52, STM32F2, nRF51, STM32F1.
constexpr std::size_t kOffsets[] = {0, 0x200, 0x184, 0xc0, 0x10c};
constexpr std::size_t kCrcSize = 4;
// What the linker leaves where nobody computes a checksum.
constexpr std::uint32_t kNoCrc = 0x78563412;
constexpr std::uint8_t kFunctionMax = 9;

std::uint32_t u32_le(Bytes bytes, std::size_t at) {
    return static_cast<std::uint32_t>(bytes[at]) | static_cast<std::uint32_t>(bytes[at + 1]) << 8U |
           static_cast<std::uint32_t>(bytes[at + 2]) << 16U |
           static_cast<std::uint32_t>(bytes[at + 3]) << 24U;
}

std::uint16_t u16_le(Bytes bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes[at] | bytes[at + 1] << 8U);
}

// The first and the last address (8 bytes), a reserved one, flags, version (2), platform (2),
// function, index, and two needs of function, index, version (2).
std::optional<ModuleHeader> header_at(Bytes image, std::size_t offset) {
    constexpr std::size_t kHeaderSize = 24;
    if (image.size() < offset + kHeaderSize + kCrcSize) return std::nullopt;
    const Bytes header = image.subspan(offset, kHeaderSize);
    const std::uint32_t begin = u32_le(header, 0);
    const std::uint32_t end = u32_le(header, 4);
    const std::uint8_t function = header[14];
    const bool is_whole = end > begin && end - begin == image.size() - kCrcSize;
    if (!is_whole || begin % 4 != 0 || function == 0 || function > kFunctionMax)
        return std::nullopt;
    ModuleHeader found{.module = {.function = static_cast<ModuleFunction>(function),
                                  .index = header[15],
                                  .version = u16_le(header, 10)},
                       .platform = u16_le(header, 12)};
    for (const std::size_t at : {std::size_t{16}, std::size_t{20}}) {
        if (header[at] == 0) continue;
        found.needs.push_back({.function = static_cast<ModuleFunction>(header[at]),
                               .index = header[at + 1],
                               .version = u16_le(header, at + 2)});
    }
    return found;
}

}  // namespace

std::string to_string(const Module& module) {
    constexpr std::array<const char*, 6> kNames{
        "part", "resource", "bootloader", "firmware", "system part", "user part"};
    const auto function = static_cast<std::size_t>(module.function);
    return std::string{kNames[function < kNames.size() ? function : 0]} + " " +
           std::to_string(module.index) + ", version " + std::to_string(module.version);
}

Result<std::optional<ModuleHeader>> read_header(Bytes image) {
    if (image.empty()) return Error::Truncated;
    if (image.size() > kImageSizeMax) return Error::TooLarge;
    for (const std::size_t offset : kOffsets) {
        auto header = header_at(image, offset);
        if (!header) continue;
        Reader end{image.last(kCrcSize)};
        SOTTO_TRY_ASSIGN(const std::uint32_t crc, end.u32_be());
        if (crc != kNoCrc && crc != crc_of(image.first(image.size() - kCrcSize)))
            return Error::Malformed;
        return header;
    }
    return std::optional<ModuleHeader>{};
}

// Before the checksum, from the end: the size of this suffix (2), a hash (32), a reserved field
// (2), version (2) and product (2), which are 0xffff in an application of no product.
std::optional<ProductMark> read_product(Bytes image) {
    constexpr std::size_t kSuffixSize = 40;
    constexpr std::size_t kSuffixSizeMax = 1'024;
    constexpr std::uint16_t kNone = 0xffff;
    if (image.size() < kSuffixSize + kCrcSize) return std::nullopt;
    const Bytes suffix = image.subspan(image.size() - kCrcSize - kSuffixSize, kSuffixSize);
    const std::uint16_t size = u16_le(suffix, 38);
    const std::uint16_t reserved = u16_le(suffix, 4);
    const ProductMark mark{.product = u16_le(suffix, 0), .version = u16_le(suffix, 2)};
    const bool is_there = size >= kSuffixSize && size <= kSuffixSizeMax && reserved == 0;
    if (!is_there || mark.product == kNone) return std::nullopt;
    return mark;
}

std::uint32_t crc_of(Bytes bytes) {
    return static_cast<std::uint32_t>(
        ::crc32_z(0, bytes.data(), static_cast<z_size_t>(bytes.size())));
}

}  // namespace sotto::cloud::particle
