// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include <gtest/gtest.h>

#include "cloud/services/link_flow.hpp"
#include "cloud/services/talkers.hpp"
#include "cloud/services/uplink_session.hpp"

namespace sotto::cloud::services {
namespace {

namespace uplink = framing::uplink;
using Buffer = std::vector<std::uint8_t>;

constexpr Instant kStart{5'000};

TEST(Talkers, RemembersForAWhileAndMakesRoomForTheNewest) {
    const auto app = [](std::size_t number) {
        return model::AppAddress{.account = model::AccountId{1},
                                 .app = {{static_cast<std::uint8_t>(number)}}};
    };
    Talkers talkers;
    EXPECT_TRUE(talkers.is_silent(kStart));
    for (std::size_t i = 0; i <= kTalkersPerDeviceMax; i++) {
        talkers.add(app(i), kStart + milliseconds(static_cast<std::int64_t>(i)));
    }
    EXPECT_FALSE(talkers.has(app(0), kStart));
    EXPECT_TRUE(talkers.has(app(1), kStart));
    EXPECT_TRUE(talkers.has(app(kTalkersPerDeviceMax), kStart));
    EXPECT_TRUE(talkers.is_silent(kStart + kTalkTime + seconds(1)));
}

TEST(LinkFlow, CountsWhatWasSentAndPassedOn) {
    LinkFlow flow;
    for (int i = 0; i < kLinkCredit; i++) {
        ASSERT_TRUE(flow.can_send());
        flow.count_sent();
    }
    EXPECT_FALSE(flow.can_send());
    ASSERT_TRUE(flow.enqueue(framing::Label{2}, Buffer{1}));
    EXPECT_FALSE(flow.next().has_value());
    EXPECT_TRUE(flow.on_credit(2));
    EXPECT_FALSE(flow.can_send()) << "nothing overtakes what waits";
    EXPECT_EQ(flow.next()->message, Buffer{1});
    EXPECT_TRUE(flow.can_send());
    EXPECT_EQ(flow.sent_count(), kLinkCredit + 1U);
    EXPECT_EQ(flow.passed_count(), 2U);
}

TEST(LinkFlow, BoundsItsQueueInBytes) {
    LinkFlow flow;
    const Buffer large(kLinkQueueBytesMax / 2, 1);
    EXPECT_TRUE(flow.enqueue(framing::Label{2}, large));
    EXPECT_TRUE(flow.enqueue(framing::Label{2}, large));
    EXPECT_FALSE(flow.enqueue(framing::Label{2}, Buffer{1}));
}

TEST(LinkFlow, TakesNoMoreThanItGaveCreditFor) {
    LinkFlow flow;
    for (int i = 0; i < kLinkCredit; i++) EXPECT_TRUE(flow.on_received());
    EXPECT_FALSE(flow.on_received());
    EXPECT_EQ(flow.take_grant(), kLinkCredit);
    EXPECT_EQ(flow.take_grant(), 0);
    EXPECT_TRUE(flow.on_received());
}

class Session : public ::testing::Test {
  public:
    static Buffer encode(const uplink::Record& record) {
        std::array<std::uint8_t, framing::kUplinkBytesMax> scratch{};
        const Bytes bytes = uplink::encode_record(scratch, record).value();
        return {bytes.begin(), bytes.end()};
    }
    std::optional<UplinkSession::Event> receive(const Buffer& bytes) {
        Bytes input = bytes;
        return session.next(input, now);
    }
    void sign_in() {
        EXPECT_TRUE(receive(encode(uplink::Hello{.token = "secret"})).has_value());
        session.welcome();
        session.take_output(output);
    }
    std::vector<uplink::Record> sent() {
        session.take_output(output);
        std::vector<uplink::Record> records;
        uplink::Splitter splitter;
        Bytes input = output.bytes;
        while (const auto bytes = splitter.next(input).value()) {
            records.push_back(uplink::parse_record(*bytes, uplink::Side::Cloud).value());
        }
        return records;
    }

    Instant now = kStart;
    UplinkSession session{kStart};
    Output output;
};

TEST_F(Session, ShowsTheTokenAndWelcomes) {
    const auto event = receive(encode(uplink::Hello{.token = "secret"}));
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(std::get<UplinkSession::TokenShown>(*event).token, "secret");
    session.welcome();
    const auto records = sent();
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(std::get<uplink::Welcome>(records[0]).credit, kLinkCredit);
}

TEST_F(Session, ClosesOnAnythingButHelloAtFirst) {
    for (const uplink::Record& record :
         std::initializer_list<uplink::Record>{uplink::Ping{}, uplink::LinkDown{}}) {
        UplinkSession fresh{kStart};
        const Buffer bytes = encode(record);
        Bytes input = bytes;
        EXPECT_FALSE(fresh.next(input, now).has_value());
        EXPECT_TRUE(fresh.is_closed());
    }
}

TEST_F(Session, NamesTheReasonForAnotherVersion) {
    receive({0, 3, 0x01, 99, 'a'});
    const auto records = sent();
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(std::get<uplink::Refused>(records[0]).reason, uplink::Reason::Version);
    EXPECT_TRUE(output.close);
}

TEST_F(Session, WaitsForTheVerdictBeforeAnythingElse) {
    receive(encode(uplink::Hello{.token = "secret"}));
    receive(encode(uplink::LinkDown{}));
    EXPECT_TRUE(session.is_closed());
    session.welcome();
    EXPECT_TRUE(session.is_closed()) << "the verdict comes too late";
}

TEST_F(Session, TakesRecordsInPieces) {
    sign_in();
    const Buffer bytes = encode(uplink::LinkDown{.link = uplink::LinkId{7}});
    for (std::size_t i = 0; i + 1 < bytes.size(); i++) EXPECT_FALSE(receive({bytes[i]}));
    EXPECT_TRUE(receive({bytes.back()}).has_value());
}

TEST_F(Session, AnswersAPing) {
    sign_in();
    receive(encode(uplink::Ping{.value = 77}));
    EXPECT_EQ(std::get<uplink::Pong>(sent().at(0)).value, 77U);
}

TEST_F(Session, PingsASilentPeerAndThenGivesItUp) {
    sign_in();
    session.on_time(kStart + kPingInterval);
    session.on_time(kStart + kPingInterval + seconds(1));
    EXPECT_EQ(sent().size(), 1U);
    session.on_time(kStart + Duration{kPingInterval.ms * kSilentIntervalsMax});
    EXPECT_TRUE(session.is_closed());
}

TEST_F(Session, WaitsForHelloNoLongerThanItMay) {
    session.on_time(kStart + milliseconds(4'999));
    EXPECT_FALSE(session.is_closed());
    session.on_time(kStart + kHelloTimeMax);
    EXPECT_TRUE(session.is_closed());
}

TEST_F(Session, ClosesWhenTheReaderIsTooSlow) {
    sign_in();
    const Buffer large(1'000, 1);
    const uplink::Message message{.link = {}, .label = framing::Label{2}, .message = large};
    for (std::size_t i = 0; i <= kGatewayOutputBytesMax / large.size(); i++) session.send(message);
    EXPECT_TRUE(session.is_closed());
    session.take_output(output);
    EXPECT_LE(output.bytes.size(), kGatewayOutputBytesMax);
}

}  // namespace
}  // namespace sotto::cloud::services
