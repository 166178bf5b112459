// SPDX-License-Identifier: Apache-2.0
// A token bucket. No allocation, no clock.
#pragma once

#include <algorithm>

#include "core/base/time.hpp"

namespace sotto::session {

struct Rate {
    std::uint32_t burst = 1;
    Duration refill = seconds(1);  // for one token
};

class TokenBucket {
  public:
    explicit TokenBucket(Rate rate) : rate_(rate), tokens_(rate.burst) {}

    // Takes a token; false if there is none.
    bool take(Instant now) {
        refill(now);
        if (tokens_ == 0) return false;
        --tokens_;
        return true;
    }

  private:
    void refill(Instant now) {
        if (tokens_ >= rate_.burst || now < since_) {
            since_ = now;
            return;
        }
        const std::int64_t count = (now - since_).ms / rate_.refill.ms;
        tokens_ += static_cast<std::uint32_t>(std::min<std::int64_t>(count, rate_.burst - tokens_));
        since_ = tokens_ == rate_.burst ? now : since_ + Duration{count * rate_.refill.ms};
    }

    Rate rate_;
    std::uint32_t tokens_;
    Instant since_{};
};

}  // namespace sotto::session
