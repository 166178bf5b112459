// SPDX-License-Identifier: Apache-2.0
// CoAP options (RFC 7252 §3.1, §5.4): a reader and writer of their delta encoding, their numbers
// and the forms that their values have. No allocation; views into the caller's bytes.
#pragma once

#include <optional>

#include "core/base/sticky_reader.hpp"
#include "core/base/writer.hpp"

namespace sotto::coap {

inline constexpr std::uint8_t kPayloadMarker = 0xff;

// Any number is a value of this type.
enum class OptionNumber : std::uint16_t {};
constexpr std::uint16_t value_of(OptionNumber number) { return static_cast<std::uint16_t>(number); }

inline constexpr OptionNumber kIfMatch{1};
inline constexpr OptionNumber kUriHost{3};
inline constexpr OptionNumber kETag{4};
inline constexpr OptionNumber kIfNoneMatch{5};
inline constexpr OptionNumber kObserve{6};  // RFC 7641
inline constexpr OptionNumber kUriPort{7};
inline constexpr OptionNumber kLocationPath{8};
inline constexpr OptionNumber kOscore{9};  // RFC 8613
inline constexpr OptionNumber kUriPath{11};
inline constexpr OptionNumber kContentFormat{12};
inline constexpr OptionNumber kMaxAge{14};
inline constexpr OptionNumber kUriQuery{15};
inline constexpr OptionNumber kHopLimit{16};  // RFC 8768
inline constexpr OptionNumber kAccept{17};
inline constexpr OptionNumber kLocationQuery{20};
inline constexpr OptionNumber kBlock2{23};  // RFC 7959
inline constexpr OptionNumber kBlock1{27};
inline constexpr OptionNumber kSize2{28};
inline constexpr OptionNumber kProxyUri{35};
inline constexpr OptionNumber kProxyScheme{39};
inline constexpr OptionNumber kSize1{60};
inline constexpr OptionNumber kEcho{252};        // RFC 9175
inline constexpr OptionNumber kNoResponse{258};  // RFC 7967
inline constexpr OptionNumber kRequestTag{292};  // RFC 9175
// Ours, from the range for experiments (RFC 7252 §12.2), both seconds since 1970
// (docs/protocol/session.md, SES-90, SES-93): critical, safe to forward; elective, safe to forward.
inline constexpr OptionNumber kNotAfter{65'001};
inline constexpr OptionNumber kTime{65'004};

// The class of an option is in its number (RFC 7252 §5.4.6).
constexpr bool is_critical(OptionNumber number) { return (value_of(number) & 1) != 0; }
constexpr bool is_unsafe(OptionNumber number) { return (value_of(number) & 2) != 0; }
constexpr bool is_no_cache_key(OptionNumber number) { return (value_of(number) & 0x1e) == 0x1c; }

struct Option {
    OptionNumber number{};
    Bytes value = {};
};

// Whether the value has a size that its number allows; always true for numbers not listed above.
// RFC 7252 §5.4.3: otherwise the option is to be treated like an unrecognized one.
bool has_valid_size(const Option& option);
// Whether the option may stand in a message more than once; true for numbers not listed above.
bool is_repeatable(OptionNumber number);
// Both at once: whether the option may stand behind another, of its own number or not.
bool is_in_form(const Option& option, bool is_repeated);

// Walks over encoded options up to their end; a payload marker ends them too.
class OptionReader : public StickyReader {
  public:
    explicit OptionReader(Bytes encoded) : StickyReader(encoded) {}

    // Takes the next option. False at the end or at a payload marker, which stays in rest(), and
    // where the bytes are no options: then status() is Error::Malformed or Truncated, and nothing
    // is left.
    bool next(Option& option);

  private:
    std::uint32_t extended(std::uint32_t nibble);

    std::uint32_t number_ = 0;
};

// Writes options. Precondition: they come in ascending order of number. Overflow is sticky in the
// writer below, as is a value over 65,804 bytes.
class OptionWriter {
  public:
    explicit OptionWriter(Writer& out) : out_(out) {}

    OptionWriter& add(OptionNumber number, Bytes value);
    OptionWriter& add_text(OptionNumber number, std::string_view value) {
        return add(number, as_bytes(value));
    }
    // In the fewest bytes; 0 is empty (RFC 7252 §3.2).
    OptionWriter& add_uint(OptionNumber number, std::uint32_t value);
    // A Uri-Path option for each segment of "/a/b". Precondition: the path begins with a slash.
    OptionWriter& add_path(std::string_view path);

  private:
    void extended(std::uint32_t value);

    Writer& out_;
    std::uint16_t last_ = 0;
};

// Takes "/a" from "/a/b" and returns "a". Precondition: the path begins with a slash.
std::string_view take_segment(std::string_view& path);

// The value of a uint option; leading zeros are allowed (§3.2). Precondition:
// value.size() <= kUintSizeMax.
inline constexpr std::size_t kUintSizeMax = 4;
std::uint32_t decode_uint(Bytes value);

// The value of Block1 and Block2 (RFC 7959 §2.2).
struct Block {
    std::uint32_t number = 0;        // below 2^20
    bool has_more = false;           // more blocks follow
    std::uint8_t size_exponent = 6;  // SZX, 0 to 6: blocks of 16 to 1,024 bytes

    std::size_t size() const { return std::size_t{16} << size_exponent; }
    // Whether it is one of several.
    bool is_part() const { return number > 0 || has_more; }
    std::size_t offset() const { return number * size(); }
    friend bool operator==(const Block&, const Block&) = default;
};

// Error::Malformed over 3 bytes or with the reserved size exponent 7.
Result<Block> parse_block(Bytes value);
// The number for OptionWriter::add_uint(). Precondition: the block is within its ranges.
std::uint32_t block_value(const Block& block);

}  // namespace sotto::coap
