// SPDX-License-Identifier: Apache-2.0
#include "device/bluz/link.hpp"

#include <gtest/gtest.h>

#include "core/base/hex.hpp"
#include "device/particle/rig.hpp"

namespace sotto::device::bluz {
namespace {

using namespace particle;  // NOLINT(google-build-using-namespace): its rig
using Frames = std::vector<Buffer>;

constexpr DeviceId kId{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
const Buffer kEnd{0x03, 0x04};
// As real firmware sends it.
const Buffer kWish{0x01, 0x10, 0x00, 0x01, 0x02, 0x01, 0x06, 0x16, 0x33, 0x02, 0x00, 0x16, 0x33,
                   0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0};
const Buffer kIdAnswer{0x02, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

class LinkTest : public ::testing::Test {
  protected:
    // A frame of the central, its header in a value of its own or not.
    void say(const Buffer& header, Bytes payload, bool is_apart = false) {
        Buffer bytes = header;
        if (is_apart) link.on_value(std::exchange(bytes, {}), now);
        bytes.insert(bytes.end(), payload.begin(), payload.end());
        for (std::size_t at = 0; at < bytes.size(); at += 20)
            link.on_value(
                Bytes{bytes}.subspan(at).first(std::min<std::size_t>(20, bytes.size() - at)), now);
        link.on_value(kEnd, now);
    }
    void say_stream(Bytes bytes) { say({0x01, 0x00}, bytes); }
    // What the device sends, put together.
    Frames heard() {
        Frames frames;
        air::bluz::Assembler assembler;
        while (const auto value = link.next_value(now)) {
            EXPECT_LE(value->size(), 20U);
            const auto frame = assembler.receive(*value);
            if (frame && *frame) frames.emplace_back((*frame)->begin(), (*frame)->end());
        }
        return frames;
    }
    void pass(Duration time) {
        now = now + time;
        link.on_time(now);
    }
    void connect() {
        link.on_subscribed(now);
        pass(kConnectDelay);
        EXPECT_EQ(heard(), Frames{kWish});
        say_stream(Buffer(kNonceSize, 1));
        const Frames introduction = heard();
        ASSERT_EQ(introduction.size(), 1U);
        EXPECT_EQ(introduction[0].size(), 2 + kServerModulusSize);
        say_stream(right_answer());
        EXPECT_EQ(heard().size(), 1U) << "its Hello";
        say_stream(frame_of(kServerHello));
        ASSERT_TRUE(link.is_connected());
    }

    Instant now{5'000};
    NoCrypto crypto;
    SomeMembers members;
    Link link{{.crypto = crypto, .members = members, .id = kId}};
};

TEST_F(LinkTest, WantsAStreamTwoSecondsAfterTheSubscription) {
    link.on_subscribed(now);
    pass(milliseconds(kConnectDelay.ms - 1));
    EXPECT_TRUE(heard().empty());
    pass(milliseconds(1));
    EXPECT_EQ(heard(), Frames{kWish});
    EXPECT_TRUE(heard().empty()) << "once";
}

TEST_F(LinkTest, SaysItsIdAtAnyTimeHoweverTheHeaderComes) {
    link.on_subscribed(now);
    for (const bool is_apart : {false, true}) {
        say({0x02}, Buffer{0x00}, is_apart);
        EXPECT_EQ(heard(), Frames{kIdAnswer});
    }
    for (int i = 0; i < 100; ++i) say({0x02, 0x00}, {});
    EXPECT_EQ(heard(), Frames{kIdAnswer}) << "one answer waits at most";
}

TEST_F(LinkTest, HasASessionThroughTheStream) {
    connect();
    say({0x01, 0x00}, frame_of(*from_hex<Buffer>("410212347ab166046563686f4137")), true);
    const Frames frames = heard();
    ASSERT_EQ(frames.size(), 1U);
    Buffer expected{0x01, 0x00};
    for (const char* message : {"60001234", "514400027aff00000007"}) {
        const Buffer frame = frame_of(*from_hex<Buffer>(message));
        expected.insert(expected.end(), frame.begin(), frame.end());
    }
    EXPECT_EQ(frames[0], expected);
    EXPECT_EQ(members.calls, std::vector<std::string>{"echo(7)"});
}

TEST_F(LinkTest, PublishesOnlyWhileThereIsASession) {
    EXPECT_EQ(link.publish("e", "", now).error(), Error::WrongState);
    connect();
    EXPECT_TRUE(link.publish("e", "", now));
    EXPECT_EQ(heard().size(), 1U);
    link.on_gone();
    EXPECT_EQ(link.publish("e", "", now).error(), Error::WrongState);
}

TEST_F(LinkTest, ItsFramesHaveRoomInTheOldestGateways) {
    connect();
    members.text = std::string(kTextSizeMax, '\3');
    say_stream(frame_of(*from_hex<Buffer>("410112347ab17605776f726473")));
    const Frames frames = heard();
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[0].size(), 512U);
}

TEST_F(LinkTest, BeginsAnewWithEachCentral) {
    connect();
    link.on_value(Buffer{0x01, 0x00, 0xff}, now);  // half a frame
    link.on_gone();
    EXPECT_FALSE(link.is_connected());
    EXPECT_FALSE(link.next_value(now));
    link.on_value(Buffer{0x02, 0x00}, now);
    link.on_value(kEnd, now);
    EXPECT_FALSE(link.next_value(now)) << "nobody has subscribed";
    connect();
}

TEST_F(LinkTest, CustomDataIsIgnoredAndCounted) {
    connect();
    for (int i = 0; i < 100; ++i) say({0x04}, as_bytes("hello"));
    EXPECT_EQ(link.custom_count(), 100U);
    EXPECT_TRUE(heard().empty());
    EXPECT_TRUE(link.trouble().empty());
}

TEST_F(LinkTest, WhatTheServiceCannotCarryEndsIt) {
    for (const Buffer& value : {Buffer{}, Buffer(21, 1)}) {
        link.on_subscribed(now);
        link.on_value(value, now);
        EXPECT_FALSE(link.trouble().empty());
        EXPECT_FALSE(link.next_value(now + kConnectDelay));
    }
    link.on_subscribed(now);
    EXPECT_TRUE(link.trouble().empty()) << "another one";
    say({0x01, 0x00}, Buffer(air::bluz::kFrameSizeMax - 1, 1));
    EXPECT_FALSE(link.trouble().empty()) << "a frame that is too long";
}

TEST_F(LinkTest, NonsenseIsIgnoredUpToABound) {
    connect();
    const Frames nonsense{{0x00}, {0x03}, {0x05, 1, 2}, {0xff}, {0x01}, {0x01, 0x01}, {0x01, 0x20}};
    for (std::uint32_t i = 0; i < kNonsenseMax; ++i) say(nonsense[i % nonsense.size()], {});
    link.on_value(kEnd, now);  // an end without a frame is none
    EXPECT_TRUE(link.trouble().empty());
    EXPECT_TRUE(link.is_connected());
    say({0x07}, {});
    EXPECT_FALSE(link.trouble().empty());
}

TEST_F(LinkTest, OtherWordsOfTheInfoServiceDoNothing) {
    connect();
    for (const Buffer& frame :
         Frames{{0x02}, {0x02, 0x01, 1}, {0x02, 0x02, 0, 8, 0, 16}, {0x02, 3}})
        say(frame, {});
    EXPECT_TRUE(heard().empty());
    EXPECT_TRUE(link.is_connected());
}

TEST_F(LinkTest, TheEndOfTheSessionIsTheEndOfTheLink) {
    connect();
    pass(kIdleTime);
    EXPECT_EQ(heard().size(), 1U) << "a ping";
    pass(kPingTime);
    EXPECT_EQ(link.trouble(), to_string(Ending::Silence));
    connect();
    say_stream(Buffer(kNonceSize, 1));  // the gateway has opened another one
    EXPECT_EQ(link.trouble(), to_string(Ending::Unreadable));
}

TEST_F(LinkTest, ABufferThatIsOverrunIsTheEndOfTheLink) {
    connect();
    members.text = std::string(kTextSizeMax, 't');
    const Buffer read = frame_of(*from_hex<Buffer>("410112347ab17605776f726473"));
    for (int i = 0; i < 100; ++i) say_stream(read);
    EXPECT_EQ(link.trouble(), to_string(Ending::Overflow));
}

TEST_F(LinkTest, AServerThatSaysNothingIsTheEndOfTheLink) {
    link.on_subscribed(now);
    pass(kConnectDelay);
    heard();
    pass(milliseconds(kHandshakeTime.ms - 1));
    EXPECT_TRUE(link.trouble().empty());
    pass(milliseconds(1));
    EXPECT_EQ(link.trouble(), to_string(Ending::NoHandshake));
}

}  // namespace
}  // namespace sotto::device::bluz
