// SPDX-License-Identifier: Apache-2.0
#include "core/coap/option.hpp"

#include <array>
#include <limits>

namespace sotto::coap {
namespace {

constexpr std::uint32_t kOneByte = 13;    // nibble 13: one byte follows, of value - 13
constexpr std::uint32_t kTwoBytes = 269;  // nibble 14: two bytes follow, of value - 269
constexpr std::uint32_t kNumberMax = 65'535;
constexpr std::size_t kValueSizeMax = 65'535 + kTwoBytes;

std::uint8_t nibble_of(std::uint32_t value) {
    if (value < kOneByte) return static_cast<std::uint8_t>(value);
    return value < kTwoBytes ? 13 : 14;
}

}  // namespace

bool OptionReader::next(Option& option) {
    if (rest_.empty() || rest_[0] == kPayloadMarker) return false;
    const Bytes head = take(1);
    const std::uint32_t delta = extended(head[0] >> 4);
    const std::uint32_t size = extended(head[0] & 0x0f);
    number_ += delta;
    require(number_ <= kNumberMax);
    option.number = static_cast<OptionNumber>(number_);
    option.value = take(size);
    return status_.has_value();
}

std::uint32_t OptionReader::extended(std::uint32_t nibble) {
    if (nibble < 13) return nibble;
    require(nibble < 15);  // RFC 7252 §3.1: reserved
    return decode_uint(take(nibble - 12)) + (nibble == 13 ? kOneByte : kTwoBytes);
}

void OptionWriter::extended(std::uint32_t value) {
    if (value >= kTwoBytes) {
        out_.u16_be(static_cast<std::uint16_t>(value - kTwoBytes));
    } else if (value >= kOneByte) {
        out_.u8(static_cast<std::uint8_t>(value - kOneByte));
    }
}

OptionWriter& OptionWriter::add(OptionNumber number, Bytes value) {
    SOTTO_ASSERT(value_of(number) >= last_);
    if (value.size() > kValueSizeMax) {
        out_.reserve(std::numeric_limits<std::size_t>::max());  // overflows
        return *this;
    }
    const std::uint32_t delta = value_of(number) - last_;
    const auto size = static_cast<std::uint32_t>(value.size());
    out_.u8(static_cast<std::uint8_t>(nibble_of(delta) << 4 | nibble_of(size)));
    extended(delta);
    extended(size);
    out_.bytes(value);
    last_ = value_of(number);
    return *this;
}

OptionWriter& OptionWriter::add_uint(OptionNumber number, std::uint32_t value) {
    std::array<std::uint8_t, 4> bytes;
    Writer{bytes}.u32_be(value);
    std::size_t skip = 0;
    while (skip < bytes.size() && bytes[skip] == 0) ++skip;
    return add(number, Bytes{bytes}.subspan(skip));
}

OptionWriter& OptionWriter::add_path(std::string_view path) {
    SOTTO_ASSERT(path.starts_with('/'));
    if (path.size() == 1) return *this;  // RFC 7252 §6.4: "/" has no segments
    while (!path.empty()) add_text(kUriPath, take_segment(path));
    return *this;
}

std::string_view take_segment(std::string_view& path) {
    path.remove_prefix(1);  // the slash
    const std::string_view segment{path.data(), std::min(path.find('/'), path.size())};
    path.remove_prefix(segment.size());
    return segment;
}

std::uint32_t decode_uint(Bytes value) {
    SOTTO_ASSERT(value.size() <= kUintSizeMax);
    std::uint32_t number = 0;
    for (const std::uint8_t byte : value) number = number << 8 | byte;
    return number;
}

Result<Block> parse_block(Bytes value) {
    if (value.size() > 3) return Error::Malformed;
    const std::uint32_t number = decode_uint(value);
    const Block block{.number = number >> 4,
                      .has_more = (number & 8) != 0,
                      .size_exponent = static_cast<std::uint8_t>(number & 7)};
    if (block.size_exponent == 7) return Error::Malformed;
    return block;
}

std::uint32_t block_value(const Block& block) {
    SOTTO_ASSERT(block.number < 1U << 20 && block.size_exponent < 7);
    return block.number << 4 | (block.has_more ? 8U : 0U) | block.size_exponent;
}

}  // namespace sotto::coap
