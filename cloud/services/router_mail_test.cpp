// SPDX-License-Identifier: Apache-2.0
// Mailboxes: what is stored, for how long, and who is told.
#include <gtest/gtest.h>

#include "cloud/services/router_world.hpp"
#include "cloud/services/sealed.hpp"

namespace sotto::cloud::services {
namespace {

using channel::Fate;
using channel::OutcomeCode;
using Outcomes = std::vector<OutcomeCode>;

// NON POST with a token, and an OSCORE option or none.
const Buffer kSealed{0x51, 0x02, 0, 1, 0x07, 0x92, 0x09, 0x00, 0xff, 0x55};
const Buffer kHandshake{0x51, 0x02, 0, 1, 0x07, 0xff, 0xf5, 0x03};

class MailTest : public ::testing::Test {
  protected:
    MailTest() { attach(); }
    void attach() { world.attach(gateway, ++link, 1, World::kAnn); }
    void leave() {
        world.link_down(gateway, link);
        world.next_event<LinkGone>();
    }
    std::size_t waiting_count() {
        return world.letter_count(model::Mailbox::of_device(World::device(1)));
    }

    World world;
    const GatewayId gateway = world.connect_gateway();
    std::uint32_t link = 0;
};

TEST_F(MailTest, ADeferredMessageIsStoredBeforeItIsHandedOnEvenToOneWhoIsHere) {
    const AppConnectionId app = world.connect_app();
    world.send(app, 1, kSealed, 600);
    EXPECT_EQ(world.app(app).outcomes, Outcomes{OutcomeCode::Stored});
    EXPECT_EQ(world.gateway(gateway).messages.size(), 1U);
    EXPECT_EQ(waiting_count(), 1U);
    leave();  // before the gateway passed it on
    attach();
    EXPECT_EQ(world.gateway(gateway).messages.size(), 2U);
    world.credit(gateway, link, 1);
    EXPECT_EQ(waiting_count(), 0U);
}

TEST_F(MailTest, TellsASenderWhoIsHereThatItsMessageExpired) {
    leave();
    const AppConnectionId app = world.connect_app();
    EXPECT_EQ(world.app(app).caught_up_count, 1);
    world.send(app, 1, kSealed, 10, 42);
    world.pass(seconds(10));
    world.pass(kPurgeInterval);
    ASSERT_EQ(world.app(app).notices.size(), 1U);
    EXPECT_EQ(world.app(app).notices[0].reference, 42U);
    EXPECT_EQ(world.app(app).notices[0].fate, Fate::Expired);
    EXPECT_EQ(world.router.counters().expired, 1U);
}

TEST_F(MailTest, KeepsANoticeForASenderWhoIsAwayUntilItIsAcknowledged) {
    leave();
    const AppConnectionId first = world.connect_app();
    world.send(first, 1, kSealed, 10, 42);
    world.close_app(first);
    world.pass(seconds(10));
    world.pass(kPurgeInterval);
    std::uint64_t sequence = 0;
    for (int i = 0; i < 2; ++i) {
        const AppConnectionId app = world.connect_app();
        ASSERT_EQ(world.app(app).notices.size(), 1U);
        sequence = world.app(app).notices[0].sequence;
        EXPECT_EQ(world.app(app).caught_up_count, 1);
        if (i == 1) world.ack(app, sequence);
        world.close_app(app);
    }
    EXPECT_TRUE(world.app(world.connect_app()).notices.empty());
    world.pass(seconds(1));
}

TEST_F(MailTest, AnExpiredLetterIsNoticedThoughALaterOneIsHandedOn) {
    leave();
    const AppConnectionId app = world.connect_app();
    world.send(app, 1, kSealed, 10, 1);
    world.send(app, 1, kSealed, 600, 2);
    world.pass(seconds(10));
    attach();
    world.credit(gateway, link, 1);
    world.pass(kPurgeInterval);
    EXPECT_EQ(waiting_count(), 0U);
    ASSERT_EQ(world.app(app).notices.size(), 1U);
    EXPECT_EQ(world.app(app).notices[0].reference, 1U);
}

TEST_F(MailTest, KeepsAHandshakeNoLongerThanItCanLast) {
    ASSERT_TRUE(is_sealed(kSealed));
    ASSERT_FALSE(is_sealed(kHandshake));
    leave();
    const AppConnectionId app = world.connect_app();
    world.send(app, 1, kHandshake, 36'000);
    world.send(app, 1, kSealed, 36'000);
    EXPECT_EQ(waiting_count(), 2U);
    world.pass(kUnsealedLetterLife);
    EXPECT_EQ(waiting_count(), 1U);
    attach();
    world.close_app(app);
    world.pass(kPurgeInterval);  // the notice is there
    world.from_device(gateway, link, 2, kHandshake);
    world.from_device(gateway, link, 2, kSealed);
    const auto mailbox = model::Mailbox::of_app(World::address(World::kAnn));
    const std::size_t count = world.letter_count(mailbox);
    world.pass(kUnsealedLetterLife);
    EXPECT_EQ(world.letter_count(mailbox), count - 1);
}

TEST_F(MailTest, CutsALifetimeThatIsTooLong) {
    leave();
    world.send(world.connect_app(), 1, kSealed, 0xffff'ffff);
    world.now = world.now + kDeviceLetterLifeMax - seconds(1);
    EXPECT_EQ(waiting_count(), 1U);
    world.now = world.now + seconds(1);
    EXPECT_EQ(waiting_count(), 0U);
}

TEST_F(MailTest, AFullMailboxIsSaidAndEmptiesAgain) {
    leave();
    const AppConnectionId app = world.connect_app();
    for (std::size_t i = 0; i < kDeviceMailbox.count_max; ++i) world.send(app, 1, kSealed, 5);
    world.send(app, 1, kSealed, 600);
    EXPECT_EQ(world.app(app).outcomes.back(), OutcomeCode::MailboxFull);
    world.now = world.now + seconds(5);
    world.send(app, 1, kSealed, 600);
    EXPECT_EQ(world.app(app).outcomes.back(), OutcomeCode::Stored);
}

}  // namespace
}  // namespace sotto::cloud::services
