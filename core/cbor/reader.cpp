// SPDX-License-Identifier: Apache-2.0
#include "core/cbor/reader.hpp"

#include <algorithm>
#include <utility>

#include "core/cbor/float.hpp"
#include "core/cbor/utf8.hpp"

namespace sotto::cbor {
namespace {

constexpr std::uint8_t kInfoOneByte = 24;  // the argument is in the next byte
constexpr std::uint8_t kInfoEightBytes = 27;
constexpr std::uint8_t kInfoIndefinite = 31;
constexpr std::uint8_t kBreak = 0xff;

// RFC 8949 §3.2: integers and tags have no indefinite length.
bool may_be_indefinite(Kind kind) {
    return kind != Kind::Unsigned && kind != Kind::Negative && kind != Kind::Tag;
}

bool has_content(Kind kind) { return kind >= Kind::Bytes && kind <= Kind::Map; }

}  // namespace

// The argument in the `size` bytes that come next.
std::uint64_t Reader::long_argument(Kind kind, std::size_t size) {
    std::uint64_t argument = 0;
    bool is_shortest = false;
    const Bytes bytes = take(size);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        argument = argument << 8 | bytes[i];
        if (i < size / 2 && bytes[i] != 0) is_shortest = true;
    }
    // RFC 8949 §3.3: a simple value below 32 has no two-byte form. The longer ones are floats,
    // which floating() looks at.
    if (kind == Kind::Simple) {
        require(size > 1 || argument >= 32);
    } else if (rules_ == Rules::Deterministic) {
        // RFC 8949 §4.2.1: arguments are "as short as possible".
        require(size > 1 ? is_shortest : argument >= kInfoOneByte);
    }
    return argument;
}

Head Reader::head() {
    const Bytes first = take(1);
    const std::uint8_t byte = first.empty() ? std::uint8_t{0} : first[0];
    const auto kind = static_cast<Kind>(byte >> 5);
    const std::uint8_t info = byte & 31;
    std::uint64_t argument = info;
    if (info > kInfoEightBytes) {  // 28 to 30 are reserved
        argument = 0;
        require(info == kInfoIndefinite && rules_ == Rules::WellFormed && may_be_indefinite(kind));
    } else if (info >= kInfoOneByte) {
        argument = long_argument(kind, std::size_t{1} << (info - kInfoOneByte));
    }
    const std::size_t most = kind == Kind::Map ? rest_.size() / 2 : rest_.size();
    require(!has_content(kind) || argument <= most, Error::Truncated);
    if (!status_) return {};
    return {.kind = kind, .info = info, .argument = argument};
}

bool Reader::next_is(Kind kind) const {
    return !rest_.empty() && rest_[0] >> 5 == static_cast<std::uint8_t>(kind);
}

// The argument of a head of this kind and definite length.
std::uint64_t Reader::argument_of(Kind kind) {
    const Head head = this->head();
    require(head.kind == kind && !head.is_indefinite());
    return status_ ? head.argument : 0;
}

std::uint64_t Reader::uint() { return argument_of(Kind::Unsigned); }

std::int64_t Reader::integer() {
    const bool is_negative = next_is(Kind::Negative);
    const auto value =
        static_cast<std::int64_t>(argument_of(is_negative ? Kind::Negative : Kind::Unsigned));
    require(value >= 0, Error::TooLarge);
    if (!status_) return 0;
    return is_negative ? -1 - value : value;
}

Bytes Reader::string(Kind kind) { return take(static_cast<std::size_t>(argument_of(kind))); }

Bytes Reader::bytes() { return string(Kind::Bytes); }

std::string_view Reader::text() {
    const Bytes bytes = string(Kind::Text);
    require(is_utf8(bytes));
    return as_text(status_ ? bytes : Bytes{});
}

std::size_t Reader::array() { return static_cast<std::size_t>(argument_of(Kind::Array)); }

std::size_t Reader::map() { return static_cast<std::size_t>(argument_of(Kind::Map)); }

std::uint64_t Reader::tag() { return argument_of(Kind::Tag); }

std::uint8_t Reader::simple() {
    const Head head = this->head();
    require(head.kind == Kind::Simple && !head.is_float() && !head.is_break());
    return status_ ? static_cast<std::uint8_t>(head.argument) : std::uint8_t{0};
}

bool Reader::boolean() {
    const std::uint8_t value = simple();
    require(value == kSimpleTrue || value == kSimpleFalse);
    return value == kSimpleTrue;
}

void Reader::null() { require(simple() == kSimpleNull); }

double Reader::floating() {
    const Head head = this->head();
    require(head.is_float());
    if (!status_) return 0;
    require(rules_ == Rules::WellFormed || is_shortest_float(head.argument, head.info));
    return widen_float(head.argument, head.info);
}

bool Reader::take_break() {
    if (rest_.empty() || rest_[0] != kBreak || rules_ == Rules::Deterministic) return false;
    take(1);
    return true;
}

Bytes Reader::skip(Rules rules) {
    const Rules own = std::exchange(rules_, rules);
    const Bytes before = rest_;
    skip_item(kNestingMax);
    rules_ = own;
    return status_ ? before.first(before.size() - rest_.size()) : Bytes{};
}

void Reader::skip_item(std::size_t depth) {
    const Head head = this->head();
    switch (head.kind) {
        case Kind::Unsigned:
        case Kind::Negative:
            return;
        case Kind::Bytes:
        case Kind::Text:
            return skip_string(head);
        case Kind::Array:
        case Kind::Map:
        case Kind::Tag:
            require(depth > 0, Error::TooLarge);
            return skip_children(head, depth - 1);
        case Kind::Simple:
            return require(!head.is_break());  // nothing is open that it could close
    }
}

// RFC 8949 §3.2.3: the chunks of an indefinite-length string are "definite-length strings of the
// same major type".
void Reader::skip_string(const Head& head) {
    if (!head.is_indefinite()) {
        take(static_cast<std::size_t>(head.argument));
        return;
    }
    while (status_ && !take_break()) string(head.kind);
}

void Reader::skip_children(const Head& head, std::size_t depth) {
    const bool is_map = head.kind == Kind::Map;
    Bytes previous_key;
    auto left = head.kind == Kind::Tag ? std::size_t{1} : static_cast<std::size_t>(head.argument);
    for (; status_ && (head.is_indefinite() ? !take_break() : left > 0); --left) {
        const Bytes before = rest_;
        skip_item(depth);
        if (!is_map) continue;
        const Bytes key = before.first(before.size() - rest_.size());
        // RFC 8949 §4.2.1: keys are "sorted in the bytewise lexicographic order of their
        // deterministic encodings"; equal ones are not valid (§5.6).
        require(rules_ == Rules::WellFormed ||
                std::lexicographical_compare(
                    previous_key.begin(), previous_key.end(), key.begin(), key.end()));
        previous_key = key;
        skip_item(depth);
    }
}

}  // namespace sotto::cbor
