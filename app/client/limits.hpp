// SPDX-License-Identifier: Apache-2.0
// Limits of what an app remembers, for each device. Choices of ours.
#pragma once

#include <cstddef>

namespace sotto::app {

inline constexpr std::size_t kOutboxMax = 64;     // deferred commands; the oldest that ended goes
inline constexpr std::size_t kGuestsMax = 4'096;  // who can't come any more makes room

}  // namespace sotto::app
