// SPDX-License-Identifier: Apache-2.0
// A firmware as a build makes it, of any content: with the header of its module, and its checksum.
#pragma once

#include <cstdint>
#include <vector>

namespace sotto::testing {

struct LegacyModule {
    std::uint16_t platform = 103;
    std::uint8_t function = 5;  // 4 system, 5 user
    std::uint8_t index = 1;
    std::uint16_t version = 1;
    std::uint8_t needs_index = 0;  // of a system part; 0: none
    std::uint16_t needs_version = 0;
    std::uint16_t product = 0xffff;  // of none
    std::uint16_t product_version = 0xffff;
};

// `size`: at least 28.
std::vector<std::uint8_t> make_legacy_image(const LegacyModule& module, std::size_t size);

// The product and its version that an image names, padding behind it or not; 0xffff: it names none.
struct LegacyProduct {
    std::uint16_t product = 0xffff;
    std::uint16_t version = 0xffff;
};
LegacyProduct product_in(const std::vector<std::uint8_t>& image);

}  // namespace sotto::testing
