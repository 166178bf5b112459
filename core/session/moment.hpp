// SPDX-License-Identifier: Apache-2.0
// Time as a device keeps it: tenths of a second since its boot, for 13 years. 64 bits would be a
// fifth of what a Cortex-M0 computes here. No allocation.
#pragma once

#include "core/base/time.hpp"

namespace sotto::session {

struct Moment {
    std::uint32_t tenths = 0;

    constexpr Moment() = default;
    constexpr explicit Moment(std::uint32_t count) : tenths(count) {}
    // NOLINTNEXTLINE(google-explicit-constructor): the same, as others keep it
    constexpr Moment(Instant instant) : tenths(a_hundredth_of(instant.ms)) {}

    constexpr std::uint32_t seconds() const { return tenths / 10; }

    friend constexpr auto operator<=>(Moment, Moment) = default;

  private:
    // A long division, digit by digit of 16 bits: the processor divides no 64 bits.
    static constexpr std::uint32_t a_hundredth_of(std::int64_t number) {
        const auto high = static_cast<std::uint32_t>(number >> 16);
        const auto low = static_cast<std::uint32_t>(number) & 0xffff;
        return (high / 100 << 16) + ((high % 100 << 16 | low) / 100);
    }
};

// Durations are constants, and so is what becomes of them.
[[gnu::always_inline]] inline constexpr std::uint32_t tenths_of(Duration duration) {
    return static_cast<std::uint32_t>(duration.ms / 100);
}
[[gnu::always_inline]] inline constexpr Moment operator+(Moment at, Duration by) {
    return Moment{at.tenths + tenths_of(by)};
}
// Whether that much time has passed, and no less.
[[gnu::always_inline]] inline constexpr bool has_passed(Moment since, Duration time, Moment now) {
    return now.tenths - since.tenths >= tenths_of(time);
}

}  // namespace sotto::session
