// SPDX-License-Identifier: Apache-2.0
// Where a message came from and where its answer goes. Channels route; they never authorise.
#pragma once

#include <compare>
#include <cstdint>

namespace sotto::session {

struct Channel {
    static constexpr std::uint8_t kAir = 0;       // the link of the one central
    static constexpr std::uint8_t kFirstUdp = 1;  // CoAP/UDP peers, numbered by the host

    std::uint8_t path = kAir;
    std::uint16_t label = 0;  // on the air: 0 is the central itself, others are the relay's

    bool is_direct_air() const { return path == kAir && label == 0; }
    bool is_relay() const { return path == kAir && label != 0; }
    friend auto operator<=>(const Channel&, const Channel&) = default;
};

}  // namespace sotto::session
