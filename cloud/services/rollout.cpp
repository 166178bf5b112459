// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/rollout.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace sotto::cloud::services {

std::size_t Rollout::room() const {
    if (record_.state != model::ReleaseState::Running) return 0;
    const std::size_t steps = std::min(record_.succeeded, kRolloutAtOnceMax);
    return std::min(kRolloutAtOnceMax, kRolloutFirst + steps * kRolloutGrowth);
}

bool Rollout::may_begin() const { return active_ < room(); }

void Rollout::note(char outcome) {
    SOTTO_ASSERT(active_ > 0);
    --active_;
    record_.recent.push_back(outcome);
    if (record_.recent.size() > kRolloutWindow) record_.recent.erase(0, 1);
}

void Rollout::on_success() {
    note('+');
    ++record_.succeeded;
}

bool Rollout::on_failure(const std::string& why) {
    note('-');
    ++record_.failed;
    const auto failures = static_cast<std::size_t>(std::ranges::count(record_.recent, '-'));
    const bool is_too_much = failures >= kRolloutFailuresMin &&
                             failures * 100 > record_.recent.size() * kRolloutFailedPercentMax;
    if (!is_too_much || record_.state != model::ReleaseState::Running) return false;
    record_.state = model::ReleaseState::Stopped;
    record_.why = std::to_string(failures) + " of the last " +
                  std::to_string(record_.recent.size()) + " updates failed, the last one: " + why;
    return true;
}

}  // namespace sotto::cloud::services
