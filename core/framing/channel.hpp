// SPDX-License-Identifier: Apache-2.0
// The app channel: what an app and a cloud say to each other, one record in each binary WebSocket
// message (docs/protocol/channel.md). No allocation; parsed records point into the caller's bytes.
#pragma once

#include <variant>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/strong.hpp"
#include "core/framing/frame.hpp"
#include "core/framing/limits.hpp"

namespace sotto::framing::channel {

// The app's number for a SEND, to match its OUTCOME.
using Reference = Strong<std::uint32_t, struct ReferenceTag>;
// The cloud's number of a stored delivery; 0: not stored, to be acknowledged by nobody.
using Sequence = Strong<std::uint64_t, struct SequenceTag>;

enum class Side : std::uint8_t { App, Cloud };

enum class OutcomeCode : std::uint8_t {
    HandedOn = 0,
    Stored = 1,
    NotConnected = 2,
    NotPermitted = 3,
    RateLimited = 4,
    MailboxFull = 5,
    TooLarge = 6,
};

struct Send {
    Reference reference;
    DeviceId device_id{};
    std::uint32_t lifetime_s = 0;  // 0: only if the device is connected now, and never stored
    Bytes message;                 // 1 to kMessageSizeMax bytes
};
struct Outcome {
    Reference reference;
    OutcomeCode code = OutcomeCode::HandedOn;
};
struct Deliver {
    Sequence sequence;
    DeviceId device_id{};
    Bytes message;  // 1 to kMessageSizeMax bytes
};
struct Ack {
    Sequence sequence;  // at least 1
};
struct State {
    DeviceId device_id{};
    bool is_connected = false;
};
enum class Fate : std::uint8_t {
    Expired = 1,  // its lifetime was over before the device took it
    Dropped = 2,  // the device was given to another account
};
// What became of a stored SEND that was not handed on. Kept and acknowledged like a Deliver.
struct Notice {
    Sequence sequence;  // at least 1
    DeviceId device_id{};
    Reference reference;
    Fate fate = Fate::Expired;
};
// All that was stored for the app has been sent to it.
struct CaughtUp {
    Sequence sequence;  // the last of it in this channel; 0: there was nothing
};

using Record = std::variant<Send, Outcome, Deliver, Ack, State, Notice, CaughtUp>;

// A record as `sender` may send it. Error::Truncated, Error::Malformed, Error::TooLarge (a message
// over kMessageSizeMax), Error::Unsupported (unknown type), Error::WrongState (not from this side).
Result<Record> parse_record(Bytes bytes, Side sender);

// The bytes for one WebSocket message. Error::InvalidArgument for what the parser would not take,
// Error::NoSpace if `out` is too small; kChannelRecordSizeMax is always enough.
Result<Bytes> encode_record(MutBytes out, const Record& record);

}  // namespace sotto::framing::channel
