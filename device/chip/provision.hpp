// SPDX-License-Identifier: Apache-2.0
// Makes a chip out of an image: a key and a pairing secret of its own, in the records behind the
// firmware, as a manufacturer does it once. Allocates; pure but for the randomness.
#pragma once

#include <optional>
#include <vector>

#include "core/crypto/dh.hpp"
#include "core/hal/entropy.hpp"
#include "device/chip/outcome.hpp"

namespace sotto::chip {

// Of the nRF51822: what a programmer writes, and where the records are in it (device/firmware).
inline constexpr std::size_t kImageSize = 256 * 1'024;
inline constexpr std::size_t kRecordsOffset = 240 * 1'024;

struct Provisioned {
    std::string id;    // 24 hex digits
    std::string code;  // the pairing code, for the label
};

// Writes the records into the image. Fails if it has another size, or has records already.
// A publisher, if there is one, is whose updates the chip takes.
Outcome<Provisioned> provision(std::vector<std::uint8_t>& image,
                               const std::string& subject,
                               const std::optional<crypto::DhPublicKey>& publisher,
                               hal::Entropy& entropy);

}  // namespace sotto::chip
