// SPDX-License-Identifier: Apache-2.0
// Reads CBOR (RFC 8949) from a view that shrinks. No allocation, no recursion deeper than
// kNestingMax; what it returns points into the caller's bytes.
#pragma once

#include <string_view>

#include "core/base/sticky_reader.hpp"

namespace sotto::cbor {

// Levels of arrays, maps and tags inside each other that skip() follows.
inline constexpr std::size_t kNestingMax = 8;

enum class Rules : std::uint8_t {
    Deterministic,  // RFC 8949 §4.2.1: shortest heads, definite lengths, sorted maps (skip()),
                    // shortest floats (floating())
    WellFormed,     // everything that RFC 8949 §3 calls well-formed
};

enum class Kind : std::uint8_t {  // the major type (RFC 8949 §3.1)
    Unsigned = 0,
    Negative = 1,
    Bytes = 2,
    Text = 3,
    Array = 4,
    Map = 5,
    Tag = 6,
    Simple = 7,  // simple values, floats and the "break" stop code
};

// The head of a data item.
struct Head {
    Kind kind{};
    std::uint8_t info = 0;       // additional information: the low 5 bits of the first byte
    std::uint64_t argument = 0;  // what the additional information stands for; 0 if indefinite

    bool is_indefinite() const { return info == 31 && kind != Kind::Simple; }
    bool is_break() const { return info == 31 && kind == Kind::Simple; }
    bool is_float() const { return kind == Kind::Simple && info >= 25 && info <= 27; }
};

// Every read takes one item, or the head of one, from the front. The first failure is kept, as
// Writer keeps an overflow: from then on nothing is left to read, every read returns an empty
// value, and status() and finish() say why. Error::Truncated: the bytes end too early;
// Error::Malformed: the item is not well-formed, breaks the rules or is of another kind;
// Error::TooLarge: its value does not fit.
class Reader : public StickyReader {
  public:
    explicit Reader(Bytes bytes, Rules rules = Rules::Deterministic)
        : StickyReader(bytes), rules_(rules) {}

    // Whether an item of this kind comes next. "break" counts as Simple.
    bool next_is(Kind kind) const;

    std::uint64_t uint();
    std::int64_t integer();   // Error::TooLarge below -2^63 or from 2^63
    Bytes bytes();            // of definite length
    std::string_view text();  // of definite length and valid UTF-8
    // The number of items or pairs that follow. Definite length only: for the others, head() and
    // take_break().
    std::size_t array();
    std::size_t map();
    std::uint64_t tag();
    bool boolean();
    void null();
    std::uint8_t simple();  // any simple value, false, true, null and undefined included
    double floating();      // of any width

    // The next head, whatever it is; its content follows. The argument of a string, array or map is
    // never more than the bytes that are left could hold (else Error::Truncated).
    Head head();
    // Whether the stop code of an indefinite-length item came next, and was taken.
    bool take_break();
    // The bytes of the next item as a whole, checked against the rules. Error::TooLarge if it nests
    // deeper than kNestingMax. (UTF-8 is checked by text() alone: it is not well-formedness.)
    Bytes skip() { return skip(rules_); }
    Bytes skip(Rules rules);

  private:
    std::uint64_t long_argument(Kind kind, std::size_t size);
    std::uint64_t argument_of(Kind kind);
    Bytes string(Kind kind);
    void skip_item(std::size_t depth);
    void skip_string(const Head& head);
    void skip_children(const Head& head, std::size_t depth);

    Rules rules_;
};

}  // namespace sotto::cbor
