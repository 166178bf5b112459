// SPDX-License-Identifier: Apache-2.0
// Writes deterministic CBOR (RFC 8949 §4.2.1) into a buffer of the caller; the order of map keys is
// the caller's. Overflow is sticky: write on, check once in finish(). No allocation.
#pragma once

#include <concepts>

#include "core/base/writer.hpp"
#include "core/cbor/reader.hpp"

namespace sotto::cbor {

// A small chip has no registers for 64-bit numbers: where 32 bits do, they are the parameter.
template <class T>
concept Short = std::integral<T> && sizeof(T) <= sizeof(std::uint32_t);

class Writer {
  public:
    explicit Writer(MutBytes out) : out_(out) {}

    Writer& uint(std::uint64_t value) { return head(Kind::Unsigned, value); }
    Writer& uint(Short auto value) { return short_head(Kind::Unsigned, to_short(value)); }
    Writer& integer(std::int64_t value);
    Writer& integer(Short auto value) {
        if (value >= 0) return short_head(Kind::Unsigned, to_short(value));
        return short_head(Kind::Negative, to_short(-1 - value));
    }
    Writer& bytes(Bytes value);
    Writer& text(std::string_view value);
    // The heads of containers: the items, or keys and values in turn, are written next.
    Writer& array(std::size_t count) { return head(Kind::Array, count); }
    Writer& map(std::size_t count) { return head(Kind::Map, count); }
    Writer& tag(std::uint64_t number) { return head(Kind::Tag, number); }
    Writer& boolean(bool value) { return simple(value ? 21 : 20); }
    Writer& null() { return simple(22); }
    // Precondition: value < 24 or value > 31.
    Writer& simple(std::uint8_t value);
    // In the shortest of the three widths that keeps the value; NaN as f97e00.
    Writer& floating(double value);
    // Bytes that are CBOR already.
    Writer& raw(Bytes encoded);
    // The shortest head with this argument, for what is put together by hand.
    Writer& head(Kind kind, std::uint64_t argument);
    Writer& head(Kind kind, Short auto argument) { return short_head(kind, to_short(argument)); }

    std::size_t size() const { return out_.size(); }
    // What has been written so far; empty after an overflow.
    Bytes written() const { return out_.written(); }
    // The written bytes, or Error::NoSpace if anything did not fit.
    Result<Bytes> finish() const { return out_.finish(); }

  private:
    static std::uint32_t to_short(auto value) { return static_cast<std::uint32_t>(value); }
    Writer& short_head(Kind kind, std::uint32_t argument);

    sotto::Writer out_;
};

}  // namespace sotto::cbor
