// SPDX-License-Identifier: Apache-2.0
#include "core/base/reader.hpp"

#include <utility>

namespace sotto {

Result<Bytes> Reader::take(std::size_t count) {
    if (count > rest_.size()) return Error::Truncated;
    return std::exchange(rest_, rest_.subspan(count)).first(count);
}

Result<std::uint64_t> Reader::uint_be(std::size_t size) {
    SOTTO_ASSERT(size <= sizeof(std::uint64_t));
    SOTTO_TRY_ASSIGN(const Bytes bytes, take(size));
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) value = value << 8 | byte;
    return value;
}

Result<std::uint8_t> Reader::u8() {
    SOTTO_TRY_ASSIGN(const Bytes bytes, take(1));
    return bytes[0];
}

Result<std::uint16_t> Reader::u16_be() {
    SOTTO_TRY_ASSIGN(const std::uint64_t value, uint_be(2));
    return static_cast<std::uint16_t>(value);
}

Result<std::uint32_t> Reader::u32_be() {
    SOTTO_TRY_ASSIGN(const std::uint64_t value, uint_be(4));
    return static_cast<std::uint32_t>(value);
}

Result<std::uint64_t> Reader::u64_be() { return uint_be(8); }

Bytes Reader::take_rest() { return std::exchange(rest_, Bytes{}); }

Status Reader::finish() const {
    if (!rest_.empty()) return Error::Malformed;
    return {};
}

}  // namespace sotto
