// SPDX-License-Identifier: Apache-2.0
// Every size, count and time of the gateway's end of the bluz service (docs/protocol/bluz.md).
#pragma once

#include <cstddef>
#include <cstdint>

#include "air/bluz/limits.hpp"
#include "air/bluz/service.hpp"
#include "core/base/time.hpp"

namespace sotto::gateway::bluz {

using air::bluz::kFrameSizeMax;
using air::bluz::kServiceHeaderSize;
using air::bluz::kStreamHeaderSize;
using air::bluz::kValueSizeMax;

// Of the server's bytes in one frame to a device, and as long as it may not have read them yet.
inline constexpr std::size_t kPieceSizeMax = 960;
inline constexpr std::size_t kLocalSizeMax = 512;  // custom data in one frame, either way
static_assert(kStreamHeaderSize + kPieceSizeMax <= kFrameSizeMax);
static_assert(kServiceHeaderSize + kLocalSizeMax <= kFrameSizeMax);

inline constexpr std::size_t kDevicesMax = 32;                         // at the same time
inline constexpr std::size_t kFromServerBytesMax = 2 * kPieceSizeMax;  // read and not yet passed on
inline constexpr std::size_t kToServerBytesMax = 8 * 1'024;            // likewise
inline constexpr std::size_t kLocalAppsMax = 4;                        // connected to one device
inline constexpr std::size_t kLocalQueueMax = 4;    // custom data that waits for the device
inline constexpr std::size_t kValuesInAirMax = 16;  // given to the air and not yet sent
inline constexpr std::uint32_t kNonsenseMax = 16;   // frames of no service, then it is let go

// What all devices together may hold, in bytes: 32 x (2 x 1024 + 1920 + 8192 + 4 x 513).
inline constexpr std::size_t kBytesMax =
    kDevicesMax * (2 * kFrameSizeMax + kFromServerBytesMax + kToServerBytesMax +
                   kLocalQueueMax * (kServiceHeaderSize + kLocalSizeMax));
static_assert(kBytesMax < 512 * 1'024);

// A device must have said its id or asked for a stream within this time.
inline constexpr Duration kIntroductionTimeMax = seconds(10);
// It is asked for its id so often, and so many times.
inline constexpr Duration kIdInterval = seconds(3);
inline constexpr std::uint32_t kIdAskedMax = 3;
// After so long without a value to it a device has read what it got.
inline constexpr Duration kDrainTime = milliseconds(250);
// The server must take a stream within this time; then it is tried again, later each time.
inline constexpr Duration kOpenTimeMax = seconds(10);
inline constexpr Duration kOpenBackoffMin = milliseconds(500);
inline constexpr Duration kOpenBackoffMax = seconds(30);
// A device that asks for a stream while it has one gets the next after this time.
inline constexpr Duration kReopenDelay = seconds(1);

// A stream that lasted so long counts as a success.
inline constexpr Duration kSettledTime = seconds(60);

// How long a device is left alone after...
inline constexpr Duration kStayAwayMisbehaved = seconds(30);
inline constexpr Duration kStayAwayNotAdmitted = seconds(60);
inline constexpr Duration kStayAwayFull = seconds(5);

}  // namespace sotto::gateway::bluz
