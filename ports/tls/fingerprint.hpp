// SPDX-License-Identifier: Apache-2.0
// The fingerprint of a certificate: SHA-256 over its DER form, as `openssl x509 -fingerprint
// -sha256` and browsers show it. A pin is one of these, typed by a person. Allocates; never blocks.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace sotto::ports {

struct Fingerprint {
    std::array<std::uint8_t, 32> bytes{};

    friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// 64 hex digits of either case, with a colon between every two bytes or with none at all.
// Error::InvalidArgument for anything else.
Result<Fingerprint> parse_fingerprint(std::string_view text);

// Upper case, with colons.
std::string to_string(const Fingerprint& fingerprint);

}  // namespace sotto::ports
