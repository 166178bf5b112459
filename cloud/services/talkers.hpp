// SPDX-License-Identifier: Apache-2.0
// The apps that lately sent something to a device that is not attached: only they may hear from it.
// At most kTalkersPerDeviceMax. Allocates for the first: most devices have none.
#pragma once

#include <algorithm>
#include <vector>

#include "cloud/model/ids.hpp"
#include "cloud/services/limits.hpp"
#include "core/base/time.hpp"

namespace sotto::cloud::services {

class Talkers {
  public:
    void add(const model::AppAddress& app, Instant now) {
        for (Talker& talker : talkers_) {
            if (talker.app == app) {
                talker.until = now + kTalkTime;
                return;
            }
        }
        const Talker talker{.app = app, .until = now + kTalkTime};
        if (talkers_.size() < kTalkersPerDeviceMax) {
            talkers_.push_back(talker);
            return;
        }
        *std::min_element(talkers_.begin(), talkers_.end(), is_earlier) = talker;
    }

    bool has(const model::AppAddress& app, Instant now) const {
        return std::any_of(talkers_.begin(), talkers_.end(), [&](const Talker& talker) {
            return talker.app == app && talker.until > now;
        });
    }

    bool is_silent(Instant now) const {
        return std::all_of(talkers_.begin(), talkers_.end(), [&](const Talker& talker) {
            return talker.until <= now;
        });
    }

  private:
    struct Talker {
        model::AppAddress app;
        Instant until;
    };
    static bool is_earlier(const Talker& a, const Talker& b) { return a.until < b.until; }

    std::vector<Talker> talkers_;
};

}  // namespace sotto::cloud::services
