// SPDX-License-Identifier: Apache-2.0
// Limits of the gateway that its other tests do not reach, and what happens then (docs/limits.md).
#include "gateway/relay/limits.hpp"

#include <gtest/gtest.h>

#include "gateway/relay/grace.hpp"
#include "gateway/relay/rig.hpp"

namespace sotto::gateway::relay {
namespace {

TEST(RelayLimits, GraceIsKeptForSoManyDevicesAndTheOldestIsForgotten) {
    Grace grace;
    const Instant now{1'000};
    const auto device = [](std::size_t number) {
        framing::DeviceId id{};
        id[0] = static_cast<std::uint8_t>(number);
        return id;
    };
    for (std::size_t i = 0; i < kGraceMax; ++i) grace.give(device(i), now);
    EXPECT_EQ(grace.until(device(0), now), now + kGraceTime);
    grace.give(device(kGraceMax), now);
    EXPECT_LT(grace.until(device(0), now), now);
    EXPECT_EQ(grace.until(device(1), now), now + kGraceTime);
    EXPECT_EQ(grace.until(device(kGraceMax), now), now + kGraceTime);
}

TEST(RelayLimits, ACloudThatSendsMoreThanItsCreditIsLeft) {
    Rig rig;
    rig.pass({});
    rig.open_cloud(kHome, framing::kUplinkCreditMax);
    rig.relay.on_link_up(LinkId{1}, rig.now);
    rig.frame(LinkId{1}, Rig::attach(false));
    rig.take();
    std::size_t in_air = 0;
    for (std::size_t i = 0; i < kToDeviceQueueMax; ++i) rig.cloud_says(LinkId{1}, 1, "m");
    while (const auto output = rig.relay.next_output()) {
        EXPECT_TRUE(std::holds_alternative<SendToDevice>(*output));
        ++in_air;
    }
    EXPECT_EQ(in_air, kInAirMax) << "the others wait";
    rig.cloud_says(LinkId{1}, 1, "one more");
    const auto output = rig.relay.next_output();
    ASSERT_TRUE(output && std::holds_alternative<CloseCloud>(*output));
    EXPECT_EQ(std::get<CloseCloud>(*output).why, Break::CreditExceeded);
}

}  // namespace
}  // namespace sotto::gateway::relay
