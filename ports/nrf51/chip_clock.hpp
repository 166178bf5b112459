// SPDX-License-Identifier: Apache-2.0
// Milliseconds since power came, from TIMER0.
#pragma once

#include "core/base/time.hpp"

namespace sotto::ports {

class ChipClock {
  public:
    ChipClock();

    // To be asked at least once in 38 hours.
    Instant now();
    // Wakes the processor after so long, if nothing else does before. At most an hour.
    void wake_in(Duration duration);

  private:
    Instant whole_{};         // as of the last time it was asked,
    std::uint32_t rest_ = 0;  // and so many ticks
    std::uint32_t last_ = 0;
};

}  // namespace sotto::ports
