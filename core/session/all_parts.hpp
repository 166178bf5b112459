// SPDX-License-Identifier: Apache-2.0
// Every part there is, for a device that wants them all. No allocation.
#pragma once

#include "core/session/basic_parts.hpp"
#include "core/session/block_transfers.hpp"
#include "core/session/guests.hpp"
#include "core/session/network_part.hpp"
#include "core/session/owner_part.hpp"
#include "core/session/time_part.hpp"

namespace sotto::session {

class AllParts {
  public:
    // Both borrowed; Guests::Setup.
    explicit AllParts(std::span<GuestRights> rights, std::span<const cose::Credential> trusted = {})
        : guests_({.trusted = trusted, .clock = time_.clock(), .rights = rights}) {}
    AllParts(const AllParts&) = delete;
    AllParts& operator=(const AllParts&) = delete;

    // And one more of the device's own, if there is one.
    Parts view(Part* more = nullptr) {
        resources_.back() = more;
        const std::size_t count = resources_.size() - (more == nullptr ? 1 : 0);
        return {.resources = std::span{resources_}.first(count),
                .deferral = &time_,
                .blockwise = &transfers_,
                .network = &trial_,
                .admission = &guests_};
    }
    const CloudTrial& trial() const { return trial_; }
    const WallClock& clock() const { return time_.clock(); }

  private:
    DescriptionPart description_;
    LastPart last_;
    CloudTrial trial_;
    AttachPart attach_{trial_};
    NetworkPart network_{trial_};
    OwnerPart owner_;
    TimePart time_;
    BlockTransfers transfers_;
    Guests guests_;
    std::array<Part*, 8> resources_{
        &description_, &last_, &attach_, &network_, &owner_, &time_, &guests_, nullptr};
};

}  // namespace sotto::session
