// SPDX-License-Identifier: Apache-2.0
// What is written down and counted of what happens, and the good-bye at the end.
#include "cloud/services/note.hpp"

#include <gtest/gtest.h>

#include "cloud/services/router_world.hpp"

namespace sotto::cloud::services {
namespace {

TEST(RouterCensus, CountsWhoIsHere) {
    World world;
    EXPECT_EQ(world.router.census().gateways, 0U);
    const GatewayId gateway = world.connect_gateway();
    static_cast<void>(world.connect_gateway("wrong"));
    const auto app = world.connect_app(World::address(World::kAnn));
    world.send(app, 1, {1});
    world.settle();
    const Census census = world.router.census();
    EXPECT_EQ(census.gateways, 1U);
    EXPECT_EQ(census.strangers, 1U);
    EXPECT_EQ(census.apps, 1U);
    EXPECT_EQ(world.router.counters().gateways_welcomed, 1U);
    EXPECT_EQ(world.router.counters().gateways_refused, 1U);
    EXPECT_EQ(world.router.counters().apps_connected, 1U);
    const auto not_connected = static_cast<std::size_t>(channel::OutcomeCode::NotConnected);
    EXPECT_EQ(world.router.counters().outcomes[not_connected], 1U);
    static_cast<void>(gateway);
}

TEST(RouterShutDown, ClosesEverybodyAfterWhatThereWasToSay) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    const auto app = world.connect_app(World::address(World::kAnn));
    world.send(app, 1, {1});
    world.router.shut_down(world.now);
    world.settle();
    EXPECT_TRUE(world.gateway(gateway).is_closed);
    EXPECT_TRUE(world.app(app).is_closed);
    EXPECT_EQ(world.app(app).outcomes, std::vector{channel::OutcomeCode::NotConnected});
}

}  // namespace
}  // namespace sotto::cloud::services
