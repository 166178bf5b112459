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

// RFC 8949 §4.2.1: arguments are "as short as possible", floats too.
bool is_shortest(const Head& head) {
    if (head.is_float()) return is_shortest_float(head.argument, head.info);
    switch (head.info) {
        case 24:
            return head.argument >= kInfoOneByte;
        case 25:
            return head.argument > 0xff;
        case 26:
            return head.argument > 0xffff;
        case 27:
            return head.argument > 0xffff'ffff;
        default:
            return true;
    }
}

// RFC 8949 §3.3: a simple value below 32 has no two-byte form. §3.2: integers and tags have no
// indefinite length.
bool is_well_formed(const Head& head) {
    if (head.kind == Kind::Simple && head.info == kInfoOneByte) return head.argument >= 32;
    if (head.info != kInfoIndefinite) return true;
    return head.kind != Kind::Unsigned && head.kind != Kind::Negative && head.kind != Kind::Tag;
}

}  // namespace

Result<Head> Reader::head() {
    sotto::Reader in = in_;
    SOTTO_TRY_ASSIGN(const std::uint8_t first, in.u8());
    Head head{.kind = static_cast<Kind>(first >> 5),
              .info = static_cast<std::uint8_t>(first & 31),
              .argument = 0};
    if (head.info < kInfoOneByte) {
        head.argument = head.info;
    } else if (head.info <= kInfoEightBytes) {
        SOTTO_TRY_ASSIGN(head.argument, in.uint_be(std::size_t{1} << (head.info - kInfoOneByte)));
    } else if (head.info != kInfoIndefinite) {
        return Error::Malformed;  // 28 to 30 are reserved
    }
    if (!is_well_formed(head)) return Error::Malformed;
    if (rules_ == Rules::Deterministic && (head.info == kInfoIndefinite || !is_shortest(head)))
        return Error::Malformed;
    in_ = in;
    return head;
}

Result<Kind> Reader::peek() const {
    if (in_.empty()) return Error::Truncated;
    return static_cast<Kind>(in_.rest()[0] >> 5);
}

// A head of this kind and definite length.
Result<Head> Reader::head_of(Kind kind) {
    const sotto::Reader before = in_;
    SOTTO_TRY_ASSIGN(const Head found, head());
    if (found.kind == kind && !found.is_indefinite()) return found;
    in_ = before;
    return Error::Malformed;
}

Result<std::uint64_t> Reader::uint() {
    SOTTO_TRY_ASSIGN(const Head head, head_of(Kind::Unsigned));
    return head.argument;
}

Result<std::int64_t> Reader::integer() {
    const sotto::Reader before = in_;
    SOTTO_TRY_ASSIGN(const Kind kind, peek());
    SOTTO_TRY_ASSIGN(const Head head,
                     head_of(kind == Kind::Negative ? Kind::Negative : Kind::Unsigned));
    if (head.argument > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        in_ = before;
        return Error::TooLarge;
    }
    const auto value = static_cast<std::int64_t>(head.argument);
    return kind == Kind::Negative ? -1 - value : value;
}

Result<Bytes> Reader::string(Kind kind) {
    const sotto::Reader before = in_;
    SOTTO_TRY_ASSIGN(const Head head, head_of(kind));
    if (head.argument > in_.size()) {
        in_ = before;
        return Error::Truncated;
    }
    return in_.take(static_cast<std::size_t>(head.argument));
}

Result<Bytes> Reader::bytes() { return string(Kind::Bytes); }

Result<std::string_view> Reader::text() {
    const sotto::Reader before = in_;
    SOTTO_TRY_ASSIGN(const Bytes bytes, string(Kind::Text));
    if (!is_utf8(bytes)) {
        in_ = before;
        return Error::Malformed;
    }
    return as_text(bytes);
}

Result<std::size_t> Reader::array() {
    const sotto::Reader before = in_;
    SOTTO_TRY_ASSIGN(const Head head, head_of(Kind::Array));
    if (head.argument > in_.size()) {
        in_ = before;
        return Error::Truncated;
    }
    return static_cast<std::size_t>(head.argument);
}

Result<std::size_t> Reader::map() {
    const sotto::Reader before = in_;
    SOTTO_TRY_ASSIGN(const Head head, head_of(Kind::Map));
    if (head.argument > in_.size() / 2) {
        in_ = before;
        return Error::Truncated;
    }
    return static_cast<std::size_t>(head.argument);
}

Result<std::uint64_t> Reader::tag() {
    SOTTO_TRY_ASSIGN(const Head head, head_of(Kind::Tag));
    return head.argument;
}

Result<std::uint8_t> Reader::simple() {
    const sotto::Reader before = in_;
    SOTTO_TRY_ASSIGN(const Head head, head_of(Kind::Simple));
    if (!head.is_float() && !head.is_break()) return static_cast<std::uint8_t>(head.argument);
    in_ = before;
    return Error::Malformed;
}

Result<bool> Reader::boolean() {
    const sotto::Reader before = in_;
    SOTTO_TRY_ASSIGN(const std::uint8_t value, simple());
    if (value == kSimpleFalse || value == kSimpleTrue) return value == kSimpleTrue;
    in_ = before;
    return Error::Malformed;
}

Status Reader::null() {
    const sotto::Reader before = in_;
    SOTTO_TRY_ASSIGN(const std::uint8_t value, simple());
    if (value == kSimpleNull) return {};
    in_ = before;
    return Error::Malformed;
}

Result<double> Reader::floating() {
    const sotto::Reader before = in_;
    SOTTO_TRY_ASSIGN(const Head head, head_of(Kind::Simple));
    if (head.is_float()) return widen_float(head.argument, head.info);
    in_ = before;
    return Error::Malformed;
}

bool Reader::take_break() {
    const sotto::Reader before = in_;
    const auto found = head();
    if (found && found->is_break()) return true;
    in_ = before;
    return false;
}

Result<Bytes> Reader::skip() {
    const sotto::Reader before = in_;
    if (const Status status = skip_item(kNestingMax); !status) {
        in_ = before;
        return status.error();
    }
    return before.rest().first(before.size() - in_.size());
}

Status Reader::skip_item(std::size_t depth) {
    SOTTO_TRY_ASSIGN(const Head head, head());
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
