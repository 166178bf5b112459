// SPDX-License-Identifier: Apache-2.0
// A gateway or an app on the air: the GATT client as we use it, in whole frames; for a device with
// the bluz service in values as they are (docs/protocol/air.md). Implementations run in the thread
// of their event loop and never block.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/framing/air_operation.hpp"
#include "core/framing/frame.hpp"
#include "core/framing/tag.hpp"

namespace sotto::air {

// Where a device can be found; what it means is the business of the air (here, a socket's path).
using Place = std::string;

// What a device says about itself to everybody. Nothing of it is proved.
struct Sighting {
    Place place;
    framing::DeviceId device_id{};      // zeros for the bluz service
    std::string name{};                 // of a device without owner
    std::optional<framing::Tag> tag{};  // of one with an owner that knows the time
    bool has_owner = false;
    bool is_busy = false;  // another central holds it
    framing::Service service = framing::Service::Sotto;
};

// The name that is advertised, or the tag that takes its place [AIR-70].
inline void set_advertised_name(Sighting& sighting, std::string_view name) {
    sighting.tag = framing::tag_of(name);
    if (!sighting.tag && name != framing::kNoTagName) sighting.name = name;
}

// Why a link ended or never came about.
enum class Disconnect : std::uint8_t {
    Busy,      // another central holds the device; it has been asked to let go
    Closed,    // by the device
    NotFound,  // nobody there
    Timeout,   // no advertisement, or no progress in sending
};

// What a link reports. Calls come from the event loop, never from within a call of ours; none after
// the link has been destroyed.
class LinkHandler {
  public:
    // The device is there and subscribed to; ATTACH follows as its first frame, if it is ours.
    virtual void on_connected(const Sighting& sighting) = 0;
    // A whole frame, valid during the call. Any bytes: parse it.
    virtual void on_frame(Bytes frame) = 0;
    // A value of the bluz service, likewise.
    virtual void on_value(Bytes /*value*/) {}
    // So many of send() and write() have left; there is room again.
    virtual void on_sent(std::size_t /*frame_count*/) {}
    // Something came that is no part of a frame, and was dropped: said once in a link.
    virtual void on_dropped() {}
    // The last call.
    virtual void on_disconnected(Disconnect why) = 0;

  protected:
    ~LinkHandler() = default;  // owned by the caller
};

// One connection to one device. Destroying it closes it.
class Link {
  public:
    virtual ~Link() = default;

    // Queues a copy of the frame. Error::WrongState before on_connected() and after
    // on_disconnected(), Error::Busy when the queue is full (on_sent() follows),
    // Error::InvalidArgument or Error::TooLarge for what is no frame.
    virtual Status send(Bytes frame) = 0;
    // The same for a value of the bluz service; Error::WrongState for another one.
    virtual Status write(Bytes value) = 0;
};

// How often a radio shall turn to a device, and how many of these turns the device may skip.
struct Pace {
    std::uint32_t interval_min_ms = 0;
    std::uint32_t interval_max_ms = 0;
    std::uint16_t latency = 0;
};
inline constexpr std::uint32_t kIntervalMsMin = 8;  // 7.5, in fact
inline constexpr std::uint32_t kIntervalMsMax = 4'000;
inline constexpr std::uint16_t kLatencyMax = 499;
// A link is lost after so long at most, which must be more than two turns.
inline constexpr std::uint32_t kLinkTimeoutMsMax = 32'000;
constexpr bool is_possible(const Pace& pace) {
    return pace.interval_min_ms >= kIntervalMsMin && pace.interval_min_ms <= pace.interval_max_ms &&
           pace.interval_max_ms <= kIntervalMsMax && pace.latency <= kLatencyMax &&
           2 * (1U + pace.latency) * pace.interval_max_ms < kLinkTimeoutMsMax;
}

// The pace that a link has.
struct Granted {
    std::uint32_t interval_us = 0;
    std::uint16_t latency = 0;
};
// Of a link for which one was asked.
struct LinkPace {
    std::optional<Granted> granted{};
    std::string trouble{};  // why not
};

// What an air knows of a link beyond its frames.
struct LinkQuality {
    std::optional<std::int64_t> rssi{};  // in dBm
    std::size_t value_size = 0;
    LinkPace pace{};
};

// A radio that a central uses.
struct Radio {
    std::string name;
    bool is_scanning = false;
    std::string trouble{};  // why it does not, as far as it has said
};

class Central {
  public:
    virtual ~Central() = default;

    virtual std::vector<Radio> radios() const { return {}; }
    // Why there is no air at all; empty while there is one.
    virtual std::string outage() const { return {}; }
    // While a link ends: what is known about why, beyond the kind of its end.
    virtual std::string trouble(const Place& /*place*/) const { return {}; }
    // Nothing if it is not connected, or not known here.
    virtual std::optional<LinkQuality> quality(const Place& /*place*/) const { return {}; }

    // Asks for a pace of the link to a device that is connected. Where the air has none, or may not
    // set it, that changes nothing; quality() says what came of it.
    virtual void set_pace(const Place& /*place*/, const Pace& /*pace*/) {}
    // From now on only devices of which that is true are there, by their tag or for want of one,
    // and all that have the bluz service. Nothing: everybody.
    using IsWelcome = std::function<bool(const std::optional<framing::Tag>& tag)>;
    virtual void set_is_welcome(IsWelcome is_welcome) = 0;

    // Where devices may be, without disturbing them.
    virtual std::vector<Place> places() = 0;
    // False: as many links come about as can at the same time, but for `kept_free`.
    virtual bool may_connect(std::size_t /*kept_free*/) const { return true; }

    // Asks everybody in reach who they are, for at most `limit`. A device that is held by another
    // central takes that as a wish to get in (see RELEASE in the document). `is_wanted` ends it
    // early; empty: everybody is.
    using ScanDone = std::function<void(std::vector<Sighting>)>;
    using IsWanted = std::function<bool(const Sighting&)>;
    virtual void scan(Duration limit, IsWanted is_wanted, ScanDone done) = 0;

    // Connects and subscribes. While the device is busy it is asked again, for `patience` at most.
    // `handler` must live as long as the link.
    virtual std::unique_ptr<Link> connect(const Place& place,
                                          LinkHandler& handler,
                                          Duration patience) = 0;
};

}  // namespace sotto::air
