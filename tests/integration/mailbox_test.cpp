// SPDX-License-Identifier: Apache-2.0
// Calls that wait in the cloud: for a device that sleeps, and over kill -9 of the cloud at any
// moment. The device's own log is the judge.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "tests/integration/line.hpp"

namespace sotto::integration {
namespace {

constexpr int kStored = 0;

// The value of a text member in a line of JSON.
std::string member(const std::string& line, const std::string& name) {
    const std::string key = "\"" + name + "\":\"";
    const std::size_t begin = line.find(key);
    if (begin == std::string::npos) return "";
    const std::size_t from = begin + key.size();
    return line.substr(from, line.find('"', from) - from);
}

// State by argument, of all calls in the outbox.
std::map<std::string, std::string> outbox(const Line& line) {
    std::map<std::string, std::string> states;
    std::istringstream lines{line.app({"--json", "outbox"}).output};
    for (std::string text; std::getline(lines, text);)
        states[member(text, "argument")] = member(text, "state");
    return states;
}

bool eventually_for(std::chrono::seconds limit, const std::function<bool()>& is_true) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
        if (is_true()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
    return is_true();
}

TEST(MailboxTest, ACallWaitsForASleepingDeviceAndItsResultForTheApp) {
    Line line{{"--function", "echo", "--sleep", "3"}};
    ASSERT_TRUE(line.pair()) << line.logs();
    // A live command tells it the time; then it falls asleep.
    ASSERT_TRUE(eventually_for(std::chrono::seconds{30}, [&] {
        return line.app({"--timeout", "5", "call", "lamp", "echo", "live"}).code == 0;
    })) << line.logs();
    // Whoever asks keeps it awake: it is left alone until a call finds it asleep.
    std::string argument;
    int number = 0;
    ASSERT_TRUE(eventually_for(std::chrono::seconds{60}, [&] {
        std::this_thread::sleep_for(std::chrono::seconds{5});
        argument = "later-" + std::to_string(++number) + ".";
        const auto called = line.app({"call", "lamp", "echo", argument, "--within", "10m"});
        EXPECT_EQ(called.code, kStored) << called.output;
        return called.output.find("stored") != std::string::npos;
    })) << line.logs();
    EXPECT_TRUE(
        eventually_for(std::chrono::seconds{60}, [&] { return outbox(line)[argument] == "done"; }))
        << line.app({"outbox"}).output << line.logs();
    EXPECT_EQ(line.call_count(argument), 1U);
}

TEST(MailboxTest, ACallWhoseTimeIsOverIsReportedAndNeverRun) {
    Line line{{"--function", "echo"}};
    ASSERT_TRUE(line.pair()) << line.logs();
    ASSERT_EQ(line.app({"call", "lamp", "echo", "live"}).code, 0) << line.logs();
    line.kill_gateway();
    ASSERT_TRUE(testing::eventually([&] { return line.app({"get", "lamp"}).code != 0; }));
    const auto stored = line.app({"call", "lamp", "echo", "short", "--within", "2s"});
    EXPECT_EQ(stored.code, kStored) << stored.output;
    std::this_thread::sleep_for(std::chrono::seconds{3});  // its time, which is the subject
    line.start_gateway();
    ASSERT_TRUE(testing::eventually([&] { return line.app({"get", "lamp"}).code == 0; }));
    EXPECT_TRUE(eventually_for(std::chrono::seconds{90}, [&] {
        return outbox(line)["short"] == "expired";
    })) << line.app({"outbox"}).output;
    EXPECT_EQ(line.call_count("short"), 0U);
}

int seconds_to_run() {
    const char* soak = std::getenv("SOTTO_SOAK_SECONDS");
    return soak != nullptr ? std::atoi(soak) : 15;
}

TEST(MailboxTest, WhatWasAcknowledgedIsRunOnceHoweverOftenTheCloudIsKilled) {
    Line line{{"--function", "echo"}};
    ASSERT_TRUE(line.pair()) << line.logs();
    ASSERT_EQ(line.app({"call", "lamp", "echo", "live"}).code, 0) << line.logs();
    std::mt19937 random{std::random_device{}()};
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{seconds_to_run()};
    int number = 0;
    int acknowledged_count = 0;
    while (std::chrono::steady_clock::now() < end) {
        line.kill_gateway();
        std::map<std::string, int> codes;
        for (int i = 0; i < 6; ++i) {
            const std::string argument = "letter-" + std::to_string(++number) + ".";
            const std::string log = line.folder() / "call.log";
            auto app = line.start_app(
                {"--timeout", "3", "call", "lamp", "echo", argument, "--within", "10m"}, log);
            if (random() % 3 != 0) {
                std::this_thread::sleep_for(std::chrono::milliseconds{random() % 80});
                line.kill_cloud();
                codes[argument] = app->wait();
                line.start_cloud();
            } else {
                codes[argument] = app->wait();
            }
        }
        line.start_gateway();
        const bool is_settled = eventually_for(std::chrono::seconds{40}, [&] {
            static_cast<void>(outbox(line));  // hands in again what may be lost
            return std::ranges::all_of(codes, [&](const auto& item) {
                return item.second != kStored || line.call_count(item.first) == 1;
            });
        });
        EXPECT_TRUE(is_settled) << line.app({"outbox"}).output << line.logs();
        for (const auto& [argument, code] : codes) {
            EXPECT_LE(line.call_count(argument), 1U) << argument << line.logs();
            if (code != kStored) continue;
            ++acknowledged_count;
            EXPECT_EQ(line.call_count(argument), 1U) << argument << line.logs();
        }
    }
    EXPECT_GT(acknowledged_count, 2) << line.logs();
    RecordProperty("acknowledged", acknowledged_count);
}

}  // namespace
}  // namespace sotto::integration
