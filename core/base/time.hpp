// SPDX-License-Identifier: Apache-2.0
// Instants and durations in milliseconds. Time is always a parameter; nothing here reads a clock.
#pragma once

#include <compare>
#include <cstdint>

namespace sotto {

struct Duration {
    std::int64_t ms = 0;
    friend constexpr bool operator==(Duration, Duration) = default;
    [[gnu::always_inline]] friend constexpr auto operator<=>(Duration a, Duration b) {
        return a.ms <=> b.ms;
    }
};

constexpr Duration milliseconds(std::int64_t count) { return {count}; }
constexpr Duration seconds(std::int64_t count) { return {count * 1'000}; }
constexpr Duration minutes(std::int64_t count) { return {count * 60'000}; }
constexpr Duration days(std::int64_t count) { return {count * 86'400'000}; }

// Milliseconds since an origin that one process chooses once (for a device, its boot).
struct Instant {
    std::int64_t ms = 0;
    friend constexpr bool operator==(Instant, Instant) = default;
    [[gnu::always_inline]] friend constexpr auto operator<=>(Instant a, Instant b) {
        return a.ms <=> b.ms;
    }
};

constexpr Instant operator+(Instant at, Duration by) { return {at.ms + by.ms}; }
constexpr Instant operator-(Instant at, Duration by) { return {at.ms - by.ms}; }
constexpr Duration operator-(Instant a, Instant b) { return {a.ms - b.ms}; }

}  // namespace sotto
