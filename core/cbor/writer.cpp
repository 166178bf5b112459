// SPDX-License-Identifier: Apache-2.0
#include "core/cbor/writer.hpp"

#include "core/cbor/float.hpp"

namespace sotto::cbor {

Writer& Writer::head(Kind kind, std::uint64_t argument) {
    const auto major = static_cast<std::uint8_t>(static_cast<std::uint8_t>(kind) << 5);
    if (argument < 24) {
        out_.u8(static_cast<std::uint8_t>(major | argument));
        return *this;
    }
    std::uint8_t info = 24;
    for (std::uint64_t rest = argument >> 8; rest != 0; rest >>= 8U << (info - 25)) ++info;
    out_.u8(static_cast<std::uint8_t>(major | info));
    out_.uint_be(argument, std::size_t{1} << (info - 24));
    return *this;
}

Writer& Writer::integer(std::int64_t value) {
    if (value >= 0) return uint(static_cast<std::uint64_t>(value));
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
    return head(Kind::Simple, value);
}

Writer& Writer::floating(double value) {
    const EncodedFloat shortest = shortest_float(value);
    out_.u8(
        static_cast<std::uint8_t>(static_cast<std::uint8_t>(Kind::Simple) << 5 | shortest.info));
    out_.uint_be(shortest.bits, std::size_t{1} << (shortest.info - 24));
    return *this;
}

Writer& Writer::raw(Bytes encoded) {
    out_.bytes(encoded);
    return *this;
}

}  // namespace sotto::cbor
