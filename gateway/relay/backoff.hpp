// SPDX-License-Identifier: Apache-2.0
// How long to wait before the next attempt: doubled each time, spread by chance, which is passed
// in. No allocation.
#pragma once

#include <algorithm>

#include "core/base/strong.hpp"
#include "core/base/time.hpp"

namespace sotto::gateway::relay {

// A random number of full range, from the caller.
using Jitter = Strong<std::uint16_t, struct JitterTag>;

class Backoff {
  public:
    Backoff(Duration min, Duration max) : min_(min), max_(max), base_(min) {}

    // Between half of the current base and all of it; the base doubles up to the maximum.
    Duration next(Jitter jitter) {
        const std::int64_t half = base_.ms / 2;
        const Duration delay{base_.ms - half * jitter.value() / 0xffff};
        base_ = std::min(max_, Duration{base_.ms * 2});
        return delay;
    }
    void reset() { base_ = min_; }
    // There is no use in hurrying.
    void raise() { base_ = max_; }

  private:
    Duration min_;
    Duration max_;
    Duration base_;
};

}  // namespace sotto::gateway::relay
