// SPDX-License-Identifier: Apache-2.0
// CoAP messages with the header of RFC 7252 §3, and the bodies (code, options, payload) that OSCORE
// carries in its plaintext. No allocation; views into the caller's bytes.
#pragma once

#include <array>

#include "core/coap/code.hpp"
#include "core/coap/option.hpp"

namespace sotto::coap {

inline constexpr std::size_t kTokenSizeMax = 8;
inline constexpr std::size_t kHeaderSize = 4;  // without the token

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
    Bytes token = {};
};

// Options that have been checked: iterating cannot fail.
class Options {
  public:
    class Iterator {
      public:
        using value_type = Option;
        using difference_type = std::ptrdiff_t;

        explicit Iterator(Bytes encoded);
        const Option& operator*() const { return current_; }
        const Option* operator->() const { return &current_; }
        Iterator& operator++();
        bool operator==(std::default_sentinel_t) const { return is_at_end_; }

      private:
        OptionReader reader_;
        Option current_;
        bool is_at_end_ = false;
    };

    Options() = default;
    // Error::Malformed, Truncated. A payload marker may not be among them.
    static Result<Options> parse(Bytes encoded);

    Iterator begin() const { return Iterator{encoded_}; }
    std::default_sentinel_t end() const { return {}; }
    Bytes encoded() const { return encoded_; }

    // The value of the n-th option of this number, counted from 0; nothing if there is none.
    std::optional<Bytes> find(OptionNumber number, std::size_t n = 0) const;
    // Its value as a uint; nothing if there is none or it is longer than 4 bytes.
    std::optional<std::uint32_t> find_uint(OptionNumber number) const;
    // The same, smaller on a Cortex-M0: false, and `value` as it was, if there is none.
    bool find(OptionNumber number, Bytes& value, std::size_t n = 0) const;
    bool find_uint(OptionNumber number, std::uint32_t& value) const;
    bool has(OptionNumber number) const { return count(number) > 0; }
    // The n-th Uri-Path segment or Uri-Query, and so on, counted from 0.
    std::optional<std::string_view> find_text(OptionNumber number, std::size_t n) const;
    std::size_t count(OptionNumber number) const;
    // Whether the Uri-Path segments are those of "/a/b"; "/" for none.
    bool path_is(std::string_view path) const;
    // The first critical option that is not among `understood`, or has a size that it must not have
    // (RFC 7252 §5.4.3), or is repeated and must not be (§5.4.5): the answer to a request that has
    // one is 4.02, and a response that has one is rejected (§5.4.1).
    std::optional<OptionNumber> find_bad_critical(std::span<const OptionNumber> understood) const;

  private:
    friend struct Contents;
    explicit Options(Bytes encoded) : encoded_(encoded) {}

    Bytes encoded_;
};

// What stands behind the code, or the token.
struct Contents {
    // Error::Malformed, Truncated; `contents` is then void.
    static Status parse(Bytes bytes, Contents& contents);

    Options options;
    Bytes payload = {};
};

// Code, options and payload: what a message says, however it came.
struct Body : Contents {
    Code code = Code::Empty;
};

struct Message : Contents {
    Header header;
};

// A whole message. Error::Truncated, Malformed: also what no message may be by its type or code
// (RFC 7252 §4.1 to §4.3: an Empty message with anything after its header or sent Non-confirmable,
// a Reset that is not Empty, a request in an Acknowledgement, a reserved class of codes), a payload
// marker without payload, and options that do not add up.
// The one that it fills is void after an error.
Status parse_message(Bytes bytes, Message& message);
Result<Message> parse_message(Bytes bytes);

// An Empty message: an Acknowledgement or a Reset.
using EmptyMessage = std::array<std::uint8_t, kHeaderSize>;
EmptyMessage empty_message(Type type, std::uint16_t id);

// How to reject a message that parse_message() refuses or that nobody understands (RFC 7252 §4.2,
// §4.3): with a Reset if it can be read as Confirmable, otherwise in silence. It is also the answer
// to a ping, an Empty Confirmable message.
std::optional<EmptyMessage> rejection_of(Bytes message);

// The answer 4.13 to a request that is larger than can be taken, and of which `front` has come.
// Empty if it gets none: it is not Confirmable, or no request.
Bytes refuse_too_large(Bytes front, MutBytes out);

// The plaintext of OSCORE (RFC 8613 §5.3): code, options, payload. Errors as above.
Status parse_body(Bytes bytes, Body& body);
Result<Body> parse_body(Bytes bytes);

// Writes a message from front to back: options in ascending order, then payload() or finish().
class MessageWriter {
  public:
    // Precondition: header.token.size() <= kTokenSizeMax.
    MessageWriter(MutBytes out, const Header& header);
    // A body without header.
    MessageWriter(MutBytes out, Code code);
    MessageWriter(const MessageWriter&) = delete;  // options_ points to out_
    MessageWriter& operator=(const MessageWriter&) = delete;

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

}  // namespace sotto::coap
