// SPDX-License-Identifier: Apache-2.0
#include "core/cbor/reader.hpp"

#include <algorithm>
#include <limits>

#include "core/cbor/float.hpp"
#include "core/cbor/utf8.hpp"

namespace sotto::cbor {
namespace {

constexpr std::uint8_t kInfoOneByte = 24;  // the argument is in the next byte
constexpr std::uint8_t kInfoEightBytes = 27;
constexpr std::uint8_t kInfoIndefinite = 31;

// RFC 8949 §4.2.1: arguments are "as short as possible". Of floats floating() sees to that.
bool is_shortest(const Head& head) {
    if (head.info < kInfoOneByte || head.is_float()) return true;
    if (head.info == kInfoOneByte) return head.argument >= kInfoOneByte;
    const unsigned half_bits = 4U << (head.info - kInfoOneByte);
    return head.argument >> half_bits != 0;
}

// RFC 8949 §3.3: a simple value below 32 has no two-byte form. §3.2: integers and tags have no
// indefinite length.
bool is_well_formed(const Head& head) {
    if (head.kind == Kind::Simple && head.info == kInfoOneByte) return head.argument >= 32;
    if (head.info != kInfoIndefinite) return true;
    return head.kind != Kind::Unsigned && head.kind != Kind::Negative && head.kind != Kind::Tag;
}

// The largest argument that makes sense before this many bytes.
std::uint64_t argument_max(Kind kind, std::size_t left) {
    switch (kind) {
        case Kind::Bytes:
        case Kind::Text:
        case Kind::Array:
            return left;
        case Kind::Map:
            return left / 2;
        case Kind::Unsigned:
        case Kind::Negative:
        case Kind::Tag:
        case Kind::Simple:
            break;
    }
    return std::numeric_limits<std::uint64_t>::max();
}

}  // namespace

// Takes a head from `in`, which is undefined after a failure.
Status Reader::take_head(sotto::Reader& in, Head& head) const {
    SOTTO_TRY_ASSIGN(const std::uint8_t first, in.u8());
    head = {.kind = static_cast<Kind>(first >> 5),
            .info = static_cast<std::uint8_t>(first & 31),
            .argument = static_cast<std::uint64_t>(first & 31)};
    if (head.info == kInfoIndefinite) {
        head.argument = 0;
        if (rules_ == Rules::Deterministic) return Error::Malformed;
    } else if (head.info >= kInfoOneByte) {
        if (head.info > kInfoEightBytes) return Error::Malformed;  // 28 to 30 are reserved
        SOTTO_TRY_ASSIGN(head.argument, in.uint_be(std::size_t{1} << (head.info - kInfoOneByte)));
        if (rules_ == Rules::Deterministic && !is_shortest(head)) return Error::Malformed;
    }
    if (!is_well_formed(head)) return Error::Malformed;
    return {};
}

Result<Head> Reader::head() {
    sotto::Reader in = in_;
    Head head;
    SOTTO_TRY(take_head(in, head));
    in_ = in;
    return head;
}

Result<Kind> Reader::peek() const {
    if (in_.empty()) return Error::Truncated;
    return static_cast<Kind>(in_.rest()[0] >> 5);
}

// The argument of a head of this kind and definite length, which can be true.
Result<std::uint64_t> Reader::argument_of(Kind kind) {
    sotto::Reader in = in_;
    Head head;
    SOTTO_TRY(take_head(in, head));
    if (head.kind != kind || head.is_indefinite()) return Error::Malformed;
    if (head.argument > argument_max(kind, in.size())) return Error::Truncated;
    in_ = in;
    return head.argument;
}

Result<std::uint64_t> Reader::uint() { return argument_of(Kind::Unsigned); }

Result<std::int64_t> Reader::integer() {
    const sotto::Reader before = in_;
    SOTTO_TRY_ASSIGN(const Kind kind, peek());
    const bool is_negative = kind == Kind::Negative;
    SOTTO_TRY_ASSIGN(const std::uint64_t argument,
                     argument_of(is_negative ? Kind::Negative : Kind::Unsigned));
    const auto value = static_cast<std::int64_t>(argument);
    if (value >= 0) return is_negative ? -1 - value : value;
    in_ = before;
    return Error::TooLarge;
}

Result<Bytes> Reader::string(Kind kind) {
    SOTTO_TRY_ASSIGN(const std::uint64_t size, argument_of(kind));
    return in_.take(static_cast<std::size_t>(size));
}

Result<Bytes> Reader::bytes() { return string(Kind::Bytes); }

Result<std::string_view> Reader::text() {
    const sotto::Reader before = in_;
    SOTTO_TRY_ASSIGN(const Bytes bytes, string(Kind::Text));
    if (is_utf8(bytes)) return as_text(bytes);
    in_ = before;
    return Error::Malformed;
}

Result<std::size_t> Reader::count(Kind kind) {
    SOTTO_TRY_ASSIGN(const std::uint64_t count, argument_of(kind));
    return static_cast<std::size_t>(count);
}

Result<std::size_t> Reader::array() { return count(Kind::Array); }

Result<std::size_t> Reader::map() { return count(Kind::Map); }

Result<std::uint64_t> Reader::tag() { return argument_of(Kind::Tag); }

Result<std::uint8_t> Reader::simple() {
    sotto::Reader in = in_;
    Head head;
    SOTTO_TRY(take_head(in, head));
    if (head.kind != Kind::Simple || head.is_float() || head.is_break()) return Error::Malformed;
    in_ = in;
    return static_cast<std::uint8_t>(head.argument);
}

// Takes this simple value, if it is the next item.
bool Reader::take_simple(std::uint8_t value) {
    constexpr std::uint8_t kSimple = static_cast<std::uint8_t>(Kind::Simple) << 5;
    if (in_.empty() || in_.rest()[0] != (kSimple | value)) return false;
    return in_.u8().has_value();
}

Result<bool> Reader::boolean() {
    if (in_.empty()) return Error::Truncated;
    if (take_simple(kSimpleTrue)) return true;
    if (take_simple(kSimpleFalse)) return false;
    return Error::Malformed;
}

Status Reader::null() {
    if (in_.empty()) return Error::Truncated;
    if (take_simple(kSimpleNull)) return {};
    return Error::Malformed;
}

Result<double> Reader::floating() {
    sotto::Reader in = in_;
    Head head;
    SOTTO_TRY(take_head(in, head));
    if (!head.is_float()) return Error::Malformed;
    if (rules_ == Rules::Deterministic && !is_shortest_float(head.argument, head.info))
        return Error::Malformed;
    in_ = in;
    return widen_float(head.argument, head.info);
}

bool Reader::take_break() { return rules_ == Rules::WellFormed && take_simple(kInfoIndefinite); }

Result<Bytes> Reader::skip() {
    const sotto::Reader before = in_;
    if (const Status status = skip_item(kNestingMax); !status) {
        in_ = before;
        return status.error();
    }
    return before.rest().first(before.size() - in_.size());
}

Status Reader::skip_item(std::size_t depth) {
    Head head;
    SOTTO_TRY(take_head(in_, head));
    switch (head.kind) {
        case Kind::Unsigned:
        case Kind::Negative:
            return {};
        case Kind::Bytes:
        case Kind::Text:
            return skip_string(head);
        case Kind::Array:
        case Kind::Map:
        case Kind::Tag:
            if (depth == 0) return Error::TooLarge;
            return head.kind == Kind::Tag ? skip_item(depth - 1) : skip_children(head, depth - 1);
        case Kind::Simple:
            break;
    }
    if (head.is_break()) return Error::Malformed;  // nothing is open that it could close
    return {};
}

// RFC 8949 §3.2.3: the chunks of an indefinite-length string are "definite-length strings of the
// same major type".
Status Reader::skip_string(const Head& head) {
    if (!head.is_indefinite()) {
        if (head.argument > in_.size()) return Error::Truncated;
        SOTTO_TRY(in_.take(static_cast<std::size_t>(head.argument)));
        return {};
    }
    while (!take_break()) SOTTO_TRY(string(head.kind));
    return {};
}

Status Reader::skip_children(const Head& head, std::size_t depth) {
    const bool is_map = head.kind == Kind::Map;
    Bytes previous_key;
    // Each turn consumes a byte or fails, so that a huge count ends with the bytes.
    for (std::uint64_t left = head.argument; head.is_indefinite() ? !take_break() : left > 0;
         --left) {
        const sotto::Reader before = in_;
        SOTTO_TRY(skip_item(depth));
        if (!is_map) continue;
        const Bytes key = before.rest().first(before.size() - in_.size());
        // RFC 8949 §4.2.1: keys are "sorted in the bytewise lexicographic order of their
        // deterministic encodings"; equal ones are not valid (§5.6).
        if (rules_ == Rules::Deterministic &&
            !std::lexicographical_compare(
                previous_key.begin(), previous_key.end(), key.begin(), key.end()))
            return Error::Malformed;
        previous_key = key;
        SOTTO_TRY(skip_item(depth));
    }
    return {};
}

}  // namespace sotto::cbor
