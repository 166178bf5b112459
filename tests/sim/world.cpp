// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/world.hpp"

namespace sotto::sim {
namespace {

constexpr Duration kHop = milliseconds(20);
constexpr std::uint64_t kDelayMaxMs = 8'000;

}  // namespace

// SplitMix64: public domain, by Sebastiano Vigna.
std::uint64_t Chance::next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

void World::at(Duration delay, std::function<void()> event) {
    events_.emplace(now + delay, std::move(event));
}

void World::run(Duration duration) {
    const Instant end = now + duration;
    while (!events_.empty() && events_.begin()->first <= end) {
        auto node = events_.extract(events_.begin());
        now = node.key();
        node.mapped()();
    }
    now = end;
}

void World::carry(const Message& message, const std::function<void(const Message&)>& arrive) {
    const int count = chance.happens(faults.drop) ? 0 : chance.happens(faults.duplicate) ? 2 : 1;
    for (int i = 0; i < count; ++i) {
        Message copy = message;
        if (!copy.empty() && chance.happens(faults.corrupt)) {
            copy[chance.below(copy.size())] ^= static_cast<std::uint8_t>(1U << chance.below(8));
        }
        Duration delay = kHop;
        if (chance.happens(faults.delay)) {
            delay = milliseconds(static_cast<std::int64_t>(chance.below(kDelayMaxMs)));
        }
        at(delay, [copy = std::move(copy), arrive] { arrive(copy); });
    }
}

}  // namespace sotto::sim
