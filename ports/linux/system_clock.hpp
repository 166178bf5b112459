// SPDX-License-Identifier: Apache-2.0
// The clocks of the system. No allocation, no blocking.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/time.hpp"

namespace sotto::ports {

class SystemClock {
  public:
    // Rises steadily, sleep of the machine included (CLOCK_BOOTTIME): a lifetime does not stretch
    // because a lid was closed.
    static Instant now();
    // Seconds since 1970 in UTC. It jumps when somebody sets the clock.
    static std::int64_t unix_seconds();
    // The same, if the kernel says that others keep its clock right (NTP).
    static std::optional<std::int64_t> synchronised_unix_seconds();
};

}  // namespace sotto::ports
