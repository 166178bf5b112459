// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/session.hpp"

#include <gtest/gtest.h>

#include "tests/particle/pair.hpp"

namespace sotto::tests {
namespace {

using testing::Firmware;
using testing::LegacyEvent;

std::int32_t number(const Result<Answer>& answer) { return std::get<std::int32_t>(*answer); }
const Value& value(const Result<Answer>& answer) { return std::get<Value>(*answer); }

// A session under credentials that the test has, and what a device with them would send.
struct Alone {
    Alone() {
        session.emplace(Session::Setup{
            .cipher = *cipher, .credentials = credentials.clone(), .now = Instant{1}});
    }
    void send(std::vector<std::uint8_t> message) {
        std::vector<std::uint8_t> frame;
        writer.write(*cipher, key, message, frame);
        session->receive(frame, Instant{1});
    }
    std::vector<std::vector<std::uint8_t>> take_messages() {
        std::vector<std::vector<std::uint8_t>> messages;
        EXPECT_TRUE(reader.read(*cipher, key, session->take_output(), [&](Bytes message) {
            messages.emplace_back(message.begin(), message.end());
            return true;
        }));
        return messages;
    }
    void send_raw(std::vector<std::uint8_t> bytes) { session->receive(bytes, Instant{1}); }
    void greet() { send({0x50, 0x02, 0, 7, 0xb1, 'h', 0xff, 0, 1, 0, 2, 0, 0, 0, 6}); }

    std::unique_ptr<Cipher> cipher = particle_openssl::make_cipher();
    Credentials credentials;
    AesKey key;
    FrameWriter writer{credentials};
    FrameReader reader{credentials};
    std::optional<Session> session;
};

class OfEveryFirmware : public ::testing::TestWithParam<Firmware> {};
INSTANTIATE_TEST_SUITE_P(ParticleSession,
                         OfEveryFirmware,
                         ::testing::Values(Firmware::Bluz, Firmware::System06, Firmware::System6));

TEST_P(OfEveryFirmware, TheDeviceIsGreetedDescribedAndTold) {
    Pair pair{GetParam()};
    pair.connect();
    EXPECT_TRUE(pair.device.is_connected()) << pair.device.trouble();
    ASSERT_EQ(pair.events_of<Greeted>().size(), 1U);
    EXPECT_EQ(pair.session->hello()->platform, 103);
    EXPECT_EQ(pair.session->hello()->product_version, 8);
    EXPECT_EQ(pair.session->hello()->system_version, GetParam() == Firmware::System6 ? 6'200 : 0);
    ASSERT_TRUE(pair.session->description());
    EXPECT_EQ(pair.session->description()->functions, (std::vector<std::string>{"brew", "led"}));
    EXPECT_EQ(pair.session->description()->variables.size(), 5U);
    EXPECT_EQ(pair.device.time(), 1'700'000'000U);
    const auto system = pair.events_of<SystemEvent>();
    ASSERT_EQ(system.size(), 3U);
    EXPECT_EQ(system[0].name, "spark/hardware/max_binary");
    EXPECT_EQ(system[0].data, "118784");
    ASSERT_EQ(pair.session->subscriptions().size(), 1U);
    EXPECT_EQ(pair.session->subscriptions()[0],
              (Subscription{.prefix = "spark", .is_own_only = true}));
}

TEST_P(OfEveryFirmware, FunctionsAreCalledAndVariablesOfEveryTypeRead) {
    Pair pair{GetParam()};
    pair.connect();
    Session& session = *pair.session;
    EXPECT_EQ(number(pair.ask(session.call("brew", "coffee", pair.now))), 1);
    EXPECT_EQ(number(pair.ask(session.call("brew", "tea", pair.now))), -1);
    EXPECT_EQ(number(pair.ask(session.call("led", "", pair.now))), 0);
    EXPECT_EQ(number(pair.ask(session.call("led", std::string(63, 'x'), pair.now))), 63);
    EXPECT_EQ(value(pair.ask(session.read("temp", pair.now))),
              (Value{VariableType::Int, {0, 0, 0, 0x15}}));
    EXPECT_EQ(as_text(value(pair.ask(session.read("name", pair.now))).bytes), "lamp");
    EXPECT_TRUE(value(pair.ask(session.read("empty", pair.now))).bytes.empty());
    EXPECT_EQ(value(pair.ask(session.read("on", pair.now))), (Value{VariableType::Bool, {1}}));
    EXPECT_EQ(value(pair.ask(session.read("volt", pair.now))).bytes,
              (std::vector<std::uint8_t>{0, 0, 0, 0, 0, 0, 0x0a, 0x40}));
    EXPECT_TRUE(pair.device.is_connected()) << pair.device.trouble();
}

TEST_P(OfEveryFirmware, PingsAndSignalsAreAnswered) {
    Pair pair{GetParam()};
    pair.connect();
    EXPECT_EQ(std::get<Done>(*pair.ask(pair.session->ping(pair.now))), Done{});
    EXPECT_TRUE(pair.ask(pair.session->signal(true, pair.now)));
    EXPECT_EQ(pair.device.signal(), true);
    EXPECT_TRUE(pair.ask(pair.session->signal(false, pair.now)));
    EXPECT_EQ(pair.device.signal(), false);
    pair.device.ping();
    pair.device.ping();
    const std::size_t before = pair.device.ack_count();
    pair.settle();
    EXPECT_EQ(pair.device.ack_count(), before + 2);
    EXPECT_TRUE(pair.ask(pair.session->ping(pair.now)));  // gaps in the counter are no trouble
}

TEST_P(OfEveryFirmware, EventsGoUpWithNameDataTimeAndVisibility) {
    Pair pair{GetParam()};
    pair.connect();
    pair.device.publish({.name = "temp", .data = "21.5"});
    pair.device.publish(
        {.name = "motion/front-door1", .data = "open", .ttl_s = 3'600, .is_public = true});
    pair.device.publish({.name = "nothing"});
    pair.settle();
    const auto published = pair.events_of<Published>();
    ASSERT_EQ(published.size(), 3U);
    EXPECT_EQ(published[0].name, "temp");
    EXPECT_EQ(published[0].data, "21.5");
    EXPECT_EQ(published[0].ttl_s, 60U);
    EXPECT_FALSE(published[0].is_public);
    EXPECT_EQ(published[1].name, "motion/front-door1");
    EXPECT_EQ(published[1].ttl_s, 3'600U);
    EXPECT_TRUE(published[1].is_public);
    EXPECT_FALSE(published[2].has_data);
}

TEST_P(OfEveryFirmware, EventsGoDown) {
    Pair pair{GetParam()};
    pair.connect();
    const std::vector<LegacyEvent> wanted{
        {.name = "door/front", .data = "open"},
        {.name = "door/front", .data = "open", .ttl_s = 3'600},
        {.name = "a-name-of-more-than-thirteen", .data = "", .is_public = true},
        {.name = "with//empty/", .data = "x"}};
    for (const LegacyEvent& event : wanted)
        ASSERT_TRUE(pair.session->publish({.name = event.name,
                                           .data = event.data,
                                           .ttl_s = event.ttl_s,
                                           .is_public = event.is_public},
                                          pair.now));
    pair.settle();
    EXPECT_EQ(pair.device.events(), wanted);
    EXPECT_TRUE(pair.device.is_connected()) << pair.device.trouble();
}

TEST_P(OfEveryFirmware, ConcurrentCallsGetTheirOwnAnswersInWhateverOrder) {
    Pair pair{GetParam()};
    pair.connect();
    pair.device.delays_results = true;
    std::vector<RequestId> calls;
    for (std::size_t size = 0; size < kRequestCountMax; ++size)
        calls.push_back(*pair.session->call("led", std::string(size, 'x'), pair.now));
    EXPECT_EQ(pair.session->call("led", "", pair.now).error(), Error::Busy);
    pair.settle();
    pair.device.finish_calls();  // the last one first
    pair.settle();
    for (std::size_t size = 0; size < calls.size(); ++size) {
        const auto answer = pair.answer_to(calls[size]);
        ASSERT_TRUE(answer && answer->has_value()) << size;
        EXPECT_EQ(number(*answer), static_cast<std::int32_t>(size));
    }
    EXPECT_TRUE(pair.device.is_connected()) << pair.device.trouble();
}

TEST(ParticleSession, NothingOverflowsTheOldestDevicesWhateverIsAskedOfThem) {
    Pair pair;
    pair.connect();
    std::vector<RequestId> requests;
    for (int i = 0; i < 8; ++i) {
        requests.push_back(*pair.session->call("led", std::string(60, 'x'), pair.now));
        requests.push_back(*pair.session->read("name", pair.now));
        requests.push_back(*pair.session->ping(pair.now));
        requests.push_back(*pair.session->signal(true, pair.now));
    }
    std::size_t event_count = 0;
    while (pair.session->publish({.name = "much", .data = std::string(255, 'y')}, pair.now))
        ++event_count;
    EXPECT_GT(event_count, 10U);
    pair.settle();
    EXPECT_TRUE(pair.device.is_connected()) << pair.device.trouble();
    for (const RequestId request : requests) {
        const auto answer = pair.answer_to(request);
        EXPECT_TRUE(answer && answer->has_value());
    }
    EXPECT_EQ(pair.device.events().size(), event_count);
}

TEST(ParticleSession, WhatADeviceDoesNotHaveIsNeverAskedOfIt) {
    Pair pair{Firmware::System06};
    pair.connect();
    EXPECT_EQ(pair.ask(pair.session->read("nosuch", pair.now)).error(), Error::NotFound);
    EXPECT_EQ(pair.ask(pair.session->call("nosuch", "", pair.now)).error(), Error::NotFound);
    EXPECT_TRUE(pair.device.is_connected()) << pair.device.trouble();
    EXPECT_EQ(pair.session->read("", pair.now).error(), Error::NotFound);
    EXPECT_EQ(pair.session->call(std::string(65, 'x'), "", pair.now).error(), Error::NotFound);
}

TEST(ParticleSession, TheSizeOfAnArgumentIsThatOfTheDevice) {
    Pair small;
    small.connect();
    EXPECT_EQ(small.session->call("led", std::string(64, 'x'), small.now).error(), Error::TooLarge);
    EXPECT_EQ(
        small.session->publish({.name = "n", .data = std::string(256, 'x')}, small.now).error(),
        Error::TooLarge);
    Pair large{Firmware::System6, 6};
    large.connect();
    EXPECT_EQ(number(large.ask(large.session->call("led", std::string(622, 'x'), large.now))), 622);
    EXPECT_EQ(large.session->call("led", std::string(623, 'x'), large.now).error(),
              Error::TooLarge);
    EXPECT_EQ(number(large.ask(large.session->call("led", std::string(268, 'x'), large.now))), 268);
    EXPECT_EQ(number(large.ask(large.session->call("led", std::string(269, 'x'), large.now))), 269);
    EXPECT_TRUE(large.device.is_connected()) << large.device.trouble();
}

TEST(ParticleSession, ADescriptionPushedInBlocksIsPutTogether) {
    Pair pair{Firmware::System6, 6};
    for (int i = 0; i < 50; ++i)
        pair.device.functions["function_with_a_long_name_" + std::to_string(i)] =
            [i](const std::string&) { return i; };
    pair.connect();
    ASSERT_TRUE(pair.session->description());
    EXPECT_EQ(pair.session->description()->functions.size(), 52U);
    EXPECT_EQ(number(pair.ask(pair.session->call("function_with_a_long_name_37", "", pair.now))),
              37);
    EXPECT_TRUE(pair.device.is_connected()) << pair.device.trouble();
}

TEST(ParticleSession, ADeviceThatDescribesOnlyAPartIsAskedForIt) {
    Pair pair{Firmware::System6, 6, false, false};
    pair.connect();
    ASSERT_TRUE(pair.session->description());
    EXPECT_EQ(number(pair.ask(pair.session->call("brew", "coffee", pair.now))), 1);
    EXPECT_TRUE(pair.device.is_connected()) << pair.device.trouble();
}

TEST(ParticleSession, ADeviceThatRefusesToDescribeItselfIsNotAskedOnAndOn) {
    Alone alone;
    alone.greet();
    for (int round = 0; round < 3; ++round) {
        const auto asked = alone.take_messages();
        EXPECT_EQ(asked.size(), round == 0 ? 2U : round == 1 ? 1U : 0U) << round;
        if (asked.empty()) break;
        const auto& last = asked.back();
        alone.send({0x61, 0x80, last[2], last[3], last[4]});
    }
}

TEST(ParticleSession, SafeModeIsNoticed) {
    Pair pair{Firmware::Bluz, 103, true};
    pair.connect();
    EXPECT_TRUE(pair.session->is_in_safe_mode());
    EXPECT_EQ(pair.ask(pair.session->call("led", "", pair.now)).error(), Error::NotFound);
}

TEST(ParticleSession, SubscriptionsAreNotedOnceAndBounded) {
    Pair pair;
    pair.connect();
    pair.device.subscribe("motion", true);
    pair.device.subscribe("motion", true);
    pair.device.subscribe("door", false, "B1E201020304");  // twelve of its digits are kept
    pair.device.subscribe("bad", false, "not an id");
    pair.settle();
    const auto& known = pair.session->subscriptions();
    ASSERT_EQ(known.size(), 3U);
    EXPECT_EQ(known[2], (Subscription{.prefix = "door", .device = "b1e201020304"}));
    EXPECT_TRUE(known[2].wants("door/front", "b1e20102030405060708090a"));
    EXPECT_FALSE(known[2].wants("door/front", "c1e20102030405060708090a"));
    EXPECT_FALSE(known[2].wants("doo", "b1e20102030405060708090a"));
    for (int i = 0; i < 100; ++i) {
        pair.device.subscribe("prefix" + std::to_string(i), true);
        pair.settle();
    }
    EXPECT_EQ(known.size(), kSubscriptionCountMax);
    EXPECT_EQ(known.back().prefix, "prefix99");
    EXPECT_TRUE(pair.device.is_connected()) << pair.device.trouble();
}

TEST(ParticleSession, SubscriptionsThatAreTooLongAreNotNoted) {
    Pair pair;
    pair.connect();
    const std::size_t before = pair.session->subscriptions().size();
    pair.device.subscribe(std::string(kSubscriptionPrefixSizeMax + 1, 'p'), true);
    pair.device.subscribe("p", true, std::string(kSubscriptionDeviceSizeMax + 1, 'a'));
    pair.settle();
    EXPECT_EQ(pair.session->subscriptions().size(), before);
    pair.device.subscribe(std::string(kSubscriptionPrefixSizeMax, 'p'), true);
    pair.device.subscribe("p", true, std::string(kSubscriptionDeviceSizeMax, 'a'));
    pair.settle();
    EXPECT_EQ(pair.session->subscriptions().size(), before + 2);
}

TEST(ParticleSession, EventsOverTheRateAreDroppedAndNothingElseHappens) {
    Pair pair;
    pair.connect();
    for (std::uint32_t i = 0; i < 2 * kEventBurst; ++i) pair.device.publish({.name = "flood"});
    pair.settle();
    EXPECT_LE(pair.events_of<Published>().size(), kEventBurst);
    EXPECT_GE(pair.events_of<Published>().size(), kEventBurst / 2);
    EXPECT_EQ(pair.session->ending(), Ending::None);
    EXPECT_TRUE(pair.ask(pair.session->ping(pair.now)));
    pair.now = pair.now + seconds(10);
    pair.device.publish({.name = "later"});
    pair.settle();
    EXPECT_EQ(pair.events_of<Published>().back().name, "later");
}

TEST(ParticleSession, EventsThatNobodyTakesAreBounded) {
    Pair pair;
    pair.connect();
    for (std::size_t i = 0; i < 3 * kEventsWaitingMax; ++i) {
        pair.now = pair.now + seconds(1);
        pair.device.publish({.name = "untaken"});
        pair.session->receive(pair.device.take_output(), pair.now);
    }
    std::size_t count = 0;
    while (pair.session->next_event()) ++count;
    EXPECT_EQ(count, kEventsWaitingMax);
}

TEST(ParticleSession, EventsWithABadNameOrTooMuchDataAreDropped) {
    Pair pair;
    pair.connect();
    pair.device.publish({.name = ""});
    pair.device.publish({.name = std::string(kEventNameSizeMax + 1, 'n')});
    pair.device.publish({.name = "large", .data = std::string(kEventDataSizeMax + 1, 'd')});
    pair.device.publish(
        {.name = std::string(kEventNameSizeMax, 'n'), .data = std::string(kEventDataSizeMax, 'd')});
    pair.settle();
    ASSERT_EQ(pair.events_of<Published>().size(), 1U);
    EXPECT_EQ(pair.events_of<Published>()[0].data.size(), kEventDataSizeMax);
}

TEST(ParticleSession, AnAnswerThatDoesNotComeIsATimeoutAndItsTokenMeansNoOtherRequest) {
    Pair pair;
    pair.connect();
    pair.device.delays_results = true;
    const RequestId late = *pair.session->call("led", "four", pair.now);
    pair.settle();
    pair.now = pair.now + kRequestTime;
    pair.session->on_time(pair.now);
    pair.settle();
    EXPECT_EQ(pair.answer_to(late)->error(), Error::Timeout);
    const RequestId next = *pair.session->call("led", "", pair.now);
    pair.settle();
    pair.device.finish_calls();
    pair.settle();
    EXPECT_EQ(number(*pair.answer_to(next)), 0);
}

TEST(ParticleSession, ASilentDeviceIsPingedAndThenGivenUp) {
    Pair pair;
    pair.connect();
    pair.now = pair.now + kSilenceMax;
    EXPECT_LE(pair.session->next_deadline(), pair.now);
    pair.session->on_time(pair.now);
    pair.settle();
    EXPECT_EQ(pair.session->ending(), Ending::None);  // it answered
    pair.device.is_deaf = true;
    pair.now = pair.now + kSilenceMax;
    pair.session->on_time(pair.now);
    const RequestId call = *pair.session->call("led", "", pair.now);
    pair.settle();
    pair.now = pair.now + kPingTime;
    EXPECT_LE(pair.session->next_deadline(), pair.now);
    pair.session->on_time(pair.now);
    EXPECT_EQ(pair.session->ending(), Ending::Silent);
    pair.settle();
    EXPECT_EQ(pair.events_of<Answered>().back().request, call);
}

TEST(ParticleSession, WithoutAHelloItEnds) {
    Pair pair;
    pair.connect();
    Session session{{.cipher = *pair.cipher, .credentials = {}, .now = pair.now}};
    EXPECT_EQ(session.publish({.name = "n"}, pair.now).error(), Error::WrongState);
    session.on_time(pair.now + kHelloTime - milliseconds(1));
    EXPECT_EQ(session.ending(), Ending::None);
    EXPECT_EQ(session.next_deadline(), pair.now + kHelloTime);
    session.on_time(pair.now + kHelloTime);
    EXPECT_EQ(session.ending(), Ending::NoHello);
}

TEST(ParticleSession, AnotherKeyIsUnreadable) {
    Pair pair;
    pair.connect();
    const std::array<std::uint8_t, 40> other{1};
    Session session{{.cipher = *pair.cipher, .credentials = Credentials{other}, .now = pair.now}};
    Alone device;
    std::vector<std::uint8_t> frame;
    device.writer.write(*device.cipher, device.key, as_bytes("PRETENDS TO SAY HELLO"), frame);
    session.receive(frame, pair.now);
    EXPECT_EQ(session.ending(), Ending::Unreadable);
    EXPECT_FALSE(session.has_output());
}

TEST(ParticleSession, TheFirstMessageIsHello) {
    for (const std::vector<std::uint8_t>& first :
         {std::vector<std::uint8_t>{0x40, 0, 0, 1},  // a ping
          {0x50, 0x02, 0, 1, 0xb1, 'E', 0x01, 'x'},  // an event
          {0x50, 0x01, 0, 1, 0xb1, 'h'},             // GET
          {0x50, 0x02, 0, 1},                        // no path
          {}}) {
        Alone alone;
        alone.send(first);
        EXPECT_EQ(alone.session->ending(), Ending::Unreadable);
    }
    Alone short_form;
    short_form.send({0x50, 0x02, 0, 7, 0xb1, 'h'});
    EXPECT_TRUE(short_form.session->is_greeted());
    EXPECT_EQ(*short_form.session->hello(), Hello{});
}

TEST(ParticleSession, FramesThatCannotBeEndIt) {
    for (const auto& [bytes, ending] :
         {std::pair{std::vector<std::uint8_t>{0, 0}, Ending::Unreadable},
          {{0, 1}, Ending::Unreadable},
          {{0xff, 0xf0}, Ending::TooLarge},
          {std::vector<std::uint8_t>{0, 16}, Ending::None}}) {
        Alone alone;
        alone.greet();
        alone.send_raw(bytes);
        EXPECT_EQ(alone.session->ending(), ending) << to_string(ending);
    }
    Alone padding;
    padding.greet();
    std::vector<std::uint8_t> noise(18, 0x42);
    noise[0] = 0;
    noise[1] = 16;
    padding.send_raw(noise);
    EXPECT_EQ(padding.session->ending(), Ending::Unreadable);
}

TEST(ParticleSession, IdsRiseWithSmallGaps) {
    Alone alone;
    alone.greet();
    alone.send({0x40, 0, 0, 8});
    alone.send({0x40, 0, 0, 200});
    EXPECT_EQ(alone.session->ending(), Ending::None);
    alone.send({0x40, 0, 0, 200});
    EXPECT_EQ(alone.session->ending(), Ending::BadCounter);
    Alone jump;
    jump.greet();
    jump.send({0x40, 0, 2, 8});
    EXPECT_EQ(jump.session->ending(), Ending::BadCounter);
}

TEST(ParticleSession, CodesAndPathsThatItDoesNotKnowAreAcknowledgedAndForgotten) {
    Alone alone;
    alone.greet();
    (void)alone.session->take_output();
    std::uint8_t id = 8;
    constexpr std::uint8_t kCodes[] = {
        0x01, 0x02, 0x03, 0x04, 0x05, 0x1f, 0x20, 0x44, 0x45, 0x80, 0xa0, 0xff};
    for (const std::uint8_t code : kCodes) {
        alone.send({0x40, code, 0, id++, 0xb1, 'q'});
        EXPECT_EQ(alone.session->ending(), Ending::None) << int{code};
        EXPECT_EQ(alone.session->take_output().size(), 18U) << int{code};
        alone.send({0x50, code, 0, id++, 0xb1, 'q'});
        EXPECT_FALSE(alone.session->has_output()) << int{code};
    }
    alone.send({0x70, 0, 0, 99});              // a reset of nothing
    alone.send({0x60, 0, 0, 98});              // an acknowledgement of nothing
    alone.send({0x61, 0x45, 0, 97, 7, 0xff});  // an answer to nothing
    EXPECT_EQ(alone.session->ending(), Ending::None);
}

TEST(ParticleSession, AMessageThatIsNoneEndsIt) {
    for (const std::vector<std::uint8_t>& bad : {std::vector<std::uint8_t>{},
                                                 {0x40},
                                                 {0x40, 0, 0},
                                                 {0x80, 0, 0, 8},
                                                 {0x49, 0, 0, 8},
                                                 {0x40, 1, 0, 8, 0xb5, 'e'},
                                                 {0x40, 1, 0, 8, 0xf0}}) {
        Alone alone;
        alone.greet();
        alone.send(bad);
        EXPECT_EQ(alone.session->ending(), Ending::BadMessage);
    }
}

TEST(ParticleSession, ADeviceThatTakesNothingEndsWhenTooMuchWaits) {
    Alone alone;
    alone.greet();
    std::uint16_t id = 7;
    for (int i = 0; i < 1'000 && alone.session->ending() == Ending::None; ++i) {
        ++id;
        alone.send({0x40, 0, static_cast<std::uint8_t>(id >> 8), static_cast<std::uint8_t>(id)});
    }
    EXPECT_EQ(alone.session->ending(), Ending::Slow);
    EXPECT_FALSE(alone.session->has_output());
}

TEST(ParticleSession, CallsWaitForTheDescriptionAndGoOutInTheirOrder) {
    Alone alone;
    alone.greet();
    ASSERT_TRUE(alone.session->call("led", "", Instant{1}));
    ASSERT_TRUE(alone.session->call("nosuch", "", Instant{1}));
    const auto first = alone.take_messages();  // Hello and GET d
    ASSERT_EQ(first.size(), 2U);
    EXPECT_EQ(first[1][1], 0x01);
    std::vector<std::uint8_t> answer{0x61, 0x45, first[1][2], first[1][3], first[1][4], 0xff};
    const std::string_view json = R"({"f":["led"],"v":{}})";
    answer.insert(answer.end(), json.begin(), json.end());
    alone.send(answer);
    const auto then = alone.take_messages();
    ASSERT_EQ(then.size(), 1U);
    EXPECT_EQ(then[0][1], 0x02);
}

TEST(ParticleSession, ADeviceThatDoesNotSayWhatItHasIsAskedAgainByTheNextCall) {
    Alone alone;
    alone.greet();
    (void)alone.take_messages();
    const RequestId early = *alone.session->call("led", "", Instant{1});
    alone.session->on_time(Instant{1} + kRequestTime);
    bool is_late = false;
    while (const auto event = alone.session->next_event()) {
        const auto* answered = std::get_if<Answered>(&*event);
        is_late |= answered != nullptr && answered->request == early &&
                   answered->answer.error() == Error::Timeout;
    }
    EXPECT_TRUE(is_late);
    EXPECT_TRUE(alone.take_messages().empty());
    ASSERT_TRUE(alone.session->call("led", "", Instant{1} + kRequestTime));
    const auto again = alone.take_messages();
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0][1], 0x01);
}

TEST(ParticleSession, AfterTheEndEverybodyHasHisAnswerAndNothingIsTaken) {
    Alone alone;
    alone.greet();
    const RequestId ping = *alone.session->ping(Instant{1});
    alone.session->close();
    EXPECT_EQ(alone.session->ending(), Ending::Closed);
    bool is_told = false;
    while (const auto event = alone.session->next_event()) {
        const auto* answered = std::get_if<Answered>(&*event);
        if (answered == nullptr || answered->request != ping) continue;
        EXPECT_EQ(answered->answer.error(), Error::WrongState);
        is_told = true;
    }
    EXPECT_TRUE(is_told);
    EXPECT_EQ(alone.session->ping(Instant{1}).error(), Error::WrongState);
    EXPECT_EQ(alone.session->publish({.name = "n"}, Instant{1}).error(), Error::WrongState);
    alone.send({0x40, 0, 0, 8});
    alone.session->on_time(Instant{1} + days(1));
    EXPECT_FALSE(alone.session->has_output());
}

TEST(ParticleSession, AGoodbyeIsAnsweredBeforeTheEnd) {
    Alone alone;
    alone.greet();
    (void)alone.session->take_output();
    alone.send({0x40, 0x02, 0, 8, 0xb1, 'x'});
    EXPECT_EQ(alone.session->ending(), Ending::Goodbye);
    EXPECT_EQ(alone.session->take_output().size(), 18U);
}

TEST(ParticleSession, AnswersOfTheWrongFormAreNoAnswers) {
    Pair pair;
    pair.device.variables["temp"] = {2, "three bytes"};
    pair.connect();
    EXPECT_EQ(pair.ask(pair.session->read("temp", pair.now)).error(), Error::Malformed);
}

}  // namespace
}  // namespace sotto::tests
