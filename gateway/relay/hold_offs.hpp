// SPDX-License-Identifier: Apache-2.0
// Places on the air that are left alone for now: because a device asked for it, was busy, or
// failed. Allocates, but for kHoldsMax places at most. Pure: time and chance are parameters.
#pragma once

#include <map>
#include <string>

#include "core/base/time.hpp"
#include "gateway/relay/backoff.hpp"
#include "gateway/relay/limits.hpp"

namespace sotto::gateway::relay {

class HoldOffs {
  public:
    bool is_held(const std::string& place, Instant now) const;
    // Leave it alone for that long, and start afresh then.
    void hold(const std::string& place, Duration duration, Instant now);
    // An attempt failed: leave it alone, longer each time.
    void on_failed(const std::string& place, Instant now, Jitter jitter);
    // An attempt succeeded.
    void on_connected(const std::string& place) { entries_.erase(place); }
    std::size_t size() const { return entries_.size(); }

  private:
    struct Entry {
        Instant until;
        Backoff backoff{kPlaceBackoffMin, kPlaceBackoffMax};
    };
    Entry& entry(const std::string& place);

    std::map<std::string, Entry> entries_;
};

}  // namespace sotto::gateway::relay
