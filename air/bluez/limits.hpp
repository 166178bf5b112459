// SPDX-License-Identifier: Apache-2.0
// Every size, count and time of the air over BlueZ (docs/protocol/air.md, "Over Bluetooth LE").
#pragma once

#include <cstddef>

#include "core/base/time.hpp"

namespace sotto::air::bluez {

// bluetoothd as a server refuses values over 510 bytes: requests aloud, commands in silence.
inline constexpr std::size_t kBearerValueSizeMax = 510;
inline constexpr std::size_t kAttHeaderSize = 3;      // of a write or notification in the ATT_MTU
inline constexpr std::size_t kQueuedFramesMax = 32;   // to be sent, of one link
inline constexpr std::size_t kObjectsMax = 4'096;     // of BlueZ's that are looked at
inline constexpr std::size_t kConnectingMax = 4;      // links that come about at the same time
inline constexpr std::size_t kEarlyValuesMax = 16;    // that overtook one another, of one link
inline constexpr std::size_t kValuesReadMax = 32;     // from a socket at once
inline constexpr int kSocketBufferSize = 16 * 1'024;  // what the kernel keeps of values to send
inline constexpr std::size_t kPacesMax = 64;          // of links that are remembered
inline constexpr std::size_t kIdleProxiesMax = 64;    // of objects that were called once

// A link must be connected, its services known, and its sockets there within these times.
inline constexpr Duration kConnectTimeMax = seconds(25);
inline constexpr Duration kResolveTimeMax = seconds(20);
inline constexpr Duration kAcquireTimeMax = seconds(10);
// A device that takes no value for so long is taken for dead.
inline constexpr Duration kStallTimeMax = seconds(30);
// A central that holds a device and says nothing at all is let go after so long.
inline constexpr Duration kSilenceTimeMax = minutes(10);
// What the controller makes of the pace that a link shall have is waited for so long.
inline constexpr Duration kPaceTimeMax = seconds(10);
// A value that is missing is waited for so long, if later ones have come.
inline constexpr Duration kGapTimeMax = milliseconds(500);
// After a call that failed it is made again; later each time.
inline constexpr Duration kCallBackoffMin = milliseconds(250);
inline constexpr Duration kCallBackoffMax = seconds(15);
// BlueZ says that it is looking around so soon after it was told to.
inline constexpr Duration kDiscoveringTimeMax = seconds(5);
// For a new advertisement, a link of before is waited for so long.
inline constexpr Duration kLeaveTimeMax = seconds(10);
// A device without a name may still be going to say one, or its tag, for so long.
inline constexpr Duration kNameTimeMax = seconds(3);
inline constexpr Duration kTick = milliseconds(100);

}  // namespace sotto::air::bluez
