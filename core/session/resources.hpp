// SPDX-License-Identifier: Apache-2.0
// What a device offers behind the sealed channel, as the server sees it. The SDK implements it.
#pragma once

#include <string_view>

#include "core/base/result.hpp"
#include "core/session/excerpt.hpp"

namespace sotto::session {

enum class ResourceKind : std::uint8_t { Function, Variable, Event };
// The first segments of "/f/NAME" and so on, in this order.
inline constexpr std::array<std::uint8_t, 3> kKindLetters{'f', 'v', 'e'};

// CoAP Content-Formats (RFC 7252 §12.3, RFC 8949 §9.4).
// NOLINTNEXTLINE(performance-enum-size): it takes any value that a peer sends
enum class Format : std::uint16_t { Text = 0, Link = 40, Cbor = 60 };

struct Content {
    Format format = Format::Text;
    Bytes payload;
};

struct Traits {
    std::uint8_t index = 0;      // of its kind
    bool is_idempotent = false;  // a function whose repetition does no harm
    // Where an argument over one message is put together, and such a result kept until it has been
    // fetched; at most kBodySizeMax. Empty: a function has neither. Two that share it take turns.
    MutBytes room = {};
};

// Each may answer more than fits one message: an Excerpt keeps what is to be shown.
class Resources {
  public:
    // False if there is no such resource. `traits` is as new.
    virtual bool find(ResourceKind kind, std::string_view name, Traits& traits) const = 0;

    // Runs a function, whose result comes in the format asked for. The argument may lie in the
    // function's room. Error::InvalidArgument: the function refuses the argument;
    // Error::Unsupported: a format it does not take.
    virtual Status call(std::uint8_t function,
                        const Content& argument,
                        Format wanted,
                        Excerpt& out) = 0;

    // Reads a variable. Errors as above.
    virtual Status read(std::uint8_t variable, Format wanted, Excerpt& out) = 0;

    // The list of resources in CoRE Link Format (RFC 6690).
    virtual Status describe(Excerpt& out) const = 0;

  protected:
    ~Resources() = default;
};

}  // namespace sotto::session
