// SPDX-License-Identifier: Apache-2.0
// The cloud's clock. No allocation, no blocking.
#pragma once

#include "core/base/time.hpp"
#include "ports/linux/system_clock.hpp"

namespace sotto::cloud::server {

// Counts from 1970, for stored instants outlive the process, and rises steadily, whatever somebody
// does to the clock of the machine meanwhile.
class SteadyClock {
  public:
    SteadyClock()
        : origin_(Instant{} + seconds(ports::SystemClock::unix_seconds()) -
                  (ports::SystemClock::now() - Instant{})) {}
    Instant now() const { return origin_ + (ports::SystemClock::now() - Instant{}); }

  private:
    Instant origin_;
};

}  // namespace sotto::cloud::server
