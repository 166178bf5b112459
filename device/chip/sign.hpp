// SPDX-License-Identifier: Apache-2.0
// Makes an update of two images, one for each slot, as a firmware's publisher does it
// (docs/formats/update.md). Allocates; pure but for the signature's randomness.
#pragma once

#include <array>
#include <vector>

#include "core/crypto/dh.hpp"
#include "device/chip/outcome.hpp"

namespace sotto::chip {

struct Release {
    std::string hardware;
    std::uint32_t version = 0;
    std::array<std::vector<std::uint8_t>, 2> images;  // as they were linked for slots A and B
};

// The file for `sotto update`. Fails if an image is none, or that of the other slot.
Outcome<std::vector<std::uint8_t>> sign(Release release, const crypto::DhPrivateKey& publisher);

}  // namespace sotto::chip
