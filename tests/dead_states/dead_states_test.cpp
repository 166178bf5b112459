// SPDX-License-Identifier: Apache-2.0
// The short form: every sequence of two kinds, and some of four. `./dev dead-states` tries them
// all.
#include <gtest/gtest.h>

#include "tests/dead_states/explorer.hpp"

namespace sotto::dead_states {
namespace {

constexpr std::uint64_t kSampleCount = 200;  // of each state
constexpr std::uint64_t kSeed = 4;

void expect_none_dead(const Report& report) {
    for (const std::string& text : report.dead)
        ADD_FAILURE() << "./dev dead-states --replay " << text;
    EXPECT_GT(report.tried, 0U);
}

void expect_no_dead_states(const Part& part, std::size_t depth) {
    tell_on_abort();
    for (std::size_t start = 0; start < part.starts.size(); ++start) {
        expect_none_dead(explore(part, start, depth, 1));
        expect_none_dead(sample(part, start, 4, kSampleCount, kSeed));
    }
}

TEST(DeadStates, NoneOfADevice) { expect_no_dead_states(device_part(), 2); }
TEST(DeadStates, NoneOfAnApp) { expect_no_dead_states(app_part(), 2); }
TEST(DeadStates, NoneOfAGateway) { expect_no_dead_states(gateway_part(), 3); }
TEST(DeadStates, NoneOfACloud) { expect_no_dead_states(cloud_part(), 2); }
TEST(DeadStates, NoneOfTheSessionsOfACloud) { expect_no_dead_states(attachment_part(), 2); }

// The explorer itself: a lamp that is broken by "on, off, on" and repaired by "mend".
class BrokenLamp final : public World {
  public:
    bool apply(std::size_t kind) override {
        if (kind == 3) return false;
        history_ = kind == 2 ? "" : history_ + (kind == 0 ? "+" : "-");
        return true;
    }
    void expect_alive() override { require(history_ != "+-+", "the lamp is broken"); }
    std::optional<std::uint64_t> fingerprint() const override {
        return std::hash<std::string>{}(history_);
    }

  private:
    std::string history_;
};

Part broken_lamp() {
    return {.name = "lamp",
            .starts = {"dark"},
            .kinds = {"on", "off", "mend", "nothing"},
            .make = [](std::size_t) { return std::make_unique<BrokenLamp>(); }};
}

TEST(DeadStates, AreFoundAndCanBeReplayed) {
    const Part lamp = broken_lamp();
    EXPECT_TRUE(explore(lamp, 0, 2, 1).dead.empty());
    const Report report = explore(lamp, 0, 3, 2);
    ASSERT_EQ(report.dead.size(), 1U);
    EXPECT_EQ(report.dead[0], "lamp/dark on off on\n    the lamp is broken");
    EXPECT_EQ(report.tried, 1U + 2 + 4 + 8);
    EXPECT_EQ(report.known, 1U + 2 + 4) << "whatever ends with mend is the start again";
    EXPECT_EQ(report.skipped, 1U + 2 + 4) << "nothing is never there";
    EXPECT_EQ(replay(lamp, 0, {0, 1, 0}), "the lamp is broken");
    EXPECT_EQ(replay(lamp, 0, {0, 1}), "");
    EXPECT_FALSE(sample(lamp, 0, 3, 200, kSeed).dead.empty());
}

}  // namespace
}  // namespace sotto::dead_states
