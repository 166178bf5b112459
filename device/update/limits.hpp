// SPDX-License-Identifier: Apache-2.0
// The limits of a firmware's update, in one table (docs/protocol/session.md).
#pragma once

#include "core/base/time.hpp"

namespace sotto::update {

// An image on trial has so long to be reached by its owner.
inline constexpr Duration kTrialLifetime = minutes(10);
// Between the answer to an installation and the restart.
inline constexpr Duration kRestartDelay = milliseconds(500);

}  // namespace sotto::update
