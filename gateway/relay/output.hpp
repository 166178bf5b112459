// SPDX-License-Identifier: Apache-2.0
// What the relay wants done, in this order.
#pragma once

#include <cstdint>
#include <deque>
#include <variant>
#include <vector>

#include "core/base/strong.hpp"
#include "core/base/time.hpp"
#include "core/framing/frame.hpp"
#include "core/framing/uplink.hpp"

namespace sotto::gateway::relay {

using framing::uplink::LinkId;
// The index of a cloud in the allow-list; 0 is the default.
using CloudId = Strong<std::uint8_t, struct CloudIdTag>;

// Why a device is let go.
enum class Close : std::uint8_t {
    Full,         // kLinksMax devices are here already
    Misbehaved,   // it did not say who it is, or said it too often
    NotAdmitted,  // it is none of the devices that are named
    NotServed,    // it belongs to a cloud that is not in the allow-list, or to none
    Released,     // it or its cloud asked for it, and it was idle
};

// Why a connection to a cloud is closed.
enum class Break : std::uint8_t {
    CreditExceeded,  // more messages than were granted
    Malformed,       // something that is not the protocol
    NoWelcome,       // HELLO was not answered in time
    NotConnected,    // the TCP connection did not come about in time
    Refused,         // by the cloud, see CloudRefused
    Silent,          // nothing came for three ping intervals
};

// To be done. The connection is answered by on_uplink_up() or on_uplink_down(), and whenever one
// is closed, for CloseCloud too, on_uplink_down() follows.
struct ConnectCloud {
    CloudId cloud;
};
struct CloseCloud {
    CloudId cloud;
    Break why;
};
struct SendToCloud {
    CloudId cloud;
    std::vector<std::uint8_t> record;  // ready for the wire
};
struct SendToDevice {
    LinkId link;
    std::vector<std::uint8_t> frame;  // on_sent() is to follow
};
// The link is forgotten already; nothing needs to follow.
struct CloseLink {
    LinkId link;
    Close why;
    Duration stay_away;
};

// To be told: for the log alone.
struct CloudWelcomed {
    CloudId cloud;
};
struct CloudRefused {
    CloudId cloud;
    framing::uplink::Reason reason;
};
struct DeviceOffered {
    LinkId link;
    framing::DeviceId device_id;
    CloudId cloud;
};

using Output = std::variant<ConnectCloud,
                            CloseCloud,
                            SendToCloud,
                            SendToDevice,
                            CloseLink,
                            CloudWelcomed,
                            CloudRefused,
                            DeviceOffered>;
using Outputs = std::deque<Output>;

}  // namespace sotto::gateway::relay
