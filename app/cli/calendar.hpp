// SPDX-License-Identifier: Apache-2.0
// The time of day for people: seconds since 1970, and their text.
#pragma once

#include <array>
#include <ctime>
#include <string>

#include "ports/linux/system_clock.hpp"

namespace sotto::app {

inline std::uint32_t time_now() {
    return static_cast<std::uint32_t>(ports::SystemClock::unix_seconds());
}

// As in 2026-11-29T18:00:00Z (RFC 3339).
inline std::string text_of(std::uint32_t time) {
    const auto seconds = static_cast<std::time_t>(time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

}  // namespace sotto::app
