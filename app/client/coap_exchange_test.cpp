// SPDX-License-Identifier: Apache-2.0
#include "app/client/coap_exchange.hpp"

#include <gtest/gtest.h>

#include "app/client/scripted_test.hpp"
#include "testing/seeded_entropy.hpp"

namespace sotto::app {
namespace {

using coap::Code;
using coap::Type;
using Message = ScriptedTransport::Message;

Message encode(const coap::Header& header, std::string_view payload = {}) {
    std::array<std::uint8_t, 128> out{};
    coap::MessageWriter writer{out, header};
    const Bytes bytes = *writer.payload(as_bytes(payload)).finish();
    return {bytes.begin(), bytes.end()};
}

class CoapExchangeTest : public ::testing::Test {
  protected:
    Outcome<coap::Message> ask(CoapExchange::Effect effect = CoapExchange::Effect::None) {
        header = *exchange.begin(Code::Get);
        return exchange.send(encode(header), effect, seconds(60));
    }
    coap::Header answer(Type type, std::uint16_t id) const {
        return {type, Code::Content, id, header.token};
    }

    std::function<std::vector<Message>()> server = [] { return std::vector<Message>{}; };
    ScriptedTransport transport{[this](Bytes) { return server(); }};
    testing::SeededEntropy entropy{1};
    CoapExchange exchange{transport, entropy, ScriptedTransport::now};
    coap::Header header;
};

TEST_F(CoapExchangeTest, TakesThePiggybackedResponse) {
    server = [this] {
        return std::vector<Message>{encode(answer(Type::Acknowledgement, header.id), "21")};
    };
    const auto first = ask();
    ASSERT_TRUE(first);
    EXPECT_EQ(as_text(first->payload), "21");
    const coap::Header first_header = header;
    ASSERT_TRUE(ask());
    EXPECT_NE(header.id, first_header.id);
    EXPECT_EQ(transport.sent.size(), 2U);
}

TEST_F(CoapExchangeTest, ResendsTheSameBytesUntilThePatienceEnds) {
    const auto silence = ask();
    ASSERT_FALSE(silence);
    EXPECT_EQ(silence.error().trouble, Trouble::Unreachable);
    EXPECT_EQ(transport.sent.size(), 5U);
    for (const Message& message : transport.sent) EXPECT_EQ(message, transport.sent.front());
    EXPECT_EQ(ScriptedTransport::now(), Instant{} + seconds(60));
    const auto unknown = ask(CoapExchange::Effect::ChangesState);
    EXPECT_EQ(unknown.error().trouble, Trouble::OutcomeUnknown);
}

TEST_F(CoapExchangeTest, WaitsWithoutResendingOnceItIsAcknowledged) {
    int count = 0;
    server = [&] {
        std::vector<Message> answers;
        if (count++ == 0) {
            const auto ack = coap::empty_message(Type::Acknowledgement, header.id);
            answers.emplace_back(ack.begin(), ack.end());
            answers.push_back(encode(answer(Type::Confirmable, 77), "late"));
        }
        return answers;
    };
    const auto response = ask();
    ASSERT_TRUE(response);
    EXPECT_EQ(as_text(response->payload), "late");
    ASSERT_EQ(transport.sent.size(), 2U);
    const auto ack = coap::empty_message(Type::Acknowledgement, 77);
    EXPECT_TRUE(equal(transport.sent.back(), ack));
}

TEST_F(CoapExchangeTest, IgnoresOrRejectsWhatIsNotItsResponse) {
    int count = 0;
    server = [&] {
        std::vector<Message> answers;
        if (count++ > 0) return answers;
        coap::Header foreign = answer(Type::Confirmable, 9);
        const std::array<std::uint8_t, 2> token{1, 2};
        foreign.token = token;
        answers.push_back(encode(foreign, "of another"));
        answers.push_back({0xff, 0xff});
        answers.push_back({0x40, 0x01, 0x00, 0x08, 0xff});  // confirmable, and broken
        answers.push_back(encode(
            answer(Type::Acknowledgement, static_cast<std::uint16_t>(header.id + 1)), "old"));
        answers.push_back(encode(answer(Type::NonConfirmable, 5), "mine"));
        return answers;
    };
    const auto response = ask();
    ASSERT_TRUE(response);
    EXPECT_EQ(as_text(response->payload), "mine");
    ASSERT_EQ(transport.sent.size(), 3U);
    EXPECT_TRUE(equal(transport.sent[1], coap::empty_message(Type::Reset, 9)));
    EXPECT_TRUE(equal(transport.sent[2], coap::empty_message(Type::Reset, 8)));
}

TEST_F(CoapExchangeTest, AResetEndsTheRequest) {
    server = [this] {
        const auto reset = coap::empty_message(Type::Reset, header.id);
        return std::vector<Message>{{reset.begin(), reset.end()}};
    };
    EXPECT_EQ(ask().error().trouble, Trouble::Refused);
}

TEST_F(CoapExchangeTest, NobodyThereAtTheFirstTryMeansThatNothingWasDone) {
    transport.failure = Failure{Trouble::Unreachable, "", ""};
    EXPECT_EQ(ask(CoapExchange::Effect::ChangesState).error().trouble, Trouble::Unreachable);
    EXPECT_EQ(transport.sent.size(), 1U);
}

TEST_F(CoapExchangeTest, NotificationsFollowUnderTheSameToken) {
    server = [this] {
        return std::vector<Message>{encode(answer(Type::Acknowledgement, header.id), "0")};
    };
    ASSERT_TRUE(ask());
    server = [] { return std::vector<Message>{}; };
    EXPECT_FALSE(*exchange.next(seconds(5)));
    transport.arrivals.push_back(encode(answer(Type::Confirmable, 1), "1"));
    const auto next = exchange.next(seconds(5));
    ASSERT_TRUE(next && *next);
    EXPECT_EQ(as_text((*next)->payload), "1");
    EXPECT_TRUE(equal(transport.sent.back(), coap::empty_message(Type::Acknowledgement, 1)));
}

TEST_F(CoapExchangeTest, WithoutRandomnessNothingIsSent) {
    entropy.fail_call(0);
    EXPECT_EQ(exchange.begin(Code::Get).error().trouble, Trouble::State);
}

}  // namespace
}  // namespace sotto::app
