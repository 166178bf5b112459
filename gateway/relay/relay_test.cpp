// SPDX-License-Identifier: Apache-2.0
#include "gateway/relay/relay.hpp"

#include <gtest/gtest.h>

#include "gateway/relay/rig.hpp"

namespace sotto::gateway::relay {
namespace {

using Texts = std::vector<std::string>;
const LinkId kLink{1};

std::string closes(int why) { return "close cloud 0 why " + std::to_string(why); }
std::string lets_go(Close why, int away) {
    return "close link 1 why " + std::to_string(static_cast<int>(why)) + " away " +
           std::to_string(away);
}

TEST(Relay, GreetsEveryCloudOfTheListAtOnce) {
    Rig rig;
    rig.pass({});
    EXPECT_EQ(rig.take(), (Texts{"connect 0", "connect 1"}));
    rig.relay.on_uplink_up(kHome, rig.now);
    EXPECT_EQ(rig.take(), Texts{"0< hello token"});
    rig.record(kHome, up::Welcome{4, 30});
    EXPECT_EQ(rig.take(), Texts{"welcomed 0"});
}

TEST(Relay, OffersADeviceWithoutOwnerToTheDefaultCloud) {
    Rig rig;
    rig.pass({});
    rig.open_cloud(kHome);
    rig.take();
    rig.relay.on_link_up(kLink, rig.now);
    EXPECT_EQ(rig.take(), Texts{});
    rig.frame(kLink, Rig::attach(false));
    EXPECT_EQ(rig.take(), (Texts{"offered 1 to 0", "0< up 1"}));
    rig.frame(kLink, Rig::attach(false));
    EXPECT_EQ(rig.take(), Texts{}) << "nothing new";
}

TEST(Relay, OffersAnOwnedDeviceOnlyToTheCloudItNames) {
    Rig rig;
    rig.pass({});
    rig.open_cloud(kHome);
    rig.open_cloud(kOther);
    rig.take();
    rig.relay.on_link_up(kLink, rig.now);
    rig.frame(kLink, Rig::attach(true, "other:2"));
    EXPECT_EQ(rig.take(), (Texts{"offered 1 to 1", "1< up 1"}));
    rig.frame(kLink, Rig::attach(true, "home:1"));
    EXPECT_EQ(rig.take(), (Texts{"1< down 1", "offered 1 to 0", "0< up 1"}));
    rig.frame(kLink, Rig::attach(true, "elsewhere:3"));
    EXPECT_EQ(rig.take(), (Texts{lets_go(Close::NotServed, 15), "0< down 1"}));
}

TEST(Relay, AnOwnedDeviceThatNamesNoCloudIsLeftAlone) {
    Rig rig;
    rig.pass({});
    rig.open_cloud(kHome);
    rig.take();
    rig.relay.on_link_up(kLink, rig.now);
    rig.frame(kLink, Rig::attach(true));
    EXPECT_EQ(rig.take(), Texts{lets_go(Close::NotServed, 15)});
}

TEST(Relay, ADeviceThatGetsItsOwnerMayTakeTwoMinutesToNameItsCloud) {
    Rig rig;
    rig.open_all();
    rig.record(kOther, up::Ping{1});
    for (int i = 0; i < 20; ++i) {  // long after it came
        rig.pass(seconds(29));
        rig.record(kHome, up::Ping{1});
        rig.record(kOther, up::Ping{1});
    }
    rig.take();
    rig.frame(kLink, Rig::attach(true));
    EXPECT_EQ(rig.take(), Texts{"0< up 1"});
    rig.cloud_says(kLink, 2, "n");
    EXPECT_EQ(rig.take(), Texts{"device 1 2 n"});
    rig.relay.on_link_down(kLink, rig.now);  // it is lost, and comes again
    rig.relay.on_link_up(LinkId{2}, rig.now);
    rig.frame(LinkId{2}, Rig::attach(true));
    EXPECT_EQ(rig.take(), (Texts{"0< down 1", "offered 2 to 0", "0< up 2"}));
    rig.frame(LinkId{2}, Rig::attach(true, "home:1"));
    EXPECT_EQ(rig.take(), Texts{"0< up 2"});
    rig.now = rig.now + minutes(3);
    rig.record(kHome, up::Ping{1});
    rig.record(kOther, up::Ping{1});
    rig.take();
    rig.pass({});
    EXPECT_EQ(rig.relay.link_count(), 1U);
}

TEST(Relay, TheTwoMinutesEnd) {
    Rig rig;
    rig.open_all();
    rig.frame(kLink, Rig::attach(true));
    rig.take();
    rig.now = rig.now + minutes(2);
    rig.record(kHome, up::Pong{1});
    rig.record(kOther, up::Pong{1});
    rig.pass({});
    EXPECT_EQ(rig.take().front(), lets_go(Close::NotServed, 15));
    EXPECT_EQ(rig.relay.link_count(), 0U);
}

TEST(Relay, CarriesMessagesWithTheirLabels) {
    Rig rig;
    rig.open_all();
    rig.cloud_says(kLink, 7, "get");
    EXPECT_EQ(rig.take(), Texts{"device 1 7 get"});
    rig.device_says(kLink, 7, "21.5");
    EXPECT_EQ(rig.take(), Texts{"0< message 1 7 21.5"});
    rig.device_says(kLink, 0, "to an app nearby");
    EXPECT_EQ(rig.take(), Texts{});
}

TEST(Relay, SendsNoMoreThanTheCreditAndTheRestWhenItComes) {
    Rig rig;
    rig.open_all();
    for (int i = 0; i < 6; ++i) rig.device_says(kLink, 1, std::to_string(i));
    EXPECT_EQ(rig.take().size(), 4U);
    rig.record(kHome, up::Credit{kLink, 1});
    EXPECT_EQ(rig.take(), Texts{"0< message 1 1 4"});
    rig.record(kHome, up::Credit{kLink, 2});
    EXPECT_EQ(rig.take(), Texts{"0< message 1 1 5"});
    rig.record(kHome, up::Credit{kLink, 4});
    EXPECT_EQ(rig.take(), Texts{closes(1)}) << "more than was taken";
}

TEST(Relay, KeepsABoundedNumberOfMessagesForTheCloud) {
    Rig rig;
    rig.open_all();
    for (int i = 0; i < 1'000; ++i) rig.device_says(kLink, 1, std::to_string(i));
    EXPECT_EQ(rig.take().size(), kCredit);
    std::size_t sent = 0;
    for (int i = 0; i < 100; ++i) {
        rig.record(kHome, up::Credit{kLink, 1});
        sent += rig.take().size();
        if (i + 1U > kToCloudQueueMax) break;
    }
    EXPECT_EQ(sent, kToCloudQueueMax);
}

TEST(Relay, GrantsCreditWhenTheAirHasTakenTheFrames) {
    Rig rig;
    rig.open_all();
    for (int i = 0; i < 4; ++i) rig.cloud_says(kLink, 1, "m");
    EXPECT_EQ(rig.take().size(), 4U);
    rig.relay.on_sent(kLink, 1);
    EXPECT_EQ(rig.take(), Texts{});
    rig.relay.on_sent(kLink, 1);
    EXPECT_EQ(rig.take(), Texts{"0< credit 1 2"});
    rig.cloud_says(kLink, 1, "m");
    rig.cloud_says(kLink, 1, "m");
    EXPECT_EQ(rig.take().size(), 2U);
    rig.cloud_says(kLink, 1, "one too many");
    EXPECT_EQ(rig.take(), Texts{closes(0)});
}

TEST(Relay, GivesTheAirOnlyAFewFramesAtATime) {
    Rig rig;
    rig.pass({});
    rig.open_cloud(kHome, 100);
    rig.relay.on_link_up(kLink, rig.now);
    rig.frame(kLink, Rig::attach(false));
    rig.take();
    for (int i = 0; i < 100; ++i) rig.cloud_says(kLink, 1, "m");
    EXPECT_EQ(rig.take().size(), kInAirMax);
    rig.relay.on_sent(kLink, 3);
    EXPECT_EQ(rig.take().size(), 3U);
    rig.relay.on_sent(kLink, 1'000'000);
    EXPECT_EQ(rig.take().size(), kInAirMax);
}

TEST(Relay, AfterAReconnectLinksAreAnnouncedAfreshAndOldFramesEarnNoCredit) {
    Rig rig;
    rig.open_all();
    for (int i = 0; i < 4; ++i) rig.cloud_says(kLink, 1, "old");
    rig.device_says(kLink, 1, "old");
    rig.take();
    rig.relay.on_uplink_down(kHome, rig.now, Jitter{0});
    rig.device_says(kLink, 1, "lost");
    EXPECT_EQ(rig.take(), Texts{});
    rig.pass(milliseconds(500));
    EXPECT_EQ(rig.take(), Texts{"connect 0"});
    rig.open_cloud(kHome);
    EXPECT_EQ(rig.take(), (Texts{"0< hello token", "welcomed 0", "0< up 1"}));
    rig.relay.on_sent(kLink, 4);
    EXPECT_EQ(rig.take(), Texts{});
    for (int i = 0; i < 4; ++i) rig.cloud_says(kLink, 1, "new");
    rig.relay.on_sent(kLink, 2);
    EXPECT_EQ(rig.take().back(), "0< credit 1 2");
}

TEST(Relay, LetsAnIdleDeviceGoWhenAsked) {
    for (const bool by_cloud : {false, true}) {
        Rig rig;
        rig.open_all();
        rig.cloud_says(kLink, 1, "m");
        if (by_cloud) {
            rig.record(kHome, up::Release{kLink, 20});
        } else {
            rig.frame(kLink, framing::Release{20});
        }
        rig.take();
        rig.pass(milliseconds(600));
        EXPECT_EQ(rig.take(), Texts{}) << "a frame is still to be sent";
        rig.relay.on_sent(kLink, 1);
        rig.device_says(kLink, 1, "answer");
        rig.take();
        rig.pass(milliseconds(499));
        EXPECT_EQ(rig.take(), Texts{});
        rig.pass(milliseconds(1));
        EXPECT_EQ(rig.take(), (Texts{lets_go(Close::Released, 20), "0< down 1"}));
    }
}

TEST(Relay, ABusyLinkOutlivesTheWishAndNobodyStaysAwayForever) {
    Rig rig;
    rig.open_all();
    rig.frame(kLink, framing::Release{0xffff});
    for (int i = 0; i < 25; ++i) {
        rig.device_says(kLink, 1, "m");
        rig.record(kHome, up::Credit{kLink, 1});
        rig.pass(milliseconds(450));
    }
    rig.pass(seconds(5));
    EXPECT_EQ(rig.relay.link_count(), 1U);
    rig.frame(kLink, framing::Release{0xffff});
    rig.take();
    rig.pass({});
    EXPECT_EQ(rig.take().front(), lets_go(Close::Released, 300));
}

TEST(Relay, ADeviceMustSayWhoItIs) {
    Rig rig;
    rig.relay.on_link_up(kLink, rig.now);
    rig.device_says(kLink, 1, "m");
    EXPECT_FALSE(rig.relay.on_frame(kLink, as_bytes("garbage"), rig.now));
    rig.pass(milliseconds(9'999));
    EXPECT_EQ(rig.relay.link_count(), 1U);
    rig.take();
    rig.pass(milliseconds(1));
    EXPECT_EQ(rig.take().back(), lets_go(Close::Misbehaved, 30));
}

TEST(Relay, ADeviceMayNotChangeItsIdNorItsMindForever) {
    Rig rig;
    rig.open_all();
    rig.frame(kLink, Rig::attach(false, {}, 2));
    EXPECT_EQ(rig.take().front(), lets_go(Close::Misbehaved, 30));

    Rig other;
    other.open_all();
    std::size_t records = 0;
    for (int i = 0; i < 1'000; ++i) {
        other.frame(kLink, Rig::attach(i % 2 == 0, "home:1"));
        records += other.take().size();
    }
    EXPECT_LE(records, kAttachesMax + 2);
    EXPECT_EQ(other.relay.link_count(), 0U);
}

TEST(Relay, TakesALimitedNumberOfDevices) {
    Rig rig;
    for (std::uint32_t i = 1; i <= kLinksMax; ++i) rig.relay.on_link_up(LinkId{i}, rig.now);
    EXPECT_EQ(rig.take(), Texts{});
    rig.relay.on_link_up(LinkId{kLinksMax + 1}, rig.now);
    EXPECT_EQ(rig.take(), Texts{"close link 65 why 0 away 5"});
    rig.relay.on_link_down(LinkId{1}, rig.now);
    rig.relay.on_link_up(LinkId{kLinksMax + 2}, rig.now);
    EXPECT_EQ(rig.take(), Texts{});
}

TEST(Relay, LateRecordsOfALinkThatIsGoneAreIgnored) {
    Rig rig;
    rig.open_all();
    rig.relay.on_link_down(kLink, rig.now);
    EXPECT_EQ(rig.take(), Texts{"0< down 1"});
    rig.cloud_says(kLink, 1, "late");
    rig.record(kHome, up::Credit{kLink, 200});
    rig.record(kHome, up::Release{kLink, 1});
    EXPECT_EQ(rig.take(), Texts{});
}

TEST(Relay, OneCloudCannotReachTheDevicesOfAnother) {
    Rig rig;
    rig.open_all();
    rig.cloud_says(kLink, 1, "m", kOther);
    rig.record(kOther, up::Credit{kLink, 200});
    rig.record(kOther, up::Release{kLink, 1});
    rig.pass(seconds(1));
    EXPECT_EQ(rig.take(), Texts{});
}

TEST(Relay, ClosesOnWhatIsNotTheProtocol) {
    const std::vector<std::vector<std::uint8_t>> table = {
        {}, {0xff}, {0x01, 1, 'a'}, {0x02, 0, 4, 0, 30}, {0x03, 1}, {0x11, 0, 0, 0, 1}};
    for (const auto& bytes : table) {
        Rig rig;
        rig.open_all();
        rig.relay.on_uplink_record(kHome, bytes, rig.now);
        EXPECT_EQ(rig.take(), Texts{closes(1)});
        rig.cloud_says(kLink, 1, "after the end");
        EXPECT_EQ(rig.take(), Texts{});
    }
}

TEST(Relay, BeforeWelcomeNothingElseCounts) {
    for (const up::Record& record :
         {up::Record{up::Ping{1}},
          up::Record{up::Credit{kLink, 1}},
          up::Record{up::Message{kLink, framing::Label{1}, as_bytes("m")}}}) {
        Rig rig;
        rig.pass({});
        rig.relay.on_uplink_up(kHome, rig.now);
        rig.take();
        rig.record(kHome, record);
        EXPECT_EQ(rig.take(), Texts{closes(1)});
    }
}

TEST(Relay, ARefusalIsReportedAndNotTriedAgainSoon) {
    Rig rig;
    rig.pass({});
    rig.relay.on_uplink_up(kHome, rig.now);
    rig.take();
    rig.record(kHome, up::Refused{up::Reason::BadToken});
    EXPECT_EQ(rig.take(), (Texts{"refused 0", closes(4)}));
    rig.relay.on_uplink_down(kHome, rig.now, Jitter{0xffff});
    rig.pass(seconds(14));
    rig.take();
    rig.pass(seconds(1));
    EXPECT_EQ(rig.take().front(), "connect 0");
}

TEST(Relay, EveryAttemptIsBoundedInTimeAndTheNextOneComesLater) {
    Relay relay{{{"home:1", "token"}}};
    Instant now{0};
    std::vector<std::int64_t> waits;
    Instant ended = now;
    for (int tick = 0; tick < 3'000; ++tick, now = now + milliseconds(100)) {
        relay.on_time(now);
        while (const auto output = relay.next_output()) {
            if (std::holds_alternative<ConnectCloud>(*output)) waits.push_back((now - ended).ms);
            const auto* close = std::get_if<CloseCloud>(&*output);
            if (close == nullptr) continue;
            EXPECT_EQ(close->why, Break::NotConnected);
            relay.on_uplink_down(kHome, now, Jitter{0});
            ended = now;
        }
    }
    const std::vector<std::int64_t> expected{0, 500, 1'000, 2'000, 4'000, 8'000, 16'000, 30'000};
    ASSERT_GT(waits.size(), expected.size());
    waits.resize(expected.size());
    EXPECT_EQ(waits, expected);
}

TEST(Relay, PingsWhenItHearsNothingAndGivesUpAfterThreeIntervals) {
    Rig rig;
    rig.open_all();
    rig.record(kHome, up::Ping{77});
    EXPECT_EQ(rig.take(), Texts{"0< pong 77"});
    rig.pass(seconds(30));
    EXPECT_EQ(rig.take(), (Texts{"0< ping", "1< ping"}));
    rig.record(kHome, up::Pong{1});
    rig.pass(seconds(59));
    rig.take();
    rig.pass(seconds(1));
    EXPECT_EQ(rig.take(), Texts{"close cloud 1 why 5"});
    rig.pass(seconds(30));
    EXPECT_EQ(rig.take(), Texts{"close cloud 0 why 5"});
}

up::Tags tags_of(std::uint32_t unix_seconds, const framing::Tag& tag) {
    return {.is_first = true,
            .unix_seconds = unix_seconds,
            .period = framing::tag_period_at(unix_seconds),
            .tags = tag};
}

TEST(Tags, WhoServesEverybodyAsksForNoneAndTakesNone) {
    Rig rig;
    rig.pass({});
    rig.take();
    rig.open_cloud(kHome);
    EXPECT_EQ(rig.take(), (Texts{"0< hello token", "welcomed 0"}));
    const framing::Tag tag{1, 2, 3};
    rig.record(kHome, tags_of(1'796'000'500, tag));
    EXPECT_TRUE(rig.take().empty());
    EXPECT_EQ(rig.relay.tag_count(kHome), 0U);
    EXPECT_TRUE(rig.relay.is_welcome(framing::Tag{9}, rig.now));
}

TEST(Tags, OfDevicesWithTagsThoseAreWelcomeWhoseTagsWereGivenByAnyCloud) {
    Rig rig{Admission{.is_by_tag = true}};
    rig.pass({});
    rig.take();
    rig.open_cloud(kHome);
    EXPECT_EQ(rig.take(), (Texts{"0< hello token", "welcomed 0", "0< tags wanted"}));
    rig.open_cloud(kOther);
    const framing::Tag tag{1, 2, 3};
    const framing::Tag other{4, 5, 6};
    EXPECT_FALSE(rig.relay.is_welcome(tag, rig.now));
    EXPECT_TRUE(rig.relay.is_welcome({}, rig.now)) << "a new one";
    rig.record(kHome, tags_of(1'796'000'500, tag));
    rig.record(kOther, tags_of(1'796'000'500, other));
    EXPECT_TRUE(rig.relay.is_welcome(tag, rig.now));
    EXPECT_TRUE(rig.relay.is_welcome(other, rig.now));
    EXPECT_EQ(rig.relay.tag_count(kHome), 1U);

    rig.relay.on_uplink_down(kHome, rig.now, {});
    EXPECT_TRUE(rig.relay.is_welcome(tag, rig.now)) << "tags outlast the connection";
    rig.pass(seconds(1'700));
    EXPECT_FALSE(rig.relay.is_welcome(tag, rig.now));
    EXPECT_EQ(rig.relay.tag_count(kHome), 0U);
}

TEST(Admission, OnlyDevicesThatAreNamedAreServed) {
    framing::DeviceId named{};
    named.fill(1);
    Rig rig{Admission{.devices = {named}}};
    rig.open_all();
    rig.relay.on_link_up(LinkId{2}, rig.now);
    rig.frame(LinkId{2}, Rig::attach(false, {}, 2));
    EXPECT_EQ(rig.take(), Texts{"close link 2 why 2 away 60"});
}

}  // namespace
}  // namespace sotto::gateway::relay
