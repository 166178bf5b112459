// SPDX-License-Identifier: Apache-2.0
// Limits of the router that its other tests do not reach, and what is answered then
// (docs/limits.md).
#include "cloud/services/limits.hpp"

#include "cloud/services/router_world.hpp"

namespace sotto::cloud::services {
namespace {

using channel::OutcomeCode;

const Buffer kCall{0xca, 0x11};

TEST(RouterLimits, OneGatewayMoreThanTheMostIsToldThatTheCloudIsFull) {
    World world;
    for (std::size_t i = 0; i < kGatewaysMax; ++i)
        ASSERT_TRUE(world.gateway(world.connect_gateway()).is_welcome) << i;
    const GatewayId one_more = world.connect_gateway();
    EXPECT_EQ(world.gateway(one_more).refused, uplink::Reason::Full);
    EXPECT_TRUE(world.gateway(one_more).is_closed);
    world.close_gateway(one_more);
    world.close_gateway(GatewayId{1});
    EXPECT_TRUE(world.gateway(world.connect_gateway()).is_welcome);
}

TEST(RouterLimits, OneAppMoreThanTheMostIsTurnedAway) {
    World world;
    const auto address = [](std::size_t number) {
        model::AppAddress app = World::address(World::kAnn);
        app.app.bytes[2] = static_cast<std::uint8_t>(number >> 8);
        app.app.bytes[3] = static_cast<std::uint8_t>(number);
        return app;
    };
    AppConnectionId last;
    for (std::size_t i = 0; i < kAppsMax; ++i) last = world.connect_app(address(i));
    EXPECT_FALSE(world.router.on_app_connected(address(kAppsMax), world.now));
    world.close_app(last);
    EXPECT_TRUE(world.router.on_app_connected(address(kAppsMax), world.now));
}

framing::Attach attach_of(std::uint16_t number, bool has_owner) {
    framing::Attach attach{.has_owner = has_owner};
    attach.device_id[0] = static_cast<std::uint8_t>(number >> 8);
    attach.device_id[1] = static_cast<std::uint8_t>(number);
    return attach;
}

OutcomeCode send_to(World& world, AppConnectionId app, const framing::Attach& to) {
    std::array<std::uint8_t, framing::kChannelRecordSizeMax> scratch{};
    const channel::Send send{
        .reference = channel::Reference{1}, .device_id = to.device_id, .message = kCall};
    world.raw_from_app(app, channel::encode_record(scratch, send).value());
    return world.app(app).outcomes.back();
}

TEST(RouterLimits, DevicesThatWentAreRememberedForTheirTalkersUpToANumber) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    const AppConnectionId app = world.connect_app();
    std::uint32_t link = 0;
    const auto come = [&](const framing::Attach& attach) {
        world.from_gateway(gateway,
                           uplink::LinkUp{.link = uplink::LinkId{++link}, .attach = attach});
    };
    // Each is paired with, so to speak, and goes.
    for (std::uint16_t number = 0; number <= kDevicesWithoutLinkMax; ++number) {
        come(attach_of(number, false));
        ASSERT_EQ(send_to(world, app, attach_of(number, false)), OutcomeCode::HandedOn);
        world.link_down(gateway, link);
    }
    come(attach_of(0, true));
    EXPECT_EQ(send_to(world, app, attach_of(0, true)), OutcomeCode::HandedOn) << "remembered";
    const auto last = static_cast<std::uint16_t>(kDevicesWithoutLinkMax);
    come(attach_of(last, true));
    EXPECT_EQ(send_to(world, app, attach_of(last, true)), OutcomeCode::NotPermitted) << "one more";
}

// An app that the device knows as label 2, and that is away.
struct Absent {
    Absent() {
        world.attach(gateway, 1, 1, World::kAnn);
        const AppConnectionId app = world.connect_app();
        world.send(app, 1, kCall);
        world.close_app(app);
    }
    void device_says(std::size_t number) {
        world.from_device(gateway,
                          1,
                          2,
                          {0x50,  // NON, 2.04, an OSCORE option
                           0x44,
                           0,
                           1,
                           0x90,
                           0xff,
                           static_cast<std::uint8_t>(number >> 8),
                           static_cast<std::uint8_t>(number)});
    }
    std::size_t waiting() {
        return world.letter_count(model::Mailbox::of_app(World::address(World::kAnn)));
    }

    World world;
    const GatewayId gateway = world.connect_gateway();
};

TEST(RouterLimits, TheMailboxOfAnAppTakesSoManyLettersAndDropsTheRest) {
    Absent absent;
    for (std::size_t i = 0; i < store::kAppMailbox.count_max; ++i) absent.device_says(i);
    EXPECT_EQ(absent.world.router.counters().dropped_from_device, 0U);
    absent.device_says(0);
    EXPECT_EQ(absent.world.router.counters().dropped_from_device, 1U);
    EXPECT_EQ(absent.waiting(), store::kAppMailbox.count_max);
    EXPECT_FALSE(absent.world.gateway(absent.gateway).is_closed);
}

TEST(RouterLimits, LettersForAnAppWaitForAWeekAndThoseOfAStrangerForMinutes) {
    Absent absent;
    absent.device_says(1);
    absent.world.pass(milliseconds(kAppLetterLife.ms - 1));
    EXPECT_EQ(absent.waiting(), 1U);
    absent.world.pass(milliseconds(1));
    EXPECT_EQ(absent.waiting(), 0U);

    World world;  // paired through, and gone before the answer
    const GatewayId gateway = world.connect_gateway();
    world.link_up(gateway, 1, 1);
    const AppConnectionId app = world.connect_app();
    world.send(app, 1, kCall);
    world.close_app(app);
    world.from_device(gateway, 1, 2, kCall);
    const auto mailbox = model::Mailbox::of_app(World::address(World::kAnn));
    EXPECT_EQ(world.letter_count(mailbox), 1U);
    world.pass(kStrangerLetterLife);
    EXPECT_EQ(world.letter_count(mailbox), 0U);
}

// Between two runs somebody sets the clock of the machine. While one runs the cloud counts by
// itself (cloud/server/clock_test.cpp).
class ClockJump : public ::testing::TestWithParam<std::int64_t> {};

TEST_P(ClockJump, NeitherLosesALetterTooEarlyNorStopsNewOnes) {
    const Duration jump = milliseconds(GetParam());
    World world;
    GatewayId gateway = world.connect_gateway();
    world.attach(gateway, 1, 1, World::kAnn);
    AppConnectionId app = world.connect_app();
    world.link_down(gateway, 1);
    world.send(app, 1, {1}, 600);
    ASSERT_EQ(world.app(app).outcomes.back(), OutcomeCode::Stored);

    world.now = world.now + jump;
    world.restart();
    gateway = world.connect_gateway();
    app = world.connect_app();
    world.send(app, 1, {2}, 600);
    EXPECT_EQ(world.app(app).outcomes.back(), OutcomeCode::Stored);
    world.attach(gateway, 1, 1, World::kAnn);
    for (int i = 0; i < 4; ++i) world.credit(gateway, 1, 1);
    std::vector<Buffer> came;
    for (const Carried& carried : world.gateway(gateway).messages) came.push_back(carried.message);
    if (jump.ms > 600'000) {
        EXPECT_EQ(came, std::vector<Buffer>{{2}}) << "the other has expired, by that clock";
    } else {
        EXPECT_EQ(came, (std::vector<Buffer>{{1}, {2}}));
    }
}

constexpr std::int64_t kYear = 365LL * 24 * 60 * 60'000;
INSTANTIATE_TEST_SUITE_P(Both, ClockJump, ::testing::Values(-kYear, -1'000, 1'000, kYear));

}  // namespace
}  // namespace sotto::cloud::services
