// SPDX-License-Identifier: Apache-2.0
// CoAP messages with the header of RFC 7252 §3, and the bodies (code, options, payload) that OSCORE
// carries in its plaintext. No allocation; views into the caller's bytes.
#pragma once

#include <array>

#include "core/coap/code.hpp"
#include "core/coap/option.hpp"

namespace sotto::coap {

inline constexpr std::size_t kTokenSizeMax = 8;
inline constexpr std::uint8_t kPayloadMarker = 0xff;

enum class Type : std::uint8_t {
    Confirmable = 0,
    NonConfirmable = 1,
    Acknowledgement = 2,
    Reset = 3
};

// What stands in front of the options.
struct Header {
    Type type = Type::Confirmable;
    Code code = Code::Empty;
    std::uint16_t id = 0;
    Bytes token;
};

// Options that have been checked: iterating cannot fail.
class Options {
  public:
    class Iterator {
      public:
        using value_type = Option;
        using difference_type = std::ptrdiff_t;

        explicit Iterator(Bytes encoded) : reader_(encoded) { ++*this; }
        const Option& operator*() const { return *current_; }
        const Option* operator->() const { return &*current_; }
        Iterator& operator++() {
            const auto option = reader_.next();
            SOTTO_ASSERT(option.has_value());
            current_ = *option;
            return *this;
        }
        bool operator==(std::default_sentinel_t) const { return !current_; }

      private:
        OptionReader reader_;
        std::optional<Option> current_;
    };

    Options() = default;
    // Error::Malformed, Truncated. A payload marker may not be among them.
    static Result<Options> parse(Bytes encoded);

    Iterator begin() const { return Iterator{encoded_}; }
    std::default_sentinel_t end() const { return {}; }
    Bytes encoded() const { return encoded_; }

    // The value of the first option of this number; nothing if there is none.
    std::optional<Bytes> find(OptionNumber number) const;
    // Its value as a uint; nothing if there is none or it is longer than 4 bytes.
    std::optional<std::uint32_t> find_uint(OptionNumber number) const;
    // The n-th Uri-Path segment or Uri-Query, and so on, counted from 0.
    std::optional<std::string_view> find_text(OptionNumber number, std::size_t n) const;
    std::size_t count(OptionNumber number) const;

  private:
    friend struct BodyParser;
    explicit Options(Bytes encoded) : encoded_(encoded) {}

    Bytes encoded_;
};

// Code, options and payload: what a message says, however it came.
struct Body {
    Code code = Code::Empty;
    Options options;
    Bytes payload;
};

struct Message {
    Header header;
    Options options;
    Bytes payload;
};

// The header alone, as far as it can be trusted: to answer with a Reset what is no good message.
// Error::Truncated, Malformed (a reserved version or token length, or a Reset-worthy Empty
// message).
Result<Header> parse_header(Reader& in);

// A whole message. Error::Truncated, Malformed: also an Empty message with anything after its
// header (RFC 7252 §4.1), a payload marker without payload, and options that do not add up.
Result<Message> parse_message(Bytes bytes);

// The plaintext of OSCORE (RFC 8613 §5.3): code, options, payload. Errors as above.
Result<Body> parse_body(Bytes bytes);

// Writes a message from front to back: options in ascending order, then payload() or finish().
class MessageWriter {
  public:
    // Precondition: header.token.size() <= kTokenSizeMax.
    MessageWriter(MutBytes out, const Header& header);
    // A body without header.
    MessageWriter(MutBytes out, Code code);

    OptionWriter& options() { return options_; }
    // Puts the marker and the payload, unless it is empty.
    MessageWriter& payload(Bytes payload);
    // Room for a payload of this size, which the caller fills. Precondition: size > 0.
    MutBytes reserve_payload(std::size_t size);
    // Error::NoSpace if anything did not fit.
    Result<Bytes> finish() const { return out_.finish(); }

  private:
    Writer out_;
    OptionWriter options_{out_};
};

// An Empty message: an acknowledgement or a Reset.
std::array<std::uint8_t, 4> empty_message(Type type, std::uint16_t id);

}  // namespace sotto::coap
