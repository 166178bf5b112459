// SPDX-License-Identifier: Apache-2.0
// Base32 (RFC 4648 §6) without padding, for what people type and scan: upper case is written, lower
// case is taken too. No allocation.
#pragma once

#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace sotto {

// The number of digits of so many bytes.
constexpr std::size_t base32_size(std::size_t byte_count) { return (byte_count * 8 + 4) / 5; }

bool is_base32_digit(char digit);

// The digits of `bytes`, at the front of `out`. Precondition: there is room.
std::string_view encode_base32(Bytes bytes, std::span<char> out);

// The bytes, at the front of `out`. Error::Malformed for what is no digit; Error::Truncated if no
// bytes have so many digits; Error::InvalidArgument if bits are set that an encoder leaves zero: a
// digit was misread; Error::NoSpace.
Result<Bytes> decode_base32(std::string_view digits, MutBytes out);

}  // namespace sotto
