// SPDX-License-Identifier: Apache-2.0
// Every part there is, for a device that wants them all. No allocation.
#pragma once

#include "core/session/basic_parts.hpp"
#include "core/session/block_transfers.hpp"
#include "core/session/network_part.hpp"
#include "core/session/owner_part.hpp"
#include "core/session/time_part.hpp"

namespace sotto::session {

class AllParts {
  public:
    AllParts() = default;
    AllParts(const AllParts&) = delete;
    AllParts& operator=(const AllParts&) = delete;

    Parts view() { return {.resources = resources_, .deferral = &time_, .blockwise = &transfers_}; }

  private:
    DescriptionPart description_;
    LastPart last_;
    AttachPart attach_;
    NetworkPart network_;
    OwnerPart owner_;
    TimePart time_;
    BlockTransfers transfers_;
    std::array<Part*, 6> resources_{&description_, &last_, &attach_, &network_, &owner_, &time_};
};

}  // namespace sotto::session
