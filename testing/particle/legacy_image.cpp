// SPDX-License-Identifier: Apache-2.0
#include "testing/particle/legacy_image.hpp"

namespace sotto::testing {

std::vector<std::uint8_t> make_legacy_image(const LegacyModule& module, std::size_t size) {
    constexpr std::uint32_t kStart = 0x33000;
    std::vector<std::uint8_t> image(size);
    for (std::size_t i = 0; i < size; ++i)
        image[i] = static_cast<std::uint8_t>(i * 31 + (i >> 8U) * 7);
    const auto put = [&image](std::size_t at, std::uint32_t value, int bytes) {
        for (int i = 0; i < bytes; ++i)
            image[at + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value >> 8 * i);
    };
    put(0, kStart, 4);
    put(4, kStart + static_cast<std::uint32_t>(size) - 4, 4);
    put(8, 0, 2);
    put(10, module.version, 2);
    put(12, module.platform, 2);
    put(14, module.function, 1);
    put(15, module.index, 1);
    put(16, module.needs_index == 0 ? 0U : 4U, 1);
    put(17, module.needs_index, 1);
    put(18, module.needs_version, 2);
    put(20, 0, 4);
    // The suffix of its module: product, version, reserved, a hash, its own size.
    if (module.product != 0xffff) {
        put(size - 44, module.product, 2);
        put(size - 42, module.product_version, 2);
        put(size - 40, 0, 2);
        put(size - 6, 40, 2);
    }
    std::uint32_t crc = ~0U;
    for (std::size_t i = 0; i + 4 < size; ++i) {
        crc ^= image[i];
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i)
        image[size - 4 + i] = static_cast<std::uint8_t>(~crc >> 8 * (3 - i));
    return image;
}

LegacyProduct product_in(const std::vector<std::uint8_t>& image) {
    constexpr std::size_t kSuffix = 44;
    if (image.size() < 64) return {};
    const auto u16 = [&image](std::size_t at) {
        return static_cast<std::uint16_t>(image[at] | image[at + 1] << 8);
    };
    const auto u32 = [&u16](std::size_t at) {
        return static_cast<std::size_t>(u16(at)) | static_cast<std::size_t>(u16(at + 2)) << 16U;
    };
    const std::size_t size = u32(4) - u32(0) + 4;
    if (size > image.size() || size < 64 || u16(size - 6) != 40 || u16(size - 40) != 0) return {};
    return {.product = u16(size - kSuffix), .version = u16(size - kSuffix + 2)};
}

}  // namespace sotto::testing
