// SPDX-License-Identifier: Apache-2.0
// One run of the simulation: devices, a gateway, a cloud and apps in one process and in virtual
// time, with faults drawn from a seed, and its judgement.
#pragma once

#include <string>
#include <vector>

#include "core/base/time.hpp"

namespace sotto::sim {

struct Report {
    std::vector<std::string> complaints;  // empty: every rule held
    std::size_t done = 0;                 // commands
    std::size_t not_run = 0;
    std::size_t unknown = 0;
    std::size_t deferred = 0;  // of those done
    std::size_t events = 0;
    std::uint64_t relayed = 0;  // messages through the cloud
    std::uint64_t seals = 0;
};

// `duration` with faults, and then as long as it takes without.
Report run_fleet(std::uint64_t seed, Duration duration);

}  // namespace sotto::sim
