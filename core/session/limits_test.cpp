// SPDX-License-Identifier: Apache-2.0
// The limits of a device, each reached, and what is answered then (docs/limits.md).
#include "core/session/limits.hpp"

#include <gtest/gtest.h>

#include "core/session/app_test.hpp"

namespace sotto::session {
namespace {

constexpr Channel kNearby{};

// A device counts in tenths of a second.
constexpr Duration kTick = milliseconds(100);

Duration less(Duration duration, std::int64_t ms) { return milliseconds(duration.ms - ms); }

class DeviceLimitTest : public ::testing::Test {
  protected:
    DeviceLimitTest() {
        EXPECT_TRUE(
            Authority::commission(storage_, keystore::PairingSecret{Bytes{secret_}.first<16>()}));
        boot();
    }
    void boot(Instant now = Instant{1'000'000}) {
        device_ = std::make_unique<Device>(storage_, entropy_, device_party_, now);
        ASSERT_TRUE(device_->started);
    }
    void pair() {
        const auto answer = app_.pair(*device_, device_party_, secret_);
        ASSERT_TRUE(answer && answer->verdict == PairingVerdict::Accepted);
        ASSERT_EQ(app_.command(*device_, "on").code, coap::Code::Changed);
    }
    void pass(Duration duration) { device_->now = device_->now + duration; }
    static coap::Code code_of(const Message& message) {
        return coap::parse_message(message)->header.code;
    }
    coap::Code command_with(const Message& echo) {
        return app_
            .ask(*device_,
                 {.code = coap::Code::Post, .path = {"f", "lamp"}, .payload = "on", .echo = echo})
            .code;
    }

    SeededEntropy entropy_{7};
    MemoryStorage storage_;
    const std::array<std::uint8_t, 16> secret_{9, 8, 7, 6, 5, 4, 3, 2, 1};
    const Party device_party_ = Party::make("lamp-1", entropy_);
    const Party owner_party_ = Party::make("phone-1", entropy_);
    const Party stranger_party_ = Party::make("phone-2", entropy_);
    std::unique_ptr<Device> device_;
    App app_{owner_party_, entropy_};
};

TEST_F(DeviceLimitTest, HalfOpenHandshakesThroughTheRelayLeaveThePlaceOfTheDirectAir) {
    const Message answer_1 = device_->receive(app_.message_1(), kNearby);
    App stranger{stranger_party_, entropy_};
    for (std::uint16_t label = 2; label < 60; ++label) {  // a new one each time there is a token
        pass(milliseconds(200));
        device_->receive(stranger.message_1(), {.label = label});
    }
    const auto answer =
        app_.on_message_4(device_->receive(app_.message_3(answer_1, device_party_, secret_)));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->verdict, PairingVerdict::Accepted);
}

TEST_F(DeviceLimitTest, AHalfOpenHandshakeEndsAfterItsTime) {
    for (const bool is_late : {false, true}) {
        for (const std::uint16_t label : {std::uint16_t{0}, std::uint16_t{2}}) {
            const Channel channel{.label = label};
            const Duration life = label == 0 ? kHalfOpenLifetimeAir : kHalfOpenLifetimeRelay;
            const Message answer_1 = device_->receive(app_.message_1(), channel);
            pass(less(life, is_late ? -kTick.ms : kTick.ms + 20));
            const Message request = app_.message_3(answer_1, device_party_, secret_);
            const Message answer = device_->receive(request, channel);
            EXPECT_EQ(code_of(answer) == coap::Code::Changed, !is_late) << label;
        }
    }
}

TEST_F(DeviceLimitTest, AFloodOfHandshakesIsToldToComeBackAndKeepsNoOtherPathOut) {
    App flood{stranger_party_, entropy_};
    for (std::uint32_t i = 0; i < kHandshakeBurst; ++i)
        EXPECT_EQ(code_of(device_->receive(flood.message_1(), {.label = 3})), coap::Code::Changed);
    const Message refused = device_->receive(flood.message_1(), {.label = 4});
    EXPECT_EQ(code_of(refused), coap::Code::ServiceUnavailable);
    EXPECT_TRUE(coap::parse_message(refused)->options.find_uint(coap::kMaxAge));
    pair();  // on the direct air
    pass(kHandshakeRefill);
    EXPECT_EQ(code_of(device_->receive(flood.message_1(), {.label = 3})), coap::Code::Changed);
    EXPECT_EQ(code_of(device_->receive(flood.message_1(), {.label = 3})),
              coap::Code::ServiceUnavailable);
}

TEST_F(DeviceLimitTest, AFloodOfPairingAttemptsWithoutTheSecretNeverPairsAndEnds) {
    App flood{stranger_party_, entropy_};
    const std::array<std::uint8_t, 16> wrong{1};
    for (int i = 0; i < 200; ++i) {
        pass(milliseconds(500));
        const Message answer_1 = device_->receive(flood.message_1(), kNearby);
        const Message message_3 = flood.message_3(answer_1, device_party_, wrong);
        if (message_3.empty()) continue;  // told to come back
        const auto answer = flood.on_message_4(device_->receive(message_3, kNearby));
        ASSERT_TRUE(answer);
        ASSERT_EQ(answer->verdict, PairingVerdict::NotPermitted);
    }
    EXPECT_FALSE(device_->server->authority().has_owner());
    pass(kHandshakeRefill);
    pair();
}

TEST_F(DeviceLimitTest, APressOfTheButtonAdmitsAPairingForItsTime) {
    Authority authority{{.storage = storage_, .display = PairingDisplay::Label}};
    ASSERT_TRUE(authority.load({}));
    const crypto::Hash proof{1, 2, 3};
    const auto judge = [&](Instant now) {
        return authority.judge(
            {.credential = owner_party_.credential, .proof = proof, .expected = proof}, now);
    };
    const Instant pressed{5'000'000};
    EXPECT_EQ(judge(pressed), PairingVerdict::PressButton);
    authority.on_button(pressed);
    EXPECT_EQ(judge(pressed + kButtonWindow), PairingVerdict::Accepted);
    EXPECT_EQ(judge(pressed + kButtonWindow + kTick), PairingVerdict::PressButton);
}

TEST_F(DeviceLimitTest, AnEchoIsFreshForItsTimeAndThenChallengedAnew) {
    pair();
    const Message echo = app_.command(*device_, "on").echo;
    EXPECT_EQ(echo.size(), kEchoSize);
    pass(less(kEchoLifetime, kTick.ms));
    EXPECT_EQ(command_with(echo), coap::Code::Changed);
    pass(milliseconds(2 * kTick.ms));
    EXPECT_EQ(command_with(echo), coap::Code::Unauthorized);
}

TEST_F(DeviceLimitTest, TheLastAnswersAreKeptForARepetitionAndOlderOnesAreRefused) {
    pair();
    std::vector<Message> requests;
    std::vector<Message> answers;
    const Message echo = app_.command(*device_, "on").echo;
    for (std::size_t i = 0; i <= kAnswerCacheCount; ++i) {
        requests.push_back(app_.protect(
            {.code = coap::Code::Post, .path = {"f", "lamp"}, .payload = "on", .echo = echo}));
        answers.push_back(device_->receive(requests.back()));
    }
    const int calls = device_->lamp.calls;
    for (std::size_t i = 1; i <= kAnswerCacheCount; ++i)
        EXPECT_EQ(device_->receive(requests[i]), answers[i]) << i;
    EXPECT_EQ(code_of(device_->receive(requests[0])), coap::Code::Unauthorized);
    EXPECT_EQ(device_->lamp.calls, calls);
}

TEST_F(DeviceLimitTest, AnAnswerThatIsTooLargeIsNotKeptAndStillRunsOnce) {
    pair();
    const Message echo = app_.command(*device_, "on").echo;
    const std::string large(kAnswerSizeMax, 'x');  // which the lamp gives back
    const Message request = app_.protect(
        {.code = coap::Code::Post, .path = {"f", "lamp"}, .payload = large, .echo = echo});
    EXPECT_EQ(app_.unprotect(device_->receive(request)).payload, large);
    const int calls = device_->lamp.calls;
    EXPECT_EQ(code_of(device_->receive(request)), coap::Code::Unauthorized);
    EXPECT_EQ(device_->lamp.calls, calls);
}

// The counters of the first session as they are after so many messages of the device.
void use_up(MemoryStorage& storage, std::uint32_t reserved) {
    keystore::CounterRecord counters = *keystore::load_counters(storage, 0);
    counters.reserved = reserved;
    ASSERT_TRUE(keystore::store_counters(storage, 0, counters));
}

TEST_F(DeviceLimitTest, ASessionWithoutNumbersOfTheDeviceIsOverAndThereIsAWayOut) {
    pair();
    use_up(storage_, kSessionMessageCountMax);
    boot();
    const App::Reply reply = app_.command(*device_, "off");
    EXPECT_EQ(reply.code, coap::Code::Unauthorized) << "which brings a client to shake hands";
    EXPECT_TRUE(reply.echo.empty());
    const Message answer_1 = device_->receive(app_.message_1());
    ASSERT_TRUE(app_.on_message_4(device_->receive(app_.message_3(answer_1, device_party_, {}))));
    EXPECT_EQ(app_.command(*device_, "off").code, coap::Code::Changed);
}

TEST_F(DeviceLimitTest, ASessionThatHasSentAsMuchAsItMayIsOver) {
    pair();
    app_.piv = kSessionMessageCountMax;
    EXPECT_EQ(app_.ask(*device_, {.path = {"v", "lamp"}}).code, coap::Code::Content);
    EXPECT_EQ(app_.ask(*device_, {.path = {"v", "lamp"}}).code, coap::Code::Unauthorized);
}

TEST_F(DeviceLimitTest, ASessionLivesForThirtyDaysOverBoots) {
    pair();
    pass(less(seconds(kSessionLifetimeSeconds), 60'000));
    EXPECT_EQ(app_.command(*device_, "on").code, coap::Code::Changed);
    boot(Instant{500'000});  // its clock begins anew
    EXPECT_EQ(app_.command(*device_, "on").code, coap::Code::Changed);
    pass(minutes(2));
    EXPECT_EQ(app_.command(*device_, "on").code, coap::Code::Unauthorized);
}

TEST_F(DeviceLimitTest, NumbersAreReservedInStepsAndSkippedByABoot) {
    pair();
    const std::uint32_t reserved = keystore::load_counters(storage_, 0)->reserved;
    EXPECT_EQ(reserved % kReservationStep, 0U);
    boot();
    app_.ask(*device_, {.path = {"v", "lamp"}});  // is challenged, under a number of the device
    EXPECT_EQ(keystore::load_counters(storage_, 0)->reserved, reserved + kReservationStep);
}

TEST_F(DeviceLimitTest, ThereIsRoomForSoManyObservationsAndTheNextIsToldSo) {
    pair();
    const auto observe = [&](std::uint8_t number) {
        Message request = app_.protect({.path = {"e", "lamp"}, .observe = 0});
        request[4] = number;  // the token: an observation of its own
        const Message answer = device_->receive(request);
        return coap::parse_message(answer)->options.find(coap::kObserve).has_value();
    };
    for (std::uint8_t i = 0; i < kObservations; ++i) EXPECT_TRUE(observe(i)) << int{i};
    EXPECT_FALSE(observe(kObservations));
    EXPECT_TRUE(observe(0)) << "it is renewed";
    pass(kObservationLifetime);
    EXPECT_TRUE(observe(kObservations)) << "the others are over";
}

TEST_F(DeviceLimitTest, AnObservationEndsWithItsTime) {
    pair();
    app_.ask(*device_, {.path = {"e", "lamp"}, .observe = 0});
    pass(less(kObservationLifetime, kTick.ms));
    ASSERT_TRUE(device_->server->publish(0, {.payload = as_bytes("told")}));
    EXPECT_TRUE(device_->server->poll(device_->now, device_->out));
    pass(kTick);
    ASSERT_TRUE(device_->server->publish(0, {.payload = as_bytes("not told")}));
    EXPECT_FALSE(device_->server->poll(device_->now, device_->out));
}

TEST_F(DeviceLimitTest, EventsThatWaitAreBoundedAndSoAreTheirSizes) {
    pair();
    app_.ask(*device_, {.path = {"e", "lamp"}, .observe = 0});
    const Message largest(kEventSizeMax, 'x');
    for (std::size_t i = 0; i < kPendingEvents; ++i)
        EXPECT_TRUE(device_->server->publish(0, {.payload = largest}));
    EXPECT_EQ(device_->server->publish(0, {.payload = largest}).error(), Error::NoSpace);
    std::size_t told = 0;
    while (device_->server->poll(device_->now, device_->out)) ++told;
    EXPECT_EQ(told, kPendingEvents);
    const Message larger(kEventSizeMax + 1, 'x');
    EXPECT_EQ(device_->server->publish(0, {.payload = larger}).error(), Error::TooLarge);
}

TEST_F(DeviceLimitTest, AnEdhocMessageThatIsTooLongIsAnError) {
    Message payload(kHandshakeMessageMax + 100, 0x40);
    payload[0] = 0xf5;
    EXPECT_EQ(code_of(device_->receive(app_.edhoc_request(payload))), coap::Code::BadRequest);
    pair();
}

}  // namespace
}  // namespace sotto::session
