// SPDX-License-Identifier: Apache-2.0
// The tags that a cloud has given to a gateway (docs/protocol/uplink.md, "Tags"): they end by
// themselves, and from none of them another follows. Allocates, for kTagsMax at most. Pure.
#pragma once

#include <map>

#include "core/framing/uplink.hpp"
#include "gateway/relay/limits.hpp"

namespace sotto::gateway::relay {

class TagBook {
  public:
    // By the cloud's clock: that of this machine may be wrong.
    void take(const framing::uplink::Tags& tags, Instant now);
    // Of a period that has begun, or will, or ended less than one ago.
    bool knows(const framing::Tag& tag, Instant now) const;
    void forget_ended(Instant now);
    std::size_t size() const { return ends_.size(); }

  private:
    std::map<framing::Tag, Instant> ends_;
};

}  // namespace sotto::gateway::relay
