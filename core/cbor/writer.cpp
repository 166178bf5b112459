// SPDX-License-Identifier: Apache-2.0
#include "core/cbor/writer.hpp"

#include "core/cbor/float.hpp"

namespace sotto::cbor {

namespace {

constexpr std::uint8_t kInfoOneByte = 24;  // the argument is in the next byte

std::uint8_t first_byte(Kind kind, std::uint32_t info) {
    return static_cast<std::uint8_t>(static_cast<std::uint32_t>(kind) << 5 | info);
}

}  // namespace

Writer& Writer::short_head(Kind kind, std::uint32_t argument) {
    if (argument < kInfoOneByte) {
        out_.u8(first_byte(kind, argument));
    } else if (argument <= 0xff) {
        out_.u8(first_byte(kind, kInfoOneByte)).u8(static_cast<std::uint8_t>(argument));
    } else if (argument <= 0xffff) {
        out_.u8(first_byte(kind, kInfoOneByte + 1)).u16_be(static_cast<std::uint16_t>(argument));
    } else {
        out_.u8(first_byte(kind, kInfoOneByte + 2)).u32_be(argument);
    }
    return *this;
}

Writer& Writer::head(Kind kind, std::uint64_t argument) {
    const auto low = static_cast<std::uint32_t>(argument);
    if (argument == low) return short_head(kind, low);
    out_.u8(first_byte(kind, kInfoOneByte + 3)).u64_be(argument);
    return *this;
}

Writer& Writer::integer(std::int64_t value) {
    if (value >= 0) return head(Kind::Unsigned, static_cast<std::uint64_t>(value));
    return head(Kind::Negative, static_cast<std::uint64_t>(-1 - value));
}

Writer& Writer::bytes(Bytes value) {
    head(Kind::Bytes, value.size());
    return raw(value);
}

Writer& Writer::text(std::string_view value) {
    head(Kind::Text, value.size());
    return raw(as_bytes(value));
}

Writer& Writer::simple(std::uint8_t value) {
    SOTTO_ASSERT(value < 24 || value > 31);  // RFC 8949 §3.3: the others are not well-formed
    return short_head(Kind::Simple, value);
}

Writer& Writer::floating(double value) {
    const EncodedFloat shortest = shortest_float(value);
    out_.u8(first_byte(Kind::Simple, shortest.info));
    out_.uint_be(shortest.bits, std::size_t{1} << (shortest.info - kInfoOneByte));
    return *this;
}

Writer& Writer::raw(Bytes encoded) {
    out_.bytes(encoded);
    return *this;
}

}  // namespace sotto::cbor
