// SPDX-License-Identifier: Apache-2.0
// The value of the OSCORE option (RFC 8613 §6.1). No allocation; views into the caller's bytes.
#pragma once

#include <optional>

#include "core/base/result.hpp"
#include "core/base/writer.hpp"
#include "core/oscore/context.hpp"

namespace sotto::oscore {

struct OptionValue {
    Bytes piv = {};  // empty: none
    std::optional<Bytes> kid = std::nullopt;
    std::optional<Bytes> kid_context = std::nullopt;
};

inline constexpr std::size_t kOptionSizeMax = 1 + kPivSizeMax + 1 + kIdContextSizeMax + kIdSizeMax;

// Error::Malformed: reserved bits, a Partial IV over 5 bytes or with a leading zero byte, bytes
// left over; Error::Truncated. Precondition: the option is a new one.
Status parse_option(Bytes value, OptionValue& option);
inline Result<OptionValue> parse_option(Bytes value) {
    OptionValue option;
    SOTTO_TRY(parse_option(value, option));
    return option;
}

// Error::NoSpace if `out` is too small; kOptionSizeMax is enough for what we send.
Result<Bytes> encode_option(const OptionValue& option, MutBytes out);

}  // namespace sotto::oscore
