// SPDX-License-Identifier: Apache-2.0
// The limits of a client, each reached, and what its user hears then (docs/limits.md).
#include <gtest/gtest.h>

#include "core/session/client.hpp"
#include "core/session/device_test.hpp"

namespace sotto::session {
namespace {

constexpr Duration kPatience = minutes(5);
constexpr Duration kTick = milliseconds(50);

class ClientLimitTest : public ::testing::Test {
  protected:
    ClientLimitTest() {
        EXPECT_TRUE(Authority::commission(device_storage_,
                                          keystore::PairingSecret{Bytes{secret_}.first<16>()}));
        device_.emplace(device_storage_, entropy_, device_party_, now_);
        boot();
    }
    void boot() {
        client_.emplace(Client::Setup{
            .identity = owner_party_.identity(),
            .storage = storage_,
            .entropy = entropy_,
            .device = FixedBytes<crypto::kHashSize>{device_party_.credential.hash()}});
        ASSERT_TRUE(client_->start(now_));
    }
    // What is sent until now.
    std::vector<Message> sent() {
        std::vector<Message> messages;
        while (const auto message = client_->next_message(now_))
            messages.emplace_back(message->begin(), message->end());
        return messages;
    }
    void take(const std::optional<Event>& event) {
        if (!event) return;
        if (std::holds_alternative<FellSilent>(*event)) {
            ++silent_count_;
        } else {
            last_ = event;
        }
    }
    void step() {
        now_ = now_ + kTick;
        take(client_->advance(now_));
        for (const Message& message : sent()) {
            ++sent_count_;
            if (!answer_) continue;
            const Message answer = answer_(message);
            if (!answer.empty()) take(client_->receive(answer, now_));
        }
    }
    std::optional<Event> finish() {
        last_.reset();
        sent_count_ = 0;
        for (int i = 0; i < 20'000 && client_->is_busy(); ++i) step();
        EXPECT_FALSE(client_->is_busy());
        return last_;
    }
    void pass(Duration duration) {
        for (const Instant end = now_ + duration; now_ < end;) step();
    }
    Message ask_device(const Message& message) {
        device_->now = now_;
        return device_->receive(message);
    }
    void connect() {
        answer_ = [this](const Message& message) { return ask_device(message); };
    }
    void pair() {
        connect();
        keystore::PairingCode code;
        std::copy_n(device_party_.credential.hash().begin(),
                    keystore::kHashPrefixSize,
                    code.credential_hash_prefix.begin());
        code.secret = keystore::PairingSecret{Bytes{secret_}.first<16>()};
        ASSERT_TRUE(client_->pair(code, now_, now_ + kPatience));
        const auto event = finish();
        ASSERT_TRUE(event && std::holds_alternative<Paired>(*event));
    }
    Status begin_call(std::string_view argument = "on", std::string_view name = "lamp") {
        const Content content{.payload = as_bytes(argument)};
        return client_->request(
            {.code = coap::Code::Post, .resource = "f", .name = name, .content = content},
            now_,
            now_ + kPatience);
    }
    coap::Code call() {
        EXPECT_TRUE(begin_call());
        const auto event = finish();
        const auto* answer = event ? std::get_if<Answer>(&*event) : nullptr;
        return answer == nullptr ? coap::Code::Empty : answer->code;
    }
    static std::optional<Reason> reason_of(const std::optional<Event>& event) {
        const auto* ended = event ? std::get_if<Ended>(&*event) : nullptr;
        if (ended == nullptr) return std::nullopt;
        return ended->reason;
    }
    // An answer that nobody vouches for.
    static Message forged(const Message& request, coap::Code code, std::uint32_t max_age = 0) {
        const auto header = coap::parse_message(request)->header;
        std::array<std::uint8_t, 32> buffer;
        coap::MessageWriter writer{buffer,
                                   {.type = coap::Type::Acknowledgement,
                                    .code = code,
                                    .id = header.id,
                                    .token = header.token}};
        if (max_age != 0) writer.options().add_uint(coap::kMaxAge, max_age);
        const Bytes bytes = *writer.finish();
        return {bytes.begin(), bytes.end()};
    }

    SeededEntropy entropy_{7};
    const std::array<std::uint8_t, 16> secret_{9, 8, 7, 6, 5, 4, 3, 2, 1};
    const Party device_party_ = Party::make("lamp-1", entropy_);
    const Party owner_party_ = Party::make("phone-1", entropy_);
    MemoryStorage device_storage_;
    MemoryStorage storage_;
    std::optional<Device> device_;
    std::optional<Client> client_;
    Instant now_{1'000'000};
    std::function<Message(const Message&)> answer_;
    std::optional<Event> last_;
    int sent_count_ = 0;
    int silent_count_ = 0;
};

TEST_F(ClientLimitTest, AMessageIsSentFiveTimesAtGrowingIntervalsAndThenNoMore) {
    ASSERT_TRUE(begin_call());
    std::vector<Instant> times;
    for (const Instant end = now_ + minutes(4); now_ < end; now_ = now_ + kTick) {
        take(client_->advance(now_));
        for ([[maybe_unused]] const Message& message : sent()) times.push_back(now_);
    }
    ASSERT_EQ(times.size(), 1U + kRetransmitMax);
    const Duration first = times[1] - times[0];
    EXPECT_GE(first.ms, kRetransmitFirst.ms);
    EXPECT_LE(first.ms, kRetransmitFirst.ms * 3 / 2 + kTick.ms);
    for (std::size_t i = 2; i < times.size(); ++i) {
        const std::int64_t ratio =
            (times[i] - times[i - 1]).ms * 10 / (times[i - 1] - times[i - 2]).ms;
        EXPECT_NEAR(static_cast<double>(ratio), 20, 1) << i;
    }
    EXPECT_EQ(reason_of(finish()), Reason::Silence);
}

TEST_F(ClientLimitTest, AnEchoIsOfferedForItsTimeAndThenAskedForAnew) {
    pair();
    EXPECT_EQ(call(), coap::Code::Changed);
    EXPECT_EQ(call(), coap::Code::Changed);
    EXPECT_EQ(sent_count_, 1) << "with the Echo of the answer before";
    pass(kEchoUsable);
    EXPECT_EQ(call(), coap::Code::Changed);
    EXPECT_EQ(sent_count_, 2) << "without one, and with the one of the challenge";
}

TEST_F(ClientLimitTest, WhatDoesNotFitIsRefusedBeforeAnythingIsSent) {
    const std::string payload(kBodySizeMax + 1, 'x');
    EXPECT_EQ(begin_call(payload).error(), Error::TooLarge);
    const std::string segment(kSegmentSizeMax + 1, 'x');
    EXPECT_FALSE(begin_call("on", segment));
    EXPECT_FALSE(client_->is_busy());
    EXPECT_TRUE(begin_call(std::string(kPayloadSizeMax, 'x'), std::string(kSegmentSizeMax, 'x')));
}

TEST_F(ClientLimitTest, ThereIsRoomForSoManyObservations) {
    pair();
    for (std::size_t i = 0; i < kClientObservations; ++i) {
        ASSERT_TRUE(client_->observe({.resource = "e", .name = "lamp"}, now_, now_ + seconds(5)));
        finish();
    }
    const auto one_more =
        client_->observe({.resource = "e", .name = "lamp"}, now_, now_ + seconds(5));
    EXPECT_EQ(one_more.error(), Error::NoSpace);
}

TEST_F(ClientLimitTest, AnObservationIsRenewedEachMinuteAndItsEndIsTold) {
    pair();
    ASSERT_TRUE(client_->observe({.resource = "e", .name = "lamp"}, now_, now_ + seconds(5)));
    finish();
    sent_count_ = 0;
    pass(milliseconds(kObservationRenewal.ms - 1'000));
    EXPECT_EQ(sent_count_, 0);
    pass(seconds(2));
    EXPECT_EQ(sent_count_, 1);
    answer_ = {};  // silence
    pass(milliseconds(kObservationLifetime.ms + kRenewalPatience.ms));
    EXPECT_EQ(silent_count_, 1);
}

TEST_F(ClientLimitTest, ABusyDeviceIsAskedAgainSoonHoweverLongItSays) {
    answer_ = [](const Message& message) {
        return forged(message, coap::Code::ServiceUnavailable, 0xffff'ffff);
    };
    ASSERT_TRUE(begin_call());
    step();
    EXPECT_EQ(client_->wake_at(), now_ + kHandshakePauseMax);
    pass(kHandshakePauseMax);
    EXPECT_EQ(sent_count_, 2);
    connect();
    (void)client_->give_up(now_);
    pair();
}

TEST_F(ClientLimitTest, SoManyHandshakesThatComeToNothingEndAJob) {
    pair();
    int handshakes = 0;
    answer_ = [&](const Message& message) {
        if (coap::parse_message(message)->options.find(coap::kOscore))
            return forged(message, coap::Code::Unauthorized);
        if (coap::parse_message(message)->payload[0] == 0xf5) ++handshakes;
        return ask_device(message);
    };
    ASSERT_TRUE(begin_call());
    const Instant begun = now_;
    EXPECT_EQ(reason_of(finish()), Reason::NoSession);
    EXPECT_EQ(handshakes, int{kHandshakeTryMax});
    EXPECT_GE((now_ - begun).ms, (kHandshakeTryMax - 1) * kHandshakePause.ms);
    connect();
    EXPECT_EQ(call(), coap::Code::Changed) << "and the next one is none the worse";
}

TEST_F(ClientLimitTest, ADeviceThatOnlyChallengesIsGivenUp) {
    pair();
    int requests = 0;
    answer_ = [&](const Message& message) {
        ++requests;
        const Message answer = ask_device(message);
        device_->now = now_ + minutes(10);  // its clock jumps: no Echo of it is fresh again
        const std::array<std::uint8_t, 1> nothing{};
        (void)device_->server->receive({}, nothing, device_->now, device_->out);
        now_ = now_ + minutes(1);
        return answer;
    };
    ASSERT_TRUE(client_->request(
        {.code = coap::Code::Post, .resource = "f", .name = "lamp"}, now_, now_ + minutes(100)));
    const auto event = finish();
    EXPECT_TRUE(reason_of(event)) << "it ends";
    EXPECT_LE(requests, 2 * (kChallengeMax + 2));
    EXPECT_EQ(device_->lamp.calls, 0);
    connect();
    EXPECT_EQ(call(), coap::Code::Changed);
}

TEST_F(ClientLimitTest, ASessionThatHasUsedItsNumbersIsReplaced) {
    pair();
    EXPECT_EQ(call(), coap::Code::Changed);
    keystore::CounterRecord counters = *keystore::load_counters(storage_, 0);
    counters.reserved = kSessionMessageCountMax;
    ASSERT_TRUE(keystore::store_counters(storage_, 0, counters));
    boot();
    EXPECT_EQ(call(), coap::Code::Changed);
    EXPECT_LT(keystore::load_counters(storage_, 0)->reserved, kSessionMessageCountMax);
}

TEST_F(ClientLimitTest, ASessionIsReplacedAfterThirtyDaysWithoutAWord) {
    pair();
    EXPECT_EQ(call(), coap::Code::Changed);
    now_ = now_ + seconds(kSessionLifetimeSeconds);
    EXPECT_EQ(call(), coap::Code::Changed);
    EXPECT_GE(sent_count_, 4) << "a handshake, and the command";
}

}  // namespace
}  // namespace sotto::session
