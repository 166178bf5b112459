// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/router.hpp"

#include "cloud/services/router_world.hpp"

namespace sotto::cloud::services {
namespace {

using channel::OutcomeCode;
using Outcomes = std::vector<OutcomeCode>;
using Carrieds = std::vector<Carried>;
using Delivereds = std::vector<Delivered>;

const Buffer kCall{0xca, 0x11};
const Buffer kReply{0x4e, 0x91, 0x1e};

TEST(Router, CarriesBetweenAnAppAndADeviceWithoutOwner) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.link_up(gateway, 9, 1);
    const AppConnectionId app = world.connect_app(World::address(World::kBob));
    world.send(app, 1, kCall);
    EXPECT_EQ(world.app(app).outcomes, Outcomes{OutcomeCode::HandedOn});
    ASSERT_EQ(world.gateway(gateway).messages, (Carrieds{{9, 2, kCall}}));
    world.from_device(gateway, 9, 2, kReply);
    EXPECT_EQ(world.app(app).delivered, (Delivereds{{0, kReply}}));
}

TEST(Router, GivesEachAppALabelOfItsOwnThatStays) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.link_up(gateway, 1, 1);
    const AppConnectionId ann = world.connect_app(World::address(World::kAnn));
    const AppConnectionId bob = world.connect_app(World::address(World::kBob));
    world.send(ann, 1, kCall);
    world.send(bob, 1, kCall);
    world.link_down(gateway, 1);
    world.close_app(bob);
    world.link_up(gateway, 2, 1);
    const AppConnectionId again = world.connect_app(World::address(World::kBob));
    world.send(again, 1, kCall);
    EXPECT_EQ(world.gateway(gateway).messages,
              (Carrieds{{1, 2, kCall}, {1, 3, kCall}, {2, 3, kCall}}));
    world.from_device(gateway, 2, 3, kReply);
    EXPECT_TRUE(world.app(ann).delivered.empty());
    EXPECT_EQ(world.app(again).delivered.size(), 1U);
}

TEST(Router, SaysThatADeviceIsNotConnected) {
    World world;
    const AppConnectionId app = world.connect_app();
    world.send(app, 1, kCall);
    EXPECT_EQ(world.app(app).outcomes, Outcomes{OutcomeCode::NotConnected});
    world.send(app, 1, kCall, 60);
    EXPECT_EQ(world.app(app).outcomes.back(), OutcomeCode::NotPermitted) << "of nobody we know";
}

TEST(Router, LetsAStrangerReachOnlyWhoTalksToIt) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.link_up(gateway, 1, 1);
    const AppConnectionId app = world.connect_app();
    world.send(app, 1, kCall);
    world.link_down(gateway, 1);
    // Another gateway claims the id of the device: it hears nothing and is not heard.
    world.pass(kTalkTime);
    const GatewayId other = world.connect_gateway();
    world.link_up(other, 1, 1);
    world.from_device(other, 1, 2, kReply);
    EXPECT_TRUE(world.app(app).delivered.empty());
    EXPECT_EQ(world.router.counters().dropped_from_device, 1U);
}

TEST(Router, DropsWhatComesUnderAnUnknownLabel) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.link_up(gateway, 1, 1);
    for (const std::uint16_t label : std::array<std::uint16_t, 4>{1, 2, 3, 0xffff}) {
        world.from_device(gateway, 1, label, kReply);
    }
    EXPECT_EQ(world.router.counters().dropped_from_device, 4U);
    EXPECT_FALSE(world.gateway(gateway).is_closed) << "a device must not end its gateway";
    EXPECT_FALSE(world.router.next_device_event().has_value());
}

TEST(Router, LimitsTheRateTowardsAStranger) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.link_up(gateway, 1, 1);
    const AppConnectionId app = world.connect_app();
    for (std::uint32_t i = 0; i <= kStrangerRate.burst; i++) {
        world.send(app, 1, kCall);
        world.credit(gateway, 1, 1);
    }
    EXPECT_EQ(world.gateway(gateway).messages.size(), kStrangerRate.burst);
    EXPECT_EQ(world.app(app).outcomes.back(), OutcomeCode::RateLimited);
    world.pass(kStrangerRate.refill);
    world.send(app, 1, kCall);
    EXPECT_EQ(world.app(app).outcomes.back(), OutcomeCode::HandedOn);
}

TEST(Router, LimitsTheRateFromAStranger) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.link_up(gateway, 1, 1);
    const AppConnectionId app = world.connect_app();
    world.send(app, 1, kCall);
    for (std::uint32_t i = 0; i < 2 * kStrangerRate.burst; i++) {
        world.from_device(gateway, 1, 2, kReply);
    }
    EXPECT_EQ(world.app(app).delivered.size(), kStrangerRate.burst);
    EXPECT_FALSE(world.gateway(gateway).is_closed);
}

TEST(Router, KeepsTheAppThatPairedWithADeviceConnectedToIt) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.link_up(gateway, 1, 1);
    const AppConnectionId ann = world.connect_app(World::address(World::kAnn));
    const AppConnectionId bob = world.connect_app(World::address(World::kBob));
    world.send(ann, 1, kCall);
    world.link_up(gateway, 1, 1, true);  // now it has an owner
    world.send(bob, 1, kCall);
    EXPECT_EQ(world.app(bob).outcomes, Outcomes{OutcomeCode::NotPermitted});
    world.pass(seconds(100));
    world.send(ann, 1, kCall);
    EXPECT_EQ(world.app(ann).outcomes.back(), OutcomeCode::HandedOn);
    world.pass(kTalkTime);
    world.send(ann, 1, kCall);
    EXPECT_EQ(world.app(ann).outcomes.back(), OutcomeCode::NotPermitted);
}

TEST(Router, StartsToAttachOnlyADeviceWhoseOwnerChoseThisCloud) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.link_up(gateway, 1, 1);
    world.link_up(gateway, 2, 2, true);
    world.from_gateway(gateway,
                       uplink::LinkUp{.link = uplink::LinkId{3},
                                      .attach = {.has_owner = true,
                                                 .device_id = World::device(3),
                                                 .address = "elsewhere:1",
                                                 .cloud_credential = {1}}});
    EXPECT_FALSE(world.router.next_device_event().has_value());
    world.link_up_ours(gateway, 4, 4);
    const auto start = world.next_event<StartAttach>();
    EXPECT_EQ(start.device, World::device(4));
    EXPECT_FALSE(start.credential.has_value());
}

TEST(Router, CarriesTheMessagesOfItsOwnSession) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.link_up_ours(gateway, 1, 1);
    const LinkKey link = world.next_event<StartAttach>().link;
    world.router.send_link_message(link, kCall, world.now);
    world.settle();
    EXPECT_EQ(world.gateway(gateway).messages, (Carrieds{{1, 1, kCall}}));
    world.from_device(gateway, 1, 1, kReply);
    const auto message = world.next_event<LinkMessage>();
    EXPECT_EQ(message.link, link);
    EXPECT_EQ(message.message, kReply);
    world.link_down(gateway, 1);
    EXPECT_EQ(world.next_event<LinkGone>().link, link);
    world.router.send_link_message(link, kCall, world.now);  // too late: nothing happens
}

TEST(Router, AttachesADeviceThatProvedItselfAndTellsItsAccount) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    const AppConnectionId ann = world.connect_app(World::address(World::kAnn));
    const AppConnectionId bob = world.connect_app(World::address(World::kBob));
    world.attach(gateway, 1, 1, World::kAnn);
    EXPECT_TRUE(world.router.is_connected(World::device(1)));
    EXPECT_EQ(world.app(ann).states, std::vector<bool>{true});
    EXPECT_TRUE(world.app(bob).states.empty());
    world.send(ann, 1, kCall);
    world.send(bob, 1, kCall);
    EXPECT_EQ(world.app(ann).outcomes, Outcomes{OutcomeCode::HandedOn});
    EXPECT_EQ(world.app(bob).outcomes, Outcomes{OutcomeCode::NotPermitted});
    world.link_down(gateway, 1);
    EXPECT_EQ(world.app(ann).states, (std::vector<bool>{true, false}));
    EXPECT_FALSE(world.router.is_connected(World::device(1)));
}

TEST(Router, TellsANewChannelWhatIsConnected) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.attach(gateway, 1, 1, World::kAnn);
    EXPECT_EQ(world.app(world.connect_app()).states, std::vector<bool>{true});
}

TEST(Router, AttachesARegisteredDeviceWithoutAClaim) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.attach(gateway, 1, 1, World::kAnn);
    world.link_down(gateway, 1);
    world.next_event<LinkGone>();
    world.link_up_ours(gateway, 2, 1);
    const auto start = world.next_event<StartAttach>();
    EXPECT_EQ(start.credential, World::credential(1));
    world.router.on_attached(start.link, {World::device(1), World::credential(1), {}}, world.now);
    EXPECT_TRUE(world.router.is_connected(World::device(1)));
}

TEST(Router, AttachesNothingWithoutARightProof) {
    const model::ClaimCode no_claim{{0xff}};
    const Proof cases[] = {
        {World::device(2), World::credential(2), no_claim},  // another device than the link said
        {World::device(1), World::credential(2), no_claim},  // a credential with another id
        {World::device(1), World::credential(1), no_claim},  // an unknown claim
        {World::device(1), World::credential(1), {}},        // no claim, and not registered
    };
    for (const Proof& proof : cases) {
        World world;
        const GatewayId gateway = world.connect_gateway();
        world.link_up_ours(gateway, 1, 1);
        world.router.on_attached(world.next_event<StartAttach>().link, proof, world.now);
        world.settle();
        EXPECT_FALSE(world.router.is_connected(World::device(1)));
        EXPECT_EQ(world.router.counters().attach_failed, 1U);
        // And the next good attach works.
        world.attach(gateway, 1, 1, World::kAnn);
        EXPECT_TRUE(world.router.is_connected(World::device(1)));
    }
}

TEST(Router, RefusesAForeignCredentialForAKnownDevice) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.attach(gateway, 1, 1, World::kAnn);
    world.link_down(gateway, 1);
    world.next_event<LinkGone>();
    model::CredentialHash forged = World::credential(1);
    forged[20] ^= 1;  // the same id
    world.link_up_ours(gateway, 2, 1);
    world.router.on_attached(
        world.next_event<StartAttach>().link, {World::device(1), forged, {}}, world.now);
    world.settle();
    EXPECT_FALSE(world.router.is_connected(World::device(1)));
}

TEST(Router, PrefersTheNewestProofOfOneDevice) {
    World world;
    const GatewayId first = world.connect_gateway();
    const GatewayId second = world.connect_gateway();
    world.attach(first, 1, 1, World::kAnn);
    world.attach(second, 1, 1, World::kAnn);
    EXPECT_EQ(world.gateway(first).releases, std::vector<std::uint32_t>{1});
    const AppConnectionId app = world.connect_app();
    world.send(app, 1, kCall);
    EXPECT_TRUE(world.gateway(first).messages.empty());
    EXPECT_EQ(world.gateway(second).messages.size(), 1U);
    world.link_down(first, 1);  // the leftover goes: nothing changes
    EXPECT_TRUE(world.router.is_connected(World::device(1)));
}

TEST(Router, RoutesPairingToTheNewestLinkThatClaimsADevice) {
    World world;
    const GatewayId first = world.connect_gateway();
    const GatewayId second = world.connect_gateway();
    world.link_up(first, 1, 1);
    world.link_up(second, 1, 1);
    world.send(world.connect_app(), 1, kCall);
    EXPECT_TRUE(world.gateway(first).messages.empty());
    EXPECT_EQ(world.gateway(second).messages.size(), 1U);
}

TEST(Router, BoundsTheClaimantsOfADevice) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    for (std::uint32_t link = 1; link <= kClaimantsPerDeviceMax + 1; link++) {
        world.link_up(gateway, link, 1);
    }
    EXPECT_EQ(world.gateway(gateway).releases, std::vector<std::uint32_t>{1});
    world.from_device(gateway, 1, 2, kReply);  // on its way meanwhile
    world.link_down(gateway, 1);
    EXPECT_FALSE(world.gateway(gateway).is_closed);
}

TEST(Router, BoundsTheLinksOfAGateway) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    for (std::uint32_t link = 1; link <= kLinksPerGatewayMax + 1; link++) {
        world.from_gateway(gateway,
                           uplink::LinkUp{.link = uplink::LinkId{link},
                                          .attach = {.device_id = {std::uint8_t(link / 8)}}});
    }
    EXPECT_FALSE(world.gateway(gateway).is_closed);
    EXPECT_EQ(world.gateway(gateway).releases.back(), kLinksPerGatewayMax + 1);
    world.from_device(gateway, kLinksPerGatewayMax + 1, 2, kReply);  // released: not looked at
    world.link_down(gateway, kLinksPerGatewayMax + 1);
    EXPECT_FALSE(world.gateway(gateway).is_closed);
}

TEST(Router, NeverSendsMoreThanItHasCreditForAndBoundsTheQueue) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.attach(gateway, 1, 1, World::kAnn);
    const AppConnectionId app = world.connect_app();
    const std::size_t total = kLinkCredit + kLinkQueueCountMax;
    for (std::size_t i = 0; i <= total; i++) world.send(app, 1, kCall);
    EXPECT_EQ(world.gateway(gateway).messages.size(), kLinkCredit);
    EXPECT_EQ(world.app(app).outcomes[total - 1], OutcomeCode::HandedOn);
    EXPECT_EQ(world.app(app).outcomes[total], OutcomeCode::MailboxFull);
    world.credit(gateway, 1, 3);
    EXPECT_EQ(world.gateway(gateway).messages.size(), kLinkCredit + 3U);
    world.credit(gateway, 1, kLinkQueueCountMax);
    EXPECT_EQ(world.gateway(gateway).messages.size(), total);
}

TEST(Router, GivesCreditBackForWhatItPassedOn) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.attach(gateway, 1, 1, World::kAnn);
    for (int i = 0; i < 10 * kLinkCredit; i++) world.from_device(gateway, 1, 2, kReply);
    EXPECT_EQ(world.gateway(gateway).credit, 10U * kLinkCredit);
    EXPECT_FALSE(world.gateway(gateway).is_closed);
}

TEST(Router, ClosesAGatewayThatBreaksTheRulesAndLeavesTheOthersAlone) {
    using Breach = void (*)(World&, GatewayId);
    const Breach breaches[] = {
        [](World& world, GatewayId id) { world.from_device(id, 99, 2, kReply); },
        [](World& world, GatewayId id) { world.credit(id, 99, 1); },
        [](World& world, GatewayId id) { world.link_down(id, 99); },
        [](World& world, GatewayId id) { world.credit(id, 1, 0xffff); },
        [](World& world, GatewayId id) { world.raw_from_gateway(id, Buffer{0, 0}); },
        [](World& world, GatewayId id) { world.raw_from_gateway(id, Buffer{0, 1, 0x77}); },
        [](World& world, GatewayId id) { world.from_gateway(id, uplink::Hello{.token = "a"}); },
    };
    for (const Breach breach : breaches) {
        World world;
        const GatewayId good = world.connect_gateway();
        const GatewayId bad = world.connect_gateway();
        world.attach(good, 1, 1, World::kAnn);
        world.attach(bad, 1, 2, World::kAnn);
        breach(world, bad);
        EXPECT_TRUE(world.gateway(bad).is_closed);
        EXPECT_FALSE(world.router.is_connected(World::device(2)));
        EXPECT_TRUE(world.router.is_connected(World::device(1)));
        EXPECT_FALSE(world.gateway(good).is_closed);
    }
}

TEST(Router, GivesCreditBackWithinOneBurst) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.link_up(gateway, 1, 1);
    Buffer burst;
    std::array<std::uint8_t, framing::kUplinkBytesMax> scratch{};
    const auto one = uplink::encode_record(
        scratch,
        uplink::Message{.link = uplink::LinkId{1}, .label = framing::Label{2}, .message = kReply});
    for (int i = 0; i < kLinkCredit; i++) burst.insert(burst.end(), one->begin(), one->end());
    world.raw_from_gateway(gateway, burst);
    EXPECT_FALSE(world.gateway(gateway).is_closed) << "credit came back on the way";
}

TEST(Router, RefusesAGatewayWithABadToken) {
    World world;
    const GatewayId gateway = world.connect_gateway("wrong");
    EXPECT_EQ(world.gateway(gateway).refused, uplink::Reason::BadToken);
    EXPECT_TRUE(world.gateway(gateway).is_closed);
    EXPECT_TRUE(world.gateway(world.connect_gateway()).is_welcome);
}

TEST(Router, BoundsGatewaysThatDidNotSignIn) {
    World world;
    std::vector<GatewayId> strangers;
    while (const auto id = world.router.on_gateway_connected(world.now)) strangers.push_back(*id);
    EXPECT_EQ(strangers.size(), kGatewayStrangersMax);
    world.pass(kHelloTimeMax);
    for (const GatewayId id : strangers) EXPECT_TRUE(world.gateway(id).is_closed);
    for (const GatewayId id : strangers) world.close_gateway(id);
    EXPECT_TRUE(world.gateway(world.connect_gateway()).is_welcome);
}

TEST(Router, CarriesForTheConnectedWithoutTheStore) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.attach(gateway, 1, 1, World::kAnn);
    const AppConnectionId app = world.connect_app();
    world.send(app, 1, kCall);  // learns the label
    const std::size_t before = world.store.operation_count();
    for (int i = 0; i < 100; i++) {
        world.send(app, 1, kCall);
        world.credit(gateway, 1, 1);
        world.from_device(gateway, 1, 2, kReply);
    }
    EXPECT_EQ(world.store.operation_count(), before);
    EXPECT_EQ(world.app(app).delivered.size(), 100U);
}

TEST(Router, StoresForAnAbsentDeviceOfTheAccountAndSendsWhenItAttaches) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.attach(gateway, 1, 1, World::kAnn);
    world.link_down(gateway, 1);
    world.next_event<LinkGone>();
    const AppConnectionId ann = world.connect_app(World::address(World::kAnn));
    const AppConnectionId bob = world.connect_app(World::address(World::kBob));
    world.send(ann, 1, {1}, 600);
    world.send(ann, 1, {2}, 600);
    world.send(ann, 1, {3}, 0);
    world.send(bob, 1, {4}, 600);
    EXPECT_EQ(world.app(ann).outcomes,
              (Outcomes{OutcomeCode::Stored, OutcomeCode::Stored, OutcomeCode::NotConnected}));
    EXPECT_EQ(world.app(bob).outcomes, Outcomes{OutcomeCode::NotPermitted});
    world.attach(gateway, 2, 1, World::kAnn);
    EXPECT_EQ(world.gateway(gateway).messages, (Carrieds{{2, 2, {1}}, {2, 2, {2}}}));
}

TEST(Router, KeepsALetterUntilTheGatewayPassedItOn) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.attach(gateway, 1, 1, World::kAnn);
    world.link_down(gateway, 1);
    world.next_event<LinkGone>();
    const AppConnectionId app = world.connect_app();
    world.send(app, 1, {1}, 600);
    world.send(app, 1, {2}, 600);
    const model::Mailbox mailbox = model::Mailbox::of_device(World::device(1));
    world.attach(gateway, 2, 1, World::kAnn);
    EXPECT_EQ(world.letter_count(mailbox), 2U);
    world.credit(gateway, 2, 1);
    EXPECT_EQ(world.letter_count(mailbox), 1U);
    world.link_down(gateway, 2);
    world.next_event<LinkGone>();
    world.attach(gateway, 3, 1, World::kAnn);
    EXPECT_EQ(world.gateway(gateway).messages.back(), (Carried{3, 2, {2}}));
    world.credit(gateway, 3, 1);
    EXPECT_EQ(world.letter_count(mailbox), 0U);
}

TEST(Router, SendsAllLettersInOrderWithinCredit) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.attach(gateway, 1, 1, World::kAnn);
    world.link_down(gateway, 1);
    world.next_event<LinkGone>();
    const AppConnectionId app = world.connect_app();
    const std::size_t count = kDeviceMailbox.count_max;
    for (std::size_t i = 0; i < count; i++) world.send(app, 1, {std::uint8_t(i)}, 600);
    world.send(app, 1, {0xff}, 600);
    EXPECT_EQ(world.app(app).outcomes.back(), OutcomeCode::MailboxFull);
    world.attach(gateway, 2, 1, World::kAnn);
    EXPECT_EQ(world.gateway(gateway).messages.size(), kLinkCredit);
    for (std::size_t i = 0; i < count; i++) world.credit(gateway, 2, 1);
    const Carrieds& messages = world.gateway(gateway).messages;
    ASSERT_EQ(messages.size(), count);
    for (std::size_t i = 0; i < count; i++) EXPECT_EQ(messages[i].message, Buffer{std::uint8_t(i)});
    EXPECT_EQ(world.letter_count(model::Mailbox::of_device(World::device(1))), 0U);
}

TEST(Router, DoesNotSendALetterThatHasExpired) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.attach(gateway, 1, 1, World::kAnn);
    world.link_down(gateway, 1);
    world.next_event<LinkGone>();
    world.send(world.connect_app(), 1, {1}, 10);
    world.pass(seconds(10));
    world.attach(gateway, 2, 1, World::kAnn);
    EXPECT_TRUE(world.gateway(gateway).messages.empty());
}

TEST(Router, KeepsWhatADeviceSendsForAnAbsentApp) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.attach(gateway, 1, 1, World::kAnn);
    const AppConnectionId first = world.connect_app();
    world.send(first, 1, kCall);
    world.close_app(first);
    const std::size_t count = kLettersPerPage + 3;
    for (std::size_t i = 0; i < count; i++) world.from_device(gateway, 1, 2, {std::uint8_t(i)});
    const AppConnectionId second = world.connect_app();
    EXPECT_EQ(world.app(second).delivered.size(), kLettersPerPage) << "more once acknowledged";
    world.ack(second, world.app(second).delivered.back().sequence);
    const Delivereds& delivered = world.app(second).delivered;
    ASSERT_EQ(delivered.size(), count);
    for (std::size_t i = 0; i < count; i++) EXPECT_EQ(delivered[i].message[0], i);
    world.close_app(second);
    const AppConnectionId third = world.connect_app();
    EXPECT_EQ(world.app(third).delivered.size(), 3U) << "not acknowledged";
    world.ack(third, world.app(third).delivered.back().sequence);
    EXPECT_EQ(world.letter_count(model::Mailbox::of_app(World::address(World::kAnn))), 0U);
}

TEST(Router, ClosesTheChannelsOfAnAccountThatIsLockedOut) {
    World world;
    const auto ann = world.connect_app(world.address(World::kAnn, 1));
    const auto other = world.connect_app(world.address(World::kAnn, 2));
    const auto bob = world.connect_app(world.address(World::kBob));
    world.router.close_apps_of(model::AccountId{99});
    world.router.close_apps_of(World::kAnn);
    world.settle();
    EXPECT_TRUE(world.app(ann).is_closed);
    EXPECT_TRUE(world.app(other).is_closed);
    EXPECT_FALSE(world.app(bob).is_closed);
}

TEST(Router, ClosesTheOlderChannelOfAnApp) {
    World world;
    const AppConnectionId first = world.connect_app();
    const AppConnectionId second = world.connect_app();
    EXPECT_TRUE(world.app(first).is_closed);
    EXPECT_FALSE(world.app(second).is_closed);
    world.close_app(first);
    world.send(second, 1, kCall);
    EXPECT_EQ(world.app(second).outcomes.size(), 1U);
}

TEST(Router, ClosesAChannelThatSendsNonsense) {
    for (const Buffer& bytes : {Buffer{},
                                Buffer{0x77},
                                Buffer{1, 2},
                                Buffer{2, 0, 0, 0, 1, 0},
                                Buffer{4, 0, 0, 0, 0, 0, 0, 0, 0}}) {
        World world;
        const AppConnectionId app = world.connect_app();
        world.raw_from_app(app, bytes);
        EXPECT_TRUE(world.app(app).is_closed);
        world.send(app, 1, kCall);
        EXPECT_TRUE(world.app(app).outcomes.empty());
    }
}

TEST(Router, AnswersTooLargeAndGoesOn) {
    World world;
    const AppConnectionId app = world.connect_app();
    Buffer send(1 + 4 + 12 + 4 + framing::kMessageSizeMax + 1, 1);
    world.raw_from_app(app, send);
    EXPECT_EQ(world.app(app).outcomes, Outcomes{OutcomeCode::TooLarge});
    EXPECT_FALSE(world.app(app).is_closed);
}

TEST(Router, ClosesAnAppThatDoesNotRead) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.attach(gateway, 1, 1, World::kAnn);
    const AppConnectionId app = world.connect_app();
    world.send(app, 1, kCall);
    const Buffer large(1'000, 7);
    Buffer record(framing::kUplinkBytesMax);
    const auto bytes = uplink::encode_record(
        record,
        uplink::Message{.link = uplink::LinkId{1}, .label = framing::Label{2}, .message = large});
    for (std::size_t sent = 0; sent <= kAppOutputBytesMax; sent += large.size()) {
        world.router.on_gateway_bytes(gateway, *bytes, world.now);  // and nobody takes the output
    }
    world.settle();
    EXPECT_TRUE(world.app(app).is_closed);
    EXPECT_FALSE(world.gateway(gateway).is_closed);
}

TEST(Router, SurvivesAStoreThatFails) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    world.attach(gateway, 1, 1, World::kAnn);
    world.link_down(gateway, 1);
    world.next_event<LinkGone>();
    const AppConnectionId app = world.connect_app();
    world.store.fail_with(Error::StorageFailed);
    world.send(app, 1, kCall, 60);
    EXPECT_EQ(world.app(app).outcomes, Outcomes{OutcomeCode::MailboxFull});
    world.link_up_ours(gateway, 2, 1);
    EXPECT_FALSE(world.router.next_device_event().has_value());
    const GatewayId other = world.connect_gateway();
    EXPECT_EQ(world.gateway(other).refused, uplink::Reason::Full);
    world.store.fail_with(std::nullopt);
    world.pass(kRetryInterval);
    const LinkKey link = world.next_event<StartAttach>().link;
    world.router.on_attached(link, {World::device(1), World::credential(1), {}}, world.now);
    EXPECT_TRUE(world.router.is_connected(World::device(1)));
}

TEST(Router, BoundsTheSendsThatWaitForTheStore) {
    World world;
    const AppConnectionId app = world.connect_app();
    std::array<std::uint8_t, framing::kChannelRecordSizeMax> scratch{};
    const auto bytes = channel::encode_record(scratch,
                                              channel::Send{.reference = channel::Reference{1},
                                                            .device_id = World::device(1),
                                                            .lifetime_s = 60,
                                                            .message = kCall});
    for (std::size_t i = 0; i <= kWaitingSendsPerAppMax; i++) {
        world.router.on_app_record(app, *bytes, world.now);  // and the store does not answer yet
    }
    world.settle();
    EXPECT_EQ(world.app(app).outcomes.front(), OutcomeCode::RateLimited);
    EXPECT_EQ(world.app(app).outcomes.size(), kWaitingSendsPerAppMax + 1);
    world.send(app, 1, kCall, 60);
    EXPECT_EQ(world.app(app).outcomes.back(), OutcomeCode::NotPermitted);
}

TEST(Router, ClosesASilentGatewayAfterPings) {
    World world;
    const GatewayId gateway = world.connect_gateway();
    for (int i = 0; i < kSilentIntervalsMax; i++) world.pass_in_silence(kPingInterval);
    EXPECT_EQ(world.gateway(gateway).pings, kSilentIntervalsMax - 1);
    EXPECT_TRUE(world.gateway(gateway).is_closed);
}

// Every sequence of four of these inputs, and then a pairing must still work.
class Inputs {
  public:
    static constexpr int kCount = 13;

    void apply(int input) {
        switch (input) {
            case 0:
                world_.link_up(gateway_, 1, 1);
                break;
            case 1:
                world_.link_up(gateway_, 1, 1, true);
                break;
            case 2:
                world_.link_up_ours(gateway_, 1, 1);
                break;
            case 3:
                world_.link_up_ours(gateway_, 2, 1);
                break;
            case 4:
                world_.link_down(gateway_, 1);
                break;
            case 5:
                world_.from_device(gateway_, 1, 2, kReply);
                break;
            case 6:
                world_.send(app_, 1, kCall, 60);
                break;
            case 7:
                prove();
                break;
            case 8:
                fail();
                break;
            case 9:
                world_.credit(gateway_, 1, 1);
                break;
            case 10:
                world_.pass(seconds(1));
                break;
            case 11:
                world_.close_app(app_);
                app_ = world_.connect_app();
                break;
            case 12:
                world_.close_gateway(gateway_);
                gateway_ = world_.connect_gateway();
                break;
            default:
                FAIL();
        }
    }

    // Whatever has happened, a new gateway with the device works.
    bool pairs() {
        const GatewayId gateway = world_.connect_gateway();
        world_.close_gateway(gateway_);
        const AppConnectionId app = world_.connect_app(World::address(World::kBob));
        world_.link_up(gateway, 1, 1);
        world_.send(app, 1, kCall);
        if (world_.gateway(gateway).messages.empty()) return false;
        const std::uint16_t label = world_.gateway(gateway).messages.back().label;
        world_.from_device(gateway, 1, label, kReply);
        return world_.app(app).delivered == Delivereds{{0, kReply}};
    }
    bool attaches() {
        while (world_.router.next_device_event()) continue;
        const GatewayId gateway = world_.connect_gateway();
        world_.attach(gateway, 5, 1, World::kAnn);
        return world_.router.is_connected(World::device(1));
    }

  private:
    std::optional<LinkKey> started() {
        std::optional<LinkKey> link;
        while (const auto event = world_.router.next_device_event()) {
            if (const auto* start = std::get_if<StartAttach>(&*event)) link = start->link;
        }
        return link;
    }
    void prove() {
        const auto link = started();
        if (!link) return;
        const model::ClaimCode code{{0x77, ++claim_}};
        world_.store.create_claim(
            {.code = code, .account = World::kAnn, .expires_at = world_.now + kClaimLife},
            10,
            world_.now,
            [](const auto&) {});
        world_.router.on_attached(
            *link, {World::device(1), World::credential(1), code}, world_.now);
        world_.settle();
    }
    void fail() {
        if (const auto link = started()) world_.router.on_attach_failed(*link, world_.now);
        world_.settle();
    }

    World world_;
    GatewayId gateway_ = world_.connect_gateway();
    AppConnectionId app_ = world_.connect_app();
    std::uint8_t claim_ = 0;
};

TEST(Router, HasNoDeadStateWithinFourInputs) {
    constexpr int kSequences = Inputs::kCount * Inputs::kCount * Inputs::kCount * Inputs::kCount;
    for (int sequence = 0; sequence < kSequences; sequence++) {
        Inputs inputs;
        for (int rest = sequence, i = 0; i < 4; i++, rest /= Inputs::kCount) {
            inputs.apply(rest % Inputs::kCount);
        }
        ASSERT_TRUE(inputs.attaches()) << "inputs " << sequence;
        ASSERT_TRUE(inputs.pairs()) << "inputs " << sequence;
    }
}

}  // namespace
}  // namespace sotto::cloud::services
