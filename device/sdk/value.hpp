// SPDX-License-Identifier: Apache-2.0
// What functions return and variables hold, and how it looks as text and as CBOR. No allocation.
#pragma once

#include <string_view>
#include <variant>

#include "core/session/resources.hpp"

namespace sotto::device {

// A text must stay where it is until the call that asked for it is over.
using Value = std::variant<std::int32_t, bool, std::string_view>;

// The bytes of a value in a format. Error::Unsupported for another format.
Status encode(const Value& value, session::Format format, session::Excerpt& out);

inline constexpr std::size_t kNumberTextSizeMax = 11;

// The text of an argument: text as it is; of CBOR a text string, an integer, a boolean or null
// (which is empty). Error::Malformed, Error::Unsupported.
Result<std::string_view> decode_argument(const session::Content& argument,
                                         MutBytesN<kNumberTextSizeMax> scratch);

}  // namespace sotto::device
