// SPDX-License-Identifier: Apache-2.0
// What a device believes of the time, in seconds since 1970: nothing after a boot, until its owner
// says it (docs/protocol/session.md, SES-93 to SES-95). No allocation.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/session/moment.hpp"

namespace sotto::session {

class WallClock {
  public:
    // The owner says so, freshly: it counts, whatever was believed before.
    void set(std::uint32_t seconds, Moment now) {
        at_boot_ = seconds - uptime(now);
        is_known_ = true;
    }
    // Somebody else says so: it may correct a clock that is slow, and nothing else.
    void propose(std::uint32_t seconds, Moment now) {
        const auto believed = at(now);
        if (believed && seconds > *believed) set(seconds, now);
    }
    // Nothing if it is not known. At the end of its range it stands: what has expired stays
    // expired.
    std::optional<std::uint32_t> at(Moment now) const {
        if (!is_known_) return std::nullopt;
        return static_cast<std::uint32_t>(std::min(at_boot_ + uptime(now), kEnd));
    }

  private:
    static constexpr std::int64_t kEnd = 0xffff'ffff;
    static std::int64_t uptime(Moment now) { return now.seconds(); }

    std::int64_t at_boot_ = 0;
    bool is_known_ = false;
};

}  // namespace sotto::session
