// SPDX-License-Identifier: Apache-2.0
// kill -9 of every process at random moments: a command ends done once, not run, or unknown, as the
// exit code of `sotto` says, and the device's own log is the judge.
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "tests/integration/line.hpp"

namespace sotto::integration {
namespace {

constexpr int kDone = 0;
constexpr int kKilled = 128 + 9;
constexpr int kOutcomeUnknown = 4;
constexpr int kDoneMin = 4;
constexpr int kCommandMax = 100;

int seconds_to_run() {
    const char* soak = std::getenv("SOTTO_SOAK_SECONDS");
    return soak != nullptr ? std::atoi(soak) : 15;
}

TEST(KillTest, EveryCommandIsRunOnceOrNotAtAllAndTheAppSaysWhich) {
    Line line{{"--function", "echo"}};
    ASSERT_TRUE(line.pair()) << line.logs();
    std::mt19937 random{std::random_device{}()};
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{seconds_to_run()};
    int number = 0;
    int done = 0;
    // On a slow machine until enough have been done to say something.
    while (std::chrono::steady_clock::now() < end || (done < kDoneMin && number < kCommandMax)) {
        const std::string argument = "command-" + std::to_string(++number) + ".";
        const std::string log = line.folder() / "call.log";
        auto app = line.start_app({"--timeout", "5", "call", "lamp", "echo", argument}, log);
        std::this_thread::sleep_for(std::chrono::milliseconds{random() % 60});
        const auto victim = random() % 8;  // 4 and above: nobody
        if (victim == 0) line.kill_device();
        if (victim == 1) line.kill_cloud();
        if (victim == 2) line.kill_gateway();
        if (victim == 3) app->signal(SIGKILL);
        const int code = app->wait();
        if (victim == 0) line.start_device();
        if (victim == 1) line.start_cloud();
        if (victim == 2) line.start_gateway();
        const std::size_t runs = line.call_count(argument);
        EXPECT_LE(runs, 1U) << argument << line.logs();
        if (code == kDone) {
            EXPECT_EQ(runs, 1U) << argument;
            ++done;
        } else if (code != kKilled && code != kOutcomeUnknown) {
            EXPECT_EQ(runs, 0U) << argument << " exit code " << code << "\n"
                                << testing::read_text(log);
        }
        // Whatever it was, the line comes back by itself; after half a minute if it was the device
        // again and again.
        const auto is_back = [&] { return line.app({"get", "lamp"}).code == 0; };
        ASSERT_TRUE(testing::eventually(is_back) || testing::eventually(is_back))
            << "after victim " << victim << "\n"
            << line.logs();
    }
    EXPECT_GE(done, kDoneMin) << line.logs();
    for (int i = 1; i <= number; ++i) {  // nothing runs late
        EXPECT_LE(line.call_count("command-" + std::to_string(i) + "."), 1U) << i;
    }
    RecordProperty("commands", number);
    RecordProperty("done", done);
}

}  // namespace
}  // namespace sotto::integration
