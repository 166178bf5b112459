// SPDX-License-Identifier: Apache-2.0
// Where the bytes of a legacy server may be cut for a bluz device: anywhere but within the two
// bytes of a size, of which the firmware loses one that comes alone (docs/protocol/bluz.md, "The
// stream"). It knows no more of the protocol than where its sizes are. No allocation.
#pragma once

#include "core/base/bytes.hpp"

namespace sotto::gateway::bluz {

class StreamCutter {
  public:
    // How many bytes of the front of `waiting` go now, `size_max` at most; they count as gone.
    std::size_t take(Bytes waiting, std::size_t size_max);

  private:
    // Of what is under way; a size follows. A stream begins with 40 and 384 bytes without sizes.
    std::size_t left_ = 40 + 384;
};

}  // namespace sotto::gateway::bluz
