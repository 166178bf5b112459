// SPDX-License-Identifier: Apache-2.0
// A circuit breaker: whether a host that failed is to be left alone for a while. No allocation, no
// clock.
#pragma once

#include <algorithm>
#include <bit>

#include "cloud/hooks/limits.hpp"

namespace sotto::cloud::hooks {

class Breaker {
  public:
    // Whether a request may go now. After a rest the first one is a trial, and the others have to
    // wait for how it ends.
    bool may_send(Instant now) {
        if (!is_asleep_) return true;
        if (is_on_trial_ || now < until_) return false;
        is_on_trial_ = true;
        return true;
    }

    void on_success() {
        if (is_asleep_) *this = {};
        remember(false);
    }

    void on_failure(Instant now) {
        remember(true);
        if (is_on_trial_) {
            sleep_ = std::min(Duration{sleep_.ms * 2}, kSleepTimeMax);
            return fall_asleep(now);
        }
        const auto failures = static_cast<std::size_t>(std::popcount(failed_));
        const bool is_bad = failures >= kFailuresToSleep && failures * 2 > count_;
        if (!is_asleep_ && is_bad) fall_asleep(now);
    }

    // A trial that told nothing about the host.
    void on_nothing() { is_on_trial_ = false; }

    bool is_asleep() const { return is_asleep_; }

  private:
    static constexpr std::size_t kRemembered = 2 * kFailuresToSleep;

    void remember(bool has_failed) {
        failed_ = (failed_ << 1U | (has_failed ? 1U : 0U)) & ((1U << kRemembered) - 1);
        count_ = std::min(count_ + 1, kRemembered);
    }
    void fall_asleep(Instant now) {
        is_asleep_ = true;
        is_on_trial_ = false;
        until_ = now + sleep_;
    }

    bool is_asleep_ = false;
    bool is_on_trial_ = false;
    std::uint32_t failed_ = 0;  // the last ones, a bit for each
    std::size_t count_ = 0;
    Duration sleep_ = kSleepTimeMin;
    Instant until_{};
};

}  // namespace sotto::cloud::hooks
