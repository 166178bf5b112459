// SPDX-License-Identifier: Apache-2.0
// The image of a firmware for a legacy device: its bytes, and what the header of its module says.
// All images since 2015 have one; those of the Core before had none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cloud/particle/limits.hpp"
#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace sotto::cloud::particle {

// Numbers of the format.
enum class ModuleFunction : std::uint8_t {
    None,
    Resource,
    Bootloader,
    Monolithic,
    System,
    User,
};

// One part of what a device runs, or what one needs of another: a part of at least this version.
struct Module {
    ModuleFunction function = ModuleFunction::None;
    std::uint8_t index = 0;
    std::uint16_t version = 0;
    friend bool operator==(const Module&, const Module&) = default;
};
// "system part 2, version 12"
std::string to_string(const Module& module);

struct ModuleHeader {
    Module module{};
    std::uint16_t platform = 0;
    std::vector<Module> needs{};  // two at most
};

using Image = std::shared_ptr<const std::vector<std::uint8_t>>;

// Nothing for bytes without a header. Error::Malformed for one whose checksum is wrong,
// Error::TooLarge, Error::Truncated for no bytes at all.
Result<std::optional<ModuleHeader>> read_header(Bytes image);

// The product that an application is of, and its version in that.
struct ProductMark {
    std::uint16_t product = 0;
    std::uint16_t version = 0;
};
// From the end of its image. Nothing: it does not say.
std::optional<ProductMark> read_product(Bytes image);

// The CRC-32 of zlib, which chunks and images carry.
std::uint32_t crc_of(Bytes bytes);

}  // namespace sotto::cloud::particle
