// SPDX-License-Identifier: Apache-2.0
// Views of bytes. No allocation; own nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sotto {

using Bytes = std::span<const std::uint8_t>;
using MutBytes = std::span<std::uint8_t>;
template <std::size_t N>
using BytesN = std::span<const std::uint8_t, N>;
template <std::size_t N>
using MutBytesN = std::span<std::uint8_t, N>;

// The bytes of a text, and the text of bytes. For public data: equality is not constant-time.
inline Bytes as_bytes(std::string_view text) {
    return {static_cast<const std::uint8_t*>(static_cast<const void*>(text.data())), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
    return {static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size()};
}
inline bool equal(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

}  // namespace sotto
