// SPDX-License-Identifier: Apache-2.0
// Frames: what a device and a central say to each other (docs/protocol/air.md). No allocation;
// parsed frames point into the caller's bytes.
#pragma once

#include <array>
#include <string_view>
#include <variant>

#include "core/base/bytes.hpp"
#include "core/base/reader.hpp"
#include "core/base/result.hpp"
#include "core/base/strong.hpp"
#include "core/base/writer.hpp"
#include "core/framing/limits.hpp"

namespace sotto::framing {

// The first 12 bytes of the SHA-256 of a device's credential.
using DeviceId = std::array<std::uint8_t, kDeviceIdSize>;
// SHA-256 of a credential.
using CredentialHash = std::array<std::uint8_t, kCredentialHashSize>;

// Whom a message comes from or goes to behind the central. Labels route; they authorise nothing.
using Label = Strong<std::uint16_t, struct LabelTag>;
inline constexpr Label kLabelNearby{0};  // the central itself: an app nearby
inline constexpr Label kLabelCloud{1};   // the cloud's own session

// A CoAP message of 1 to kMessageSizeMax bytes, which nobody on the way looks into.
struct Message {
    Label label;
    Bytes message;
};

// A device introduces itself, at once after the subscription and again when something changes.
struct Attach {
    bool has_owner = false;
    DeviceId device_id{};
    std::string_view address{};         // "host:port" of its cloud; empty: it names none
    CredentialHash cloud_credential{};  // only with an address
};

// A device asks: leave me when we are idle and stay away this long; another central wants in.
struct Release {
    std::uint16_t seconds = 0;
};

using Frame = std::variant<Message, Attach, Release>;

// Error::Truncated, Error::Malformed (trailing bytes, reserved flags, a text that is none),
// Error::TooLarge, Error::Unsupported (unknown type or version). Strict.
Result<Frame> parse_frame(Bytes bytes);

// The frame at the front of `out`. Error::InvalidArgument for what parse_frame would not take,
// Error::NoSpace if `out` is too small; kFrameSizeMax is always enough.
Result<Bytes> encode_frame(MutBytes out, const Frame& frame);

// The body of an ATTACH frame, which LINK_UP of the uplink carries too. It must end with `reader`.
Result<Attach> parse_attach(Reader& reader);
// Error::InvalidArgument as above; overflow stays in the writer.
Status write_attach(Writer& writer, const Attach& attach);

}  // namespace sotto::framing
