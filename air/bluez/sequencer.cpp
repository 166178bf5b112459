// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/sequencer.hpp"

#include <utility>

#include "air/bluez/limits.hpp"

namespace sotto::air::bluez {

namespace {

constexpr std::uint8_t kCounterMask = 0x3f;  // docs/protocol/air.md, "Segments"
constexpr std::uint8_t kAheadMax = 32;       // farther ahead is behind

}  // namespace

void Sequencer::receive(Bytes value, Instant now) {
    if (value.empty()) return;
    const auto ahead = static_cast<std::uint8_t>((value[0] - expected_) & kCounterMask);
    if (ahead >= kAheadMax || early_.contains(ahead)) return;  // late, or twice
    if (early_.size() > kEarlyValuesMax) return;               // next() was not called
    early_[ahead].assign(value.begin(), value.end());
    if (ahead > 0 && !gap_since_) gap_since_ = now;
}

bool Sequencer::is_gap_given_up(Instant now) const {
    return early_.size() >= kEarlyValuesMax || (gap_since_ && now >= *gap_since_ + kGapTimeMax);
}

std::optional<Bytes> Sequencer::next(Instant now) {
    if (early_.empty()) return std::nullopt;
    const std::uint8_t ahead = early_.begin()->first;
    if (ahead > 0 && !is_gap_given_up(now)) return std::nullopt;
    current_ = std::move(early_.begin()->second);
    early_.erase(early_.begin());
    expected_ = static_cast<std::uint8_t>((expected_ + ahead + 1) & kCounterMask);
    std::map<std::uint8_t, std::vector<std::uint8_t>> rest;
    for (auto& [distance, value] : early_)
        rest.emplace(static_cast<std::uint8_t>(distance - ahead - 1), std::move(value));
    early_ = std::move(rest);
    const bool has_gap = !early_.empty() && early_.begin()->first > 0;
    if (!has_gap) {
        gap_since_.reset();
    } else if (ahead > 0 || !gap_since_) {
        gap_since_ = now;
    }
    return Bytes{current_};
}

}  // namespace sotto::air::bluez
