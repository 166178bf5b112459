// SPDX-License-Identifier: Apache-2.0
// The sizes and times of the virtual air that are not on the wire.
#pragma once

#include <chrono>
#include <cstddef>

namespace sotto::air {

inline constexpr std::size_t kOutgoingFramesMax = 32;  // queued in one direction of one link
inline constexpr std::size_t kReadSize = 4'096;        // bytes taken from a socket at once
inline constexpr std::size_t kVisitorsMax = 16;        // centrals that look but have not subscribed
inline constexpr std::size_t kPlacesMax = 1'024;       // sockets looked at in one folder
inline constexpr std::size_t kKnocksMax = 32;          // at the same time, in a scan

// A central that only looks is gone by then; so is a device that does not say what it is.
inline constexpr std::chrono::milliseconds kVisitTimeMax{5'000};
inline constexpr std::chrono::milliseconds kAdvertisementTimeMax{2'000};
// A peer that takes no byte for so long is taken for dead.
inline constexpr std::chrono::milliseconds kStallTimeMax{30'000};
// Between two questions to a busy device, and between two RELEASE to its central.
inline constexpr std::chrono::milliseconds kKnockInterval{250};
inline constexpr std::chrono::milliseconds kReleaseInterval{1'000};
inline constexpr std::chrono::milliseconds kAcceptRetryDelay{100};

}  // namespace sotto::air
