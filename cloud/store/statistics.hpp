// SPDX-License-Identifier: Apache-2.0
// How a store fares: numbers since the start. Plain data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sotto::cloud::store {

// How long a commit may take to be counted in each class; what takes longer is in the last one.
inline constexpr std::array<std::uint32_t, 12> kCommitTimes_us = {500,
                                                                  1'000,
                                                                  2'000,
                                                                  5'000,
                                                                  10'000,
                                                                  20'000,
                                                                  50'000,
                                                                  100'000,
                                                                  250'000,
                                                                  500'000,
                                                                  1'000'000,
                                                                  2'500'000};

struct Statistics {
    std::array<std::uint64_t, kCommitTimes_us.size() + 1> commits{};  // by time
    std::uint64_t commit_time_us = 0;                                 // of all
    std::uint64_t operations = 0;
    std::uint64_t failures = 0;  // transactions that were undone
    std::size_t queue = 0;       // operations that wait now

    void count_commit(std::uint64_t time_us) {
        std::size_t i = 0;
        while (i < kCommitTimes_us.size() && time_us > kCommitTimes_us[i]) ++i;
        ++commits[i];
        commit_time_us += time_us;
    }
};

}  // namespace sotto::cloud::store
