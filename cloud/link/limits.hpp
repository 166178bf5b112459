// SPDX-License-Identifier: Apache-2.0
// Every limit of the cloud's own sessions with devices, in one table, with what happens at it.
#pragma once

#include <cstddef>

#include "core/base/time.hpp"

namespace sotto::cloud::link {

// Attaching.
inline constexpr std::size_t kAskedMax = 1'024;  // devices at a time; then the next wait

// As a guest of a device.
inline constexpr std::size_t kGuestJobsMax = 32;            // under way and waiting; then Busy
inline constexpr Duration kGuestPatience = seconds(30);     // for an answer; then TimedOut
inline constexpr Duration kWatchAgainAfter = seconds(30);   // where a device fell silent
inline constexpr std::size_t kGuestAnswerSizeMax = 16'384;  // then TooLarge

}  // namespace sotto::cloud::link
