// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/startup.hpp"

#include <gtest/gtest.h>

namespace sotto::air::bluez {
namespace {

constexpr Instant kNow{1'000'000};
constexpr std::size_t kSteps = 3;
constexpr AdapterView kOff{.serial = 1};
const AdapterView kOn{.serial = 1, .is_powered = true};

// Takes the step that is due, which it must be.
void take(Startup& startup, const AdapterView& adapter, std::size_t step, bool is_ok = true) {
    ASSERT_EQ(startup.next(&adapter, kNow), step);
    startup.on_reply(adapter.serial, is_ok, kNow);
}

void complete(Startup& startup, const AdapterView& adapter = kOn) {
    take(startup, adapter, 1);
    take(startup, adapter, 2);
    ASSERT_TRUE(startup.is_done());
}

TEST(Startup, TakesOneStepAfterTheOther) {
    Startup startup{kSteps};
    EXPECT_EQ(startup.next(nullptr, kNow), std::nullopt);
    ASSERT_EQ(startup.next(&kOff, kNow), Startup::kPower);
    EXPECT_EQ(startup.next(&kOff, kNow), std::nullopt) << "while it is under way";
    startup.on_reply(1, true, kNow);
    complete(startup);
    EXPECT_EQ(startup.next(&kOn, kNow), std::nullopt);
    EXPECT_EQ(startup.done_at(), kNow);
}

TEST(Startup, LeavesPowerAloneThatIsThere) {
    Startup startup{kSteps};
    complete(startup);
}

TEST(Startup, TriesAgainLaterEachTime) {
    Startup startup{kSteps};
    Instant now = kNow;
    Duration before{};
    for (int i = 0; i < 12; ++i) {
        ASSERT_EQ(startup.next(&kOn, now), 1U);
        startup.on_reply(1, false, now);
        Duration delay{};
        while (!startup.next(&kOn, now + delay)) delay.ms += 10;
        startup.on_reply(1, false, now + delay);
        EXPECT_GE(delay, before);
        EXPECT_LE(delay, kCallBackoffMax);
        before = delay;
        now = now + kCallBackoffMax + kCallBackoffMax;
    }
    EXPECT_EQ(before, kCallBackoffMax);
}

TEST(Startup, AsksForPowerNoMoreOftenThanForTheRest) {
    Startup startup{kSteps};
    ASSERT_EQ(startup.next(&kOff, kNow), Startup::kPower);
    startup.on_reply(1, true, kNow);
    EXPECT_EQ(startup.next(&kOff, kNow), std::nullopt) << "it may still come";
    EXPECT_EQ(startup.next(&kOn, kNow), 1U) << "and is used at once";
}

TEST(Startup, BeginsAnewWithAnotherAdapterOfTheSamePath) {
    Startup startup{kSteps};
    complete(startup);
    const AdapterView other{.serial = 2, .is_powered = true};
    EXPECT_EQ(startup.next(&other, kNow), 1U);
    EXPECT_FALSE(startup.is_done());
    startup.on_reply(1, true, kNow);  // of the old one, late
    EXPECT_EQ(startup.next(&other, kNow), std::nullopt) << "its own reply is still to come";
    startup.on_reply(2, true, kNow);
    EXPECT_EQ(startup.next(&other, kNow), 2U);
}

TEST(Startup, BeginsAnewWhenThePowerIsLost) {
    Startup startup{kSteps};
    complete(startup);
    EXPECT_EQ(startup.next(&kOff, kNow), Startup::kPower);
    EXPECT_FALSE(startup.is_done());
}

TEST(Startup, ForgetsAnAdapterThatIsGone) {
    Startup startup{kSteps};
    complete(startup);
    EXPECT_EQ(startup.next(nullptr, kNow), std::nullopt);
    EXPECT_FALSE(startup.is_done());
    complete(startup);
}

TEST(Startup, DoesAgainWhatDoesNotHold) {
    Startup startup{kSteps};
    complete(startup);
    startup.redo(2, kNow);
    EXPECT_FALSE(startup.is_done());
    EXPECT_EQ(startup.next(&kOn, kNow), std::nullopt);
    EXPECT_EQ(startup.next(&kOn, kNow + kCallBackoffMin), 2U);
}

}  // namespace
}  // namespace sotto::air::bluez
