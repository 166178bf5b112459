// SPDX-License-Identifier: Apache-2.0
// The uplink: what a gateway and a cloud say to each other on one TCP connection
// (docs/protocol/uplink.md). No allocation; parsed records point into the caller's or the
// splitter's bytes.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <variant>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/strong.hpp"
#include "core/framing/frame.hpp"
#include "core/framing/limits.hpp"
#include "core/framing/tag.hpp"

namespace sotto::framing::uplink {

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::uint8_t kTagsVersion = 1;

// The gateway's number for a link to a device; never used twice on one connection.
using LinkId = Strong<std::uint32_t, struct LinkIdTag>;

// Who said it.
enum class Side : std::uint8_t { Gateway, Cloud };

enum class Reason : std::uint8_t { BadToken = 1, Version = 2, Full = 3 };

struct Hello {
    std::string_view token;  // 1 to kTokenSizeMax visible ASCII characters
};
struct Welcome {
    std::uint16_t credit = 0;           // for each new link and direction; 1 to kUplinkCreditMax
    std::uint16_t ping_interval_s = 0;  // at least 1
};
struct Refused {
    Reason reason = Reason::BadToken;
};
// The gateway connects to devices whose tags it is given, and to no others with tags.
struct TagsWanted {};
// Tags of devices that the gateway may serve, in one period.
struct Tags {
    bool is_first = false;           // all that were given before are void
    std::uint32_t unix_seconds = 0;  // the time at the cloud
    TagPeriod period = 0;
    Bytes tags{};  // one behind the other, kTagsPerRecordMax at most
};
struct LinkUp {
    LinkId link;
    Attach attach;
};
struct LinkDown {
    LinkId link;
};
struct Release {
    LinkId link;
    std::uint16_t seconds = 0;
};
struct Message {
    LinkId link;
    Label label;    // not kLabelNearby: that is the gateway itself, which has nothing to say
    Bytes message;  // 1 to kMessageSizeMax bytes
};
struct Credit {
    LinkId link;
    std::uint16_t count = 0;  // at least 1
};
struct Ping {
    std::uint32_t value = 0;
};
struct Pong {
    std::uint32_t value = 0;
};

using Record = std::variant<Hello,
                            Welcome,
                            Refused,
                            TagsWanted,
                            Tags,
                            LinkUp,
                            LinkDown,
                            Release,
                            Message,
                            Credit,
                            Ping,
                            Pong>;

// A record (type and body, without its size) as `sender` may send it. Every error ends the
// connection: Error::Truncated, Error::Malformed, Error::TooLarge, Error::Unsupported (unknown
// type, or a version that is not ours), Error::WrongState (not from this side).
Result<Record> parse_record(Bytes bytes, Side sender);

// The bytes for the wire, size included. Error::InvalidArgument for what the parser would not take,
// Error::NoSpace if `out` is too small; kUplinkBytesMax is always enough.
Result<Bytes> encode_record(MutBytes out, const Record& record);

// Cuts a stream into records.
class Splitter {
  public:
    // Takes bytes from the front of `input` up to the end of the next record and returns its type
    // and body, valid until the next call; nothing once all of the input is taken.
    // Error::Malformed for a size of 0 or over kUplinkRecordSizeMax, then and on every later call.
    Result<std::optional<Bytes>> next(Bytes& input);

  private:
    std::array<std::uint8_t, kUplinkBytesMax> bytes_{};
    std::size_t size_ = 0;
    std::size_t wanted_ = kUplinkSizeSize;
    bool failed_ = false;
};

}  // namespace sotto::framing::uplink
