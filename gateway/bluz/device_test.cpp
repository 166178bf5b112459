// SPDX-License-Identifier: Apache-2.0
#include "gateway/bluz/device.hpp"

#include <gtest/gtest.h>

#include "gateway/bluz/rig.hpp"

namespace sotto::gateway::bluz {
namespace {

const Buffer kIdRequest{0x02, 0x00};

Duration just_before(Duration time) { return {time.ms - 1}; }

Close why(const Rig& rig) { return rig.closed.value().why; }

TEST(BluzDevice, IsAskedForItsIdAtOnceAndAgainUntilItAnswers) {
    Rig rig;
    EXPECT_EQ(rig.values, (std::vector<Buffer>{{0x02, 0x00}, {0x03, 0x04}}));
    rig.pass(kIdInterval);
    rig.pass(kIdInterval);
    rig.pass(kIdInterval);
    EXPECT_EQ(rig.frames, (std::vector<Buffer>{kIdRequest, kIdRequest, kIdRequest}));
    Rig answers;
    answers.says_id();
    EXPECT_EQ(answers.done, std::vector<std::string>{"id b1e20102030405060708090a"});
    EXPECT_EQ(answers.device.id(), shown_id());
    answers.pass(kIdInterval);
    EXPECT_EQ(answers.frames.size(), 1U);
}

TEST(BluzDevice, GetsAStreamWhenItWantsOne) {
    Rig rig;
    rig.says_id();
    EXPECT_FALSE(rig.has("open"));
    rig.connect();
    EXPECT_TRUE(rig.has("open"));
    rig.stream_up();
    rig.server_says(Buffer(40, 0x11));
    EXPECT_EQ(rig.frames.back(), Rig::with({0x01, 0x00}, Buffer(40, 0x11)));
    rig.says_data(Buffer(256, 0x22));
    EXPECT_EQ(rig.to_server, Buffer(256, 0x22));
    EXPECT_EQ(rig.count("write"), 1U) << "in one piece: old servers read it so";
}

// Firmware 1.0.47 sends a wrong header.
TEST(BluzDevice, ItsFirstFrameIsTheWishWhateverItSays) {
    for (const Buffer& first : {Buffer{0x01, 0x00, 0x01},
                                Buffer{0x02, 0x10},
                                Buffer(25, 0x00),
                                Buffer{0x77},
                                Buffer{1}}) {
        Rig rig;
        rig.says(first);
        EXPECT_TRUE(rig.has("open"));
        EXPECT_TRUE(rig.to_server.empty());
    }
}

TEST(BluzDevice, AnEndAloneIsNoFirstFrame) {
    Rig rig;
    rig.says({});
    rig.says({});
    EXPECT_TRUE(rig.done.empty());
}

TEST(BluzDevice, CustomDataAndItsIdAreNoFirstFrame) {
    Rig rig;
    rig.says_id();
    rig.says({0x04, 'h', 'i'});
    EXPECT_FALSE(rig.has("open"));
}

TEST(BluzDevice, ThatOnlySpeaksLocallyStays) {
    Rig rig;
    rig.says_id();
    rig.pass(minutes(60));
    rig.says({0x04, 'h', 'i'});
    EXPECT_TRUE(rig.has("local hi"));
    EXPECT_FALSE(rig.closed);
}

TEST(BluzDevice, ThatSaysNothingIsLetGo) {
    Rig rig;
    rig.pass(just_before(kIntroductionTimeMax));
    EXPECT_FALSE(rig.closed);
    rig.pass(milliseconds(1));
    EXPECT_EQ(why(rig), Close::NotIntroduced);
    EXPECT_EQ(rig.closed->stay_away, kStayAwayMisbehaved);
}

TEST(BluzDevice, WithoutAnIdIsServedUnlessIdsCount) {
    Rig any;
    any.connect();
    any.stream_up();
    any.pass(minutes(1));
    EXPECT_FALSE(any.closed);
    Rig some{{.has_server = true, .admitted = {shown_id()}}};
    some.connect();
    EXPECT_FALSE(some.has("open"));
    some.pass(kIntroductionTimeMax);
    EXPECT_EQ(why(some), Close::NotIntroduced);
}

TEST(BluzDevice, OnlyThoseOfTheListAreServed) {
    Rig rig{{.has_server = true, .admitted = {shown_id()}}};
    rig.connect();
    rig.says_id();
    EXPECT_TRUE(rig.has("open"));
    Rig other{{.has_server = true, .admitted = {shown_id()}}};
    other.says_id(Buffer(12, 9));
    EXPECT_EQ(why(other), Close::NotAdmitted);
    EXPECT_EQ(other.closed->stay_away, kStayAwayNotAdmitted);
    EXPECT_FALSE(other.has("open"));
}

TEST(BluzDevice, MayNotChangeItsId) {
    Rig rig;
    rig.says_id();
    rig.says_id();
    EXPECT_FALSE(rig.closed);
    rig.says_id(Buffer(12, 9));
    EXPECT_EQ(why(rig), Close::Misbehaved);
}

TEST(BluzDevice, WithoutAServerTheWishIsNoted) {
    Rig rig{{.is_local_allowed = true}};
    rig.connect();
    rig.says_id();
    rig.pass(minutes(1));
    EXPECT_FALSE(rig.has("open"));
    EXPECT_FALSE(rig.closed);
}

TEST(BluzDevice, WhatItSaysBeforeItsStreamBelongsToNone) {
    Rig rig;
    rig.connect();
    rig.says_data({'x'});
    rig.stream_up();
    EXPECT_TRUE(rig.to_server.empty());
    rig.says_data({'y'});
    EXPECT_EQ(rig.to_server, Buffer{'y'});
}

TEST(BluzDevice, TheSocketInItsFramesDoesNotMatterAndOursIsZero) {
    Rig rig;
    rig.says(Rig::with({0x01, 0x13}, Buffer(23, 0)));
    rig.stream_up();
    rig.says({0x01, 0x03, 'x'});
    EXPECT_EQ(rig.to_server, Buffer{'x'});
    rig.server_says({1, 2});
    EXPECT_EQ(rig.frames.back(), (Buffer{0x01, 0x00, 1, 2}));
}

TEST(BluzDevice, AServerThatCannotBeReachedIsTriedAgainLaterEachTime) {
    Rig rig;
    rig.connect();
    Duration backoff = kOpenBackoffMin;
    for (std::size_t opened = 1; opened < 10; ++opened) {
        EXPECT_EQ(rig.count("open"), opened);
        rig.stream_down();
        rig.pass(just_before(backoff));
        EXPECT_EQ(rig.count("open"), opened);
        rig.pass(milliseconds(1));
        backoff = std::min(kOpenBackoffMax, Duration{2 * backoff.ms});
    }
    EXPECT_FALSE(rig.closed) << "the device stays for its local data";
}

TEST(BluzDevice, AServerThatDoesNotAnswerIsGivenUpInTime) {
    Rig rig;
    rig.connect();
    rig.pass(kOpenTimeMax);
    EXPECT_TRUE(rig.has("close stream"));
    rig.stream_down();
    rig.pass(kOpenBackoffMin);
    EXPECT_EQ(rig.count("open"), 2U);
    EXPECT_EQ(rig.count("close stream"), 1U);
}

TEST(BluzDevice, IsLetGoWhenItsStreamEnds) {
    Rig rig;
    rig.open();
    rig.stream_down();
    EXPECT_EQ(why(rig), Close::StreamEnded);
    EXPECT_FALSE(rig.closed->stay_away) << "as after any failure";
    rig.connect();
    rig.pass(minutes(1));
    EXPECT_FALSE(rig.has("open")) << "nothing follows";
}

TEST(BluzDevice, ASecondWishIsANewStreamAndNotAtOnce) {
    Rig rig;
    rig.open();
    rig.connect();
    EXPECT_EQ(rig.done, std::vector<std::string>{"close stream"});
    rig.pass(just_before(kReopenDelay));
    rig.connect();
    EXPECT_FALSE(rig.has("open"));
    rig.pass(milliseconds(1));
    EXPECT_TRUE(rig.has("open"));
    rig.stream_up();
    rig.server_says({1});
    EXPECT_EQ(rig.frames.back(), (Buffer{0x01, 0x00, 1}));
}

TEST(BluzDevice, MayEndItsStreamAndHaveAnother) {
    Rig rig;
    rig.open();
    rig.says({0x01, 0x20});
    EXPECT_EQ(rig.done, std::vector<std::string>{"close stream"});
    EXPECT_FALSE(rig.closed);
    rig.says_data({'x'});
    EXPECT_TRUE(rig.to_server.empty());
    for (int i = 0; i < 100; ++i) {
        rig.connect();
        rig.says({0x01, 0x20});
    }
    EXPECT_FALSE(rig.has("open")) << "no more often than once a second";
    rig.pass(kReopenDelay);
    rig.connect();
    EXPECT_TRUE(rig.has("open"));
}

TEST(BluzDevice, ANewStreamNeverGetsTheRestOfTheOldOne) {
    for (const bool ends_first : {false, true}) {
        Rig rig;
        rig.open();
        rig.air_sends();
        rig.server_says(Buffer(400, 1));
        ASSERT_EQ(rig.in_air, kValuesInAirMax) << "not all of it fits into the air";
        if (ends_first) rig.says({0x01, 0x20});
        rig.connect();
        EXPECT_EQ(why(rig), Close::Restarted);
    }
}

TEST(BluzDevice, GetsNoMoreThanItCanHoldUnread) {
    Rig rig;
    rig.open();
    rig.air_sends();
    rig.pass(kDrainTime);
    rig.server_says(Buffer(kFromServerBytesMax, 5));
    EXPECT_EQ(rig.device.stream_room(), kFromServerBytesMax - kPieceSizeMax);
    rig.air_sends();
    EXPECT_EQ(rig.frames.back().size(), kStreamHeaderSize + kPieceSizeMax);
    const std::size_t before = rig.frames.size();
    rig.pass(just_before(kDrainTime));
    EXPECT_EQ(rig.frames.size(), before);
    rig.pass(milliseconds(1));
    rig.air_sends();
    EXPECT_EQ(rig.frames.size(), before + 1);
}

TEST(BluzDevice, SmallPiecesCountTogetherWhileItHasNoPause) {
    Rig rig;
    rig.open();
    rig.air_sends();
    rig.pass(kDrainTime);
    rig.server_says(Buffer(424, 1));
    std::size_t passed = 424;
    for (int i = 0; i < 40; ++i) {
        rig.server_says(Rig::with({0x00, 0x1e}, Buffer(30, 2)));
        rig.air_sends();
        rig.pass(milliseconds(10));
    }
    passed = 0;
    for (const Buffer& frame : rig.frames) passed += frame.size() - 2;
    EXPECT_GT(passed, kPieceSizeMax - 40);
    EXPECT_LE(passed, kPieceSizeMax);
    rig.pass(kDrainTime);
    rig.air_sends();
    EXPECT_EQ(rig.device.stream_room(), kFromServerBytesMax);
}

TEST(BluzDevice, AnAirThatDoesNotSendHoldsUpTheServer) {
    Rig rig;
    rig.open();
    rig.server_says(Buffer(960, 1));
    rig.server_says(Buffer(960, 1));
    std::size_t total = 1'920;
    while (rig.device.stream_room() > 0) {
        total += rig.device.stream_room();
        rig.server_says(Buffer(rig.device.stream_room(), 1));
        rig.pass(seconds(1));
    }
    EXPECT_LE(total, kFromServerBytesMax + kPieceSizeMax);
    EXPECT_LE(rig.in_air, kValuesInAirMax);
}

TEST(BluzDevice, AServerThatTakesNothingLosesIt) {
    Rig rig;
    rig.open();
    std::size_t sent = 0;
    while (!rig.closed) {
        rig.says_data(Buffer(500, 1));
        sent += 500;
    }
    EXPECT_EQ(why(rig), Close::ServerStalled);
    EXPECT_EQ(sent, (kToServerBytesMax / 500 + 1) * 500);
    Rig takes;
    takes.open();
    for (int i = 0; i < 100; ++i) {
        takes.says_data(Buffer(500, 1));
        takes.written();
    }
    EXPECT_EQ(takes.to_server.size(), 50'000U);
}

TEST(BluzDevice, ASizeOfTheServersArrivesWhole) {
    Rig rig;
    rig.open();
    rig.server_says(Buffer(424, 1));
    rig.air_sends();
    const std::size_t before = rig.frames.size();
    rig.server_says({0x00});
    EXPECT_EQ(rig.frames.size(), before);
    rig.server_says({0x01, 0x77});
    EXPECT_EQ(rig.frames.back(), (Buffer{0x01, 0x00, 0x00, 0x01, 0x77}));
}

TEST(BluzDevice, NonsenseIsIgnoredUpToABound) {
    Rig rig;
    rig.open();
    for (std::uint32_t i = 0; i < kNonsenseMax; ++i)
        rig.says(i % 2 == 0 ? Buffer{0x03, 'x'} : Buffer{0x01, 0xf0});
    EXPECT_FALSE(rig.closed);
    rig.says_data({'y'});
    EXPECT_EQ(rig.to_server, Buffer{'y'});
    rig.says({0x99});
    EXPECT_EQ(why(rig), Close::Misbehaved);
    EXPECT_EQ(rig.closed->stay_away, kStayAwayMisbehaved);
}

TEST(BluzDevice, IsLetGoForAFrameThatIsTooLongAndForAValueThatCannotBe) {
    Rig longest;
    longest.open();
    longest.says_data(Buffer(kFrameSizeMax - 2, 1));
    EXPECT_EQ(longest.to_server.size(), kFrameSizeMax - 2);
    longest.says_data(Buffer(kFrameSizeMax - 1, 1));
    EXPECT_EQ(why(longest), Close::Misbehaved);
    Rig rig;
    rig.device.on_value(Buffer(21, 1), rig.now);
    rig.pass({});
    EXPECT_EQ(why(rig), Close::Misbehaved);
}

TEST(BluzDevice, LocalDataPassesBothWaysWhereItIsAllowed) {
    Rig rig;
    rig.says_id();
    rig.says({0x04, 'u', 'p'});
    EXPECT_TRUE(rig.has("local up"));
    EXPECT_TRUE(rig.device.send_local(as_bytes("down"), rig.now));
    rig.air_sends();
    rig.pass({});
    EXPECT_EQ(rig.frames.back(), (Buffer{0x04, 'd', 'o', 'w', 'n'}));
}

TEST(BluzDevice, LocalDataIsRefusedByDefaultAndThatIsToldOnce) {
    Rig rig{{.has_server = true}};
    rig.says_id();
    for (int i = 0; i < 10; ++i) rig.says({0x04, 'x'});
    EXPECT_EQ(rig.count("local refused"), 1U);
    EXPECT_FALSE(rig.has("local x"));
    EXPECT_EQ(rig.device.send_local(as_bytes("x"), rig.now).error(), Error::Refused);
    EXPECT_FALSE(rig.closed);
}

TEST(BluzDevice, LocalDataIsBounded) {
    Rig rig;
    rig.says_id();
    rig.says(Rig::with({0x04}, Buffer(kLocalSizeMax, 'x')));
    rig.says(Rig::with({0x04}, Buffer(kLocalSizeMax + 1, 'x')));
    EXPECT_EQ(rig.done.size(), 2U);
    EXPECT_EQ(rig.device.send_local({}, rig.now).error(), Error::InvalidArgument);
    EXPECT_EQ(rig.device.send_local(Buffer(kLocalSizeMax + 1), rig.now).error(), Error::TooLarge);
    std::size_t taken = 0;
    while (rig.device.send_local(Buffer(kLocalSizeMax), rig.now)) ++taken;
    EXPECT_EQ(rig.device.send_local(Buffer(1), rig.now).error(), Error::Busy);
    EXPECT_LE(taken, kLocalQueueMax + 1);
}

TEST(BluzDevice, LocalDataAndTheStreamTakeTurns) {
    Rig rig;
    rig.open();
    rig.air_sends();
    rig.pass(kDrainTime);
    while (rig.device.send_local(Buffer(100, 'x'), rig.now)) {
    }
    rig.server_says(Buffer(50, 1));
    rig.air_sends();
    const auto piece = std::find_if(
        rig.frames.begin(), rig.frames.end(), [](const Buffer& frame) { return frame[0] == 0x01; });
    ASSERT_NE(piece, rig.frames.end());
    EXPECT_LT(piece, rig.frames.end() - 1) << "it did not wait until all else was through";
}

}  // namespace
}  // namespace sotto::gateway::bluz
