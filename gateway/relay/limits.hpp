// SPDX-License-Identifier: Apache-2.0
// Every size and time of a gateway.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/time.hpp"
#include "core/framing/limits.hpp"

namespace sotto::gateway::relay {

inline constexpr std::size_t kLinksMax = 64;   // devices at the same time
inline constexpr std::size_t kCloudsMax = 8;   // in the allow-list
inline constexpr std::size_t kHoldsMax = 256;  // places that are left alone for now
inline constexpr std::size_t kGraceMax = 64;   // devices that were without an owner a moment ago

// Frames of one link. Towards the device no more than the credit of the cloud can wait.
inline constexpr std::size_t kToDeviceQueueMax = framing::kUplinkCreditMax;
inline constexpr std::size_t kToCloudQueueMax = 64;  // more than that is dropped
inline constexpr std::size_t kInAirMax = 8;          // given to the air and not yet sent
// ATTACH frames of one connection that changed something; a device that sends more is let go.
inline constexpr std::uint32_t kAttachesMax = 64;

// Tags that one cloud may give; more are not taken. And how long one may last.
inline constexpr std::size_t kTagsMax = 20'480;
inline constexpr Duration kTagLifeMax = minutes(6 * 60);

// What all links together may hold: 64 x (256 + 64 + 8) frames of 1280 bytes are 26.9 MB.
inline constexpr std::size_t kFrameBytesMax =
    kLinksMax * (kToDeviceQueueMax + kToCloudQueueMax + kInAirMax) * framing::kFrameSizeMax;
static_assert(kFrameBytesMax < 32 * 1024 * 1024);

// A device must say who it is within this time.
inline constexpr Duration kAttachTimeMax = seconds(10);
// RELEASE: without messages for so long a link is idle, and the wish is forgotten after so long.
inline constexpr Duration kIdleTime = milliseconds(500);
inline constexpr Duration kReleaseWishTime = seconds(10);
inline constexpr Duration kStayAwayMax = minutes(5);
// A device that got its owner through a cloud may stay with it for so long without naming one.
inline constexpr Duration kGraceTime = minutes(2);

// How long a device is left alone after...
inline constexpr Duration kStayAwayNotServed = seconds(15);    // ...it named a cloud we don't serve
inline constexpr Duration kStayAwayNotAdmitted = seconds(60);  // ...it is none that we serve
inline constexpr Duration kStayAwayMisbehaved = seconds(30);
inline constexpr Duration kStayAwayFull = seconds(5);

// Between attempts, doubled each time, with up to half of it taken off by chance.
inline constexpr Duration kUplinkBackoffMin = milliseconds(500);
inline constexpr Duration kUplinkBackoffMax = seconds(30);
inline constexpr Duration kPlaceBackoffMin = milliseconds(500);
inline constexpr Duration kPlaceBackoffMax = seconds(30);

// The TCP connection and then the answer to HELLO must come within this time each.
inline constexpr Duration kConnectTimeMax = seconds(10);
inline constexpr Duration kWelcomeTimeMax = seconds(10);
// [UPL-41]: silence for so many ping intervals ends a connection.
inline constexpr std::int64_t kSilentIntervalsMax = 3;

}  // namespace sotto::gateway::relay
