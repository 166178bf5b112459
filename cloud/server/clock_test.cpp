// SPDX-License-Identifier: Apache-2.0
// Somebody sets the clock of the machine while the cloud runs, and between two runs.
#include "cloud/server/clock.hpp"

#include <gtest/gtest.h>

namespace sotto::ports {
namespace {

Instant since_boot{5'000};
std::int64_t unix_now = 1'700'000'000;

}  // namespace

// In place of the system's clocks: -Wl,--wrap in CMakeLists.txt.
Instant set_now() asm("__wrap__ZN5sotto5ports11SystemClock3nowEv");
Instant set_now() { return since_boot; }
std::int64_t set_unix_seconds() asm("__wrap__ZN5sotto5ports11SystemClock12unix_secondsEv");
std::int64_t set_unix_seconds() { return unix_now; }

}  // namespace sotto::ports

namespace sotto::cloud::server {
namespace {

TEST(SteadyClock, DoesNotFollowAClockThatIsSetWhileItRuns) {
    const SteadyClock clock;
    const Instant start = clock.now();
    EXPECT_EQ(start.ms, 1'700'000'000'000);
    for (const std::int64_t jump : {31'536'000, -2 * 31'536'000}) {
        ports::unix_now += jump;
        ports::since_boot = ports::since_boot + seconds(1);
    }
    EXPECT_EQ(clock.now(), start + seconds(2)) << "nothing expires, and nothing lives for ever";
    const SteadyClock next_run;
    EXPECT_EQ(next_run.now().ms, ports::unix_now * 1'000);
}

}  // namespace
}  // namespace sotto::cloud::server
