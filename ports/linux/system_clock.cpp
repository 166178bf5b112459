// SPDX-License-Identifier: Apache-2.0
#include "ports/linux/system_clock.hpp"

#include <ctime>
#include <sys/timex.h>

#include "core/base/assert.hpp"

namespace sotto::ports {
namespace {

timespec read(clockid_t clock) {
    timespec time{};
    SOTTO_ASSERT(::clock_gettime(clock, &time) == 0);
    return time;
}

}  // namespace

Instant SystemClock::now() {
    const timespec time = read(CLOCK_BOOTTIME);
    return {std::int64_t{time.tv_sec} * 1'000 + time.tv_nsec / 1'000'000};
}

std::int64_t SystemClock::unix_seconds() { return read(CLOCK_REALTIME).tv_sec; }

std::optional<std::int64_t> SystemClock::synchronised_unix_seconds() {
    timex state{};  // nothing is to be changed
    const int found = ::adjtimex(&state);
    if (found < 0 || found == TIME_ERROR || (state.status & STA_UNSYNC) != 0) return std::nullopt;
    return unix_seconds();
}

}  // namespace sotto::ports
