// SPDX-License-Identifier: Apache-2.0
// A rate limit: so many at once, then one in each interval. No allocation, no clock.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/time.hpp"

namespace sotto {

struct Rate {
    std::uint32_t burst = 1;
    Duration refill = seconds(1);  // for one token
};

class TokenBucket {
  public:
    // Full at `start`.
    explicit TokenBucket(Rate rate, Instant start = {})
        : rate_(rate), tokens_(rate.burst), filled_at_(start) {}

    // Takes a token; false if there is none. A clock that stands or goes back fills nothing.
    bool take(Instant now) {
        fill(now);
        if (tokens_ == 0) return false;
        --tokens_;
        return true;
    }

  private:
    void fill(Instant now) {
        if (now <= filled_at_) return;
        const std::int64_t count = (now - filled_at_).ms / rate_.refill.ms;
        if (tokens_ + count >= rate_.burst) {
            tokens_ = rate_.burst;
            filled_at_ = now;  // a full bucket saves up no time
        } else {
            tokens_ += static_cast<std::uint32_t>(count);
            filled_at_ = filled_at_ + Duration{count * rate_.refill.ms};
        }
    }

    Rate rate_;
    std::uint32_t tokens_;
    Instant filled_at_;
};

}  // namespace sotto
