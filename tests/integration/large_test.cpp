// SPDX-License-Identifier: Apache-2.0
// 64 KB there and back, through real processes that are killed in the middle: it goes on where it
// was, and runs once.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "tests/integration/line.hpp"

namespace sotto::integration {
namespace {

constexpr std::size_t kSize = 65'536;

// Bytes of every value, none of which repeats at the size of a block.
std::string make_content() {
    std::string content(kSize, '\0');
    std::uint32_t state = 12'345;
    for (char& c : content) {
        state = state * 1'664'525 + 1'013'904'223;
        c = static_cast<char>(state >> 24);
    }
    return content;
}

class LargeTest : public ::testing::Test {
  protected:
    LargeTest() {
        std::ofstream{file_, std::ios::binary} << content_;
        EXPECT_TRUE(line_.pair()) << line_.logs();
    }
    // What the gateway or an app has sent to the device so far.
    std::size_t sent() { return line_.air_tap().from_client().size(); }
    std::size_t received() { return line_.air_tap().from_server().size(); }

    // Runs a command, and `strike` once when `progress` has grown by a third of the content.
    int run(const Arguments& arguments,
            const std::function<std::size_t()>& progress,
            const std::function<void()>& strike) {
        const std::size_t before = progress();
        auto app = line_.start_app(arguments, output_);
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        while (progress() < before + kSize / 3 && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        at_strike_ = progress() - before;
        strike();
        return app->wait();
    }
    void expect_call(const std::function<void()>& strike) {
        const std::size_t calls = line_.call_count("note");
        const std::size_t before = sent();
        EXPECT_EQ(run(
                      {"call", "lamp", "note", "--file", file_}, [this] { return sent(); }, strike),
                  0)
            << testing::read_text(output_);
        EXPECT_EQ(line_.call_count("note"), calls + 1) << line_.logs();
        EXPECT_LT(at_strike_, kSize) << "it was over before it could be interrupted";
        EXPECT_LT(sent() - before, kSize + kSize / 2) << "it was begun anew";
        expect_note();
    }
    void expect_note() {
        const testing::Run got = line_.app({"get", "lamp", "note", "--raw"});
        EXPECT_EQ(got.code, 0) << got.output;
        EXPECT_TRUE(got.output == content_) << got.output.size();
    }
    void expect_get(const std::function<void()>& strike) {
        std::filesystem::remove(output_);
        const std::size_t before = received();
        EXPECT_EQ(run({"get", "lamp", "note", "--raw"}, [this] { return received(); }, strike), 0);
        EXPECT_TRUE(testing::read_text(output_) == content_);
        EXPECT_LT(at_strike_, kSize) << "it was over before it could be interrupted";
        EXPECT_LT(received() - before, kSize + kSize / 2) << "it was begun anew";
    }

    Line line_{{"--mtu", "20"}};
    const std::string content_ = make_content();
    const std::string file_ = line_.folder() / "content";
    const std::string output_ = line_.folder() / "output";
    std::size_t at_strike_ = 0;
};

TEST_F(LargeTest, GoesThereAndComesBackThroughTheCloudAndNearby) {
    const testing::Run called = line_.app({"call", "lamp", "note", "--file", file_});
    EXPECT_EQ(called.code, 0) << called.output << line_.logs();
    EXPECT_EQ(called.output.size(), 65U) << called.output;  // a SHA-256 in hex
    expect_note();
    const testing::Run nearby = line_.app({"get", "lamp", "note", "--raw", "--local"});
    EXPECT_TRUE(nearby.output == content_) << nearby.output.substr(0, 200);
    EXPECT_EQ(line_.app({"call", "lamp", "note", "--local", "--file", file_}).output,
              called.output);
    EXPECT_EQ(line_.call_count("note"), 2U);
}

TEST_F(LargeTest, GoesOnAfterTheGatewayWasKilled) {
    const auto strike = [this] {
        line_.kill_gateway();
        line_.start_gateway();
    };
    expect_call(strike);
    expect_get(strike);
}

TEST_F(LargeTest, GoesOnAfterTheCloudWasKilled) {
    const auto strike = [this] {
        line_.kill_cloud();
        line_.start_cloud();
    };
    expect_call(strike);
    expect_get(strike);
}

TEST_F(LargeTest, BeginsAgainAfterTheDeviceWasKilledAndRunsOnce) {
    const auto strike = [this] {
        line_.kill_device();
        line_.start_device();
    };
    EXPECT_EQ(run(
                  {"call", "lamp", "note", "--file", file_}, [this] { return sent(); }, strike),
              0)
        << testing::read_text(output_) << line_.logs();
    EXPECT_LT(at_strike_, kSize);
    EXPECT_EQ(line_.call_count("note"), 1U) << line_.logs();
    expect_note();
}

}  // namespace
}  // namespace sotto::integration
