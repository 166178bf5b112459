// SPDX-License-Identifier: Apache-2.0
#include "cloud/hooks/dispatcher.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sotto::cloud::hooks {
namespace {

using nlohmann::json;
using services::Event;
using services::EventPtr;

constexpr model::AccountId kAnn{1};
constexpr model::AccountId kBob{2};

class DispatcherTest : public ::testing::Test {
  protected:
    model::HookId add(model::AccountId account,
                      const std::string& event,
                      const std::string& host = "host.com",
                      json more = json::object()) {
        more.update({{"event", event}, {"url", "http://" + host + "/"}});
        model::HookId id;
        id.bytes[0] = static_cast<std::uint8_t>(++count_);
        id.bytes[1] = static_cast<std::uint8_t>(count_ >> 8U);
        EXPECT_TRUE(dispatcher.set_hook(
            {.id = id, .account = account, .definition = more.dump(), .created_at = now}));
        return id;
    }
    void publish(model::AccountId account, const std::string& name) {
        dispatcher.on_event(std::make_shared<const Event>(
                                Event{.owner = account, .what = {.name = name, .data = "1"}}),
                            now);
        pump();
    }
    void pump() {
        while (auto output = dispatcher.next(now)) {
            if (auto* send = std::get_if<Send>(&*output)) {
                sends.push_back(*std::move(send));
            } else {
                const Say& say = std::get<Say>(*output);
                said[say.account].push_back(say.what.name + "=" + say.what.data.value_or("-"));
            }
        }
    }
    void answer(const Answer& answer) {
        const Send send = sends.front();
        sends.erase(sends.begin());
        dispatcher.on_answered(send.job, answer, now);
        pump();
    }
    void answer_all(const Answer& with) {
        for (std::size_t left = sends.size(); left > 0; --left) answer(with);
    }
    void wait(Duration time) {
        now = now + time;
        dispatcher.on_time(now);
        pump();
    }
    std::size_t count_said(model::AccountId account, const std::string& words) {
        return static_cast<std::size_t>(std::ranges::count_if(
            said[account],
            [&](const std::string& text) { return text.find(words) != std::string::npos; }));
    }

    static inline const Answer kGood = WebResponse{.status = 200, .body = "ok"};
    static inline const Answer kBad = WebResponse{.status = 500};
    static inline const Answer kSilent = Failure{.text = "did not answer within 20 s"};

    Instant now{1'000'000};
    Dispatcher dispatcher;
    std::vector<Send> sends;
    std::map<model::AccountId, std::vector<std::string>> said;

  private:
    int count_ = 0;
};

TEST_F(DispatcherTest, AnEventTriggersTheHooksOfItsOwnerAndTellsOfThem) {
    const model::HookId id = add(kAnn, "temp");
    add(kBob, "temp");
    add(kAnn, "other");
    publish(kAnn, "temperature");
    ASSERT_EQ(sends.size(), 1U);
    EXPECT_EQ(sends[0].account, kAnn);
    EXPECT_EQ(sends[0].request.origin.host, "host.com");
    dispatcher.on_sent(sends[0].job);
    pump();
    EXPECT_EQ(said[kAnn], std::vector<std::string>{"hook-sent/temperature=-"});
    answer(kGood);
    EXPECT_EQ(said[kAnn].back(), "hook-response/temperature/0=ok");
    EXPECT_TRUE(said[kBob].empty());
    const Activity& activity = dispatcher.find(kAnn, id)->activity;
    EXPECT_EQ(activity.sent, 1U);
    EXPECT_EQ(activity.succeeded, 1U);
    EXPECT_EQ(dispatcher.find(kBob, id), nullptr) << "of somebody else";
    wait(minutes(10));
    EXPECT_TRUE(sends.empty());
}

TEST_F(DispatcherTest, WhatIsSaidOfHooksAndByTheirTargetsTriggersNone) {
    add(kAnn, "e");
    for (const services::Cause cause : {services::Cause::OfHook, services::Cause::ByHook})
        dispatcher.on_event(std::make_shared<const Event>(
                                Event{.owner = kAnn, .what = {.name = "e", .cause = cause}}),
                            now);
    pump();
    EXPECT_TRUE(sends.empty());
}

TEST_F(DispatcherTest, WhatFailedIsTriedAfter30And60SecondsAndThenDropped) {
    const model::HookId id = add(kAnn, "e");
    publish(kAnn, "e");
    answer(kBad);
    EXPECT_EQ(said[kAnn].back(), "hook-error/e/0=error status 500 from host.com");
    wait(seconds(29));
    EXPECT_TRUE(sends.empty());
    wait(seconds(1));
    ASSERT_EQ(sends.size(), 1U);
    answer(kSilent);
    EXPECT_EQ(said[kAnn].back(), "hook-error/e/0=host.com did not answer within 20 s");
    wait(seconds(59));
    EXPECT_TRUE(sends.empty());
    wait(seconds(1));
    ASSERT_EQ(sends.size(), 1U);
    answer(kBad);
    wait(minutes(10));
    EXPECT_TRUE(sends.empty());
    const Activity& activity = dispatcher.find(kAnn, id)->activity;
    EXPECT_EQ(activity.failed, 3U);
    EXPECT_EQ(activity.dropped, 1U);
    EXPECT_EQ(activity.last_error, "error status 500 from host.com");
    EXPECT_EQ(dispatcher.totals().waiting, 0U);
}

TEST_F(DispatcherTest, WhatCannotGoBetterIsNotTriedAgain) {
    add(kAnn, "e");
    publish(kAnn, "e");
    answer(WebResponse{.status = 302});
    EXPECT_EQ(said[kAnn].back(),
              "hook-error/e/0=error status 302 from host.com: redirects are not followed");
    publish(kAnn, "e");
    answer(Failure{.text = "is in a network", .is_final = true});
    add(kAnn, "f", "host.com", {{"json", "{{x}}"}});
    publish(kAnn, "f");
    EXPECT_EQ(count_said(kAnn, "hook-error/f/0="), 1U);
    add(kAnn, "g", "host.com", {{"responseTemplate", "{{#x}}{{#x}}{{#x}}{{/x}}{{/x}}{{/x}}"}});
    publish(kAnn, "g");
    const json many(std::vector<int>(300, 1));
    answer(WebResponse{.status = 200, .body = json{{"x", many}}.dump()});
    EXPECT_EQ(count_said(kAnn, "hook-error/g/0="), 1U);
    wait(minutes(5));
    EXPECT_TRUE(sends.empty());
}

TEST_F(DispatcherTest, AHostThatFailsIsLeftAloneForAWhileAndThenTried) {
    const model::HookId id = add(kAnn, "e");
    for (std::size_t i = 0; i < kFailuresToSleep; ++i) {
        publish(kAnn, "e");
        answer(kBad);
    }
    publish(kAnn, "e");
    EXPECT_TRUE(sends.empty());
    EXPECT_EQ(said[kAnn].back(),
              "hook-error/e/0=Sleeping, too many errors, please wait and try again");
    EXPECT_EQ(dispatcher.find(kAnn, id)->activity.skipped, 1U);
    // Other users, and other hosts, know nothing of it.
    add(kBob, "e");
    add(kAnn, "f", "other.com");
    publish(kBob, "e");
    publish(kAnn, "f");
    EXPECT_EQ(sends.size(), 2U);
    answer_all(kGood);
    // One tries, the others wait for it.
    now = now + kSleepTimeMin;
    publish(kAnn, "e");
    publish(kAnn, "e");
    ASSERT_EQ(sends.size(), 1U);
    answer(kBad);
    now = now + kSleepTimeMin;
    publish(kAnn, "e");
    EXPECT_TRUE(sends.empty()) << "twice as long";
    now = now + kSleepTimeMin;
    publish(kAnn, "e");
    ASSERT_EQ(sends.size(), 1U);
    answer(kGood);
    publish(kAnn, "e");
    EXPECT_EQ(sends.size(), 1U);
}

TEST(Breaker, RestsLongerEachTimeUpToALimit) {
    Breaker breaker;
    Instant now{};
    for (std::size_t i = 0; i < kFailuresToSleep; ++i) breaker.on_failure(now);
    Duration rest = kSleepTimeMin;
    for (int i = 0; i < 8; ++i) {
        EXPECT_FALSE(breaker.may_send(now + rest - milliseconds(1)));
        now = now + rest;
        EXPECT_TRUE(breaker.may_send(now));
        EXPECT_FALSE(breaker.may_send(now)) << "one at a time";
        breaker.on_failure(now);
        rest = std::min(Duration{rest.ms * 2}, kSleepTimeMax);
    }
    EXPECT_TRUE(breaker.may_send(now + rest));
    breaker.on_nothing();
    EXPECT_TRUE(breaker.may_send(now + rest));
}

TEST(Breaker, AsLongAsMoreGoesWellThanFailsNobodySleeps) {
    Breaker breaker;
    for (int i = 0; i < 100; ++i) {
        breaker.on_failure({});
        breaker.on_success();
    }
    EXPECT_TRUE(breaker.may_send({}));
    breaker.on_failure({});
    breaker.on_failure({});
    EXPECT_FALSE(breaker.may_send({}));
}

TEST_F(DispatcherTest, OneUserWhoseTargetsHangHoldsUpNobodyElse) {
    for (int i = 0; i < 100; ++i) add(kAnn, "e", "h" + std::to_string(i) + ".com");
    publish(kAnn, "e");
    EXPECT_EQ(sends.size(), kActivePerAccountMax);
    add(kBob, "e", "h0.com");
    publish(kBob, "e");
    ASSERT_EQ(sends.size(), kActivePerAccountMax + 1);
    EXPECT_EQ(sends.back().account, kBob);
    // Whoever ends makes room for the next; all come to their turn.
    std::size_t answered = 0;
    while (!sends.empty()) {
        answer(kGood);
        ++answered;
    }
    EXPECT_EQ(answered, 101U);
    EXPECT_EQ(dispatcher.totals().active, 0U);
}

TEST_F(DispatcherTest, OneHostIsAskedForSoManyThingsAtOnceOnly) {
    for (int i = 0; i < 20; ++i) add(kAnn, "e");
    add(kAnn, "e", "other.com");
    publish(kAnn, "e");
    EXPECT_EQ(sends.size(), kActivePerHostMax + 1);
    while (!sends.empty()) answer(kGood);
    EXPECT_EQ(dispatcher.totals().succeeded, 21U);
}

TEST_F(DispatcherTest, AThousandHooksOnOneEventAllGetItAndAFewErrorsAreEvents) {
    constexpr std::size_t kCount = 1'000;
    for (std::size_t i = 0; i < kCount; ++i) add(kAnn, "e");
    publish(kAnn, "e");
    while (!sends.empty()) answer(kGood);
    EXPECT_EQ(dispatcher.totals().succeeded, kCount);
    publish(kAnn, "e");
    while (!sends.empty()) answer(kBad);
    EXPECT_EQ(count_said(kAnn, "hook-error"), kErrorEventRate.burst);
    for (const KnownHook* hook : dispatcher.list(kAnn))
        EXPECT_NE(hook->activity.last_error, "") << "each knows";
    EXPECT_EQ(dispatcher.totals().waiting, kCount) << "to be tried again";
}

TEST_F(DispatcherTest, WhatWaitsIsBoundedForEachUser) {
    for (std::size_t i = 0; i < 1'000; ++i) add(kAnn, "e");
    for (int i = 0; i < 5; ++i) publish(kAnn, "e");
    EXPECT_EQ(dispatcher.totals().waiting, kWaitingPerAccountMax);
    EXPECT_GT(dispatcher.totals().dropped, 0U);
    EXPECT_GT(count_said(kAnn, "Too many webhooks of this user are waiting"), 0U);
    EXPECT_EQ(dispatcher
                  .try_hook(kAnn,
                            dispatcher.list(kAnn)[0]->hook.id,
                            std::make_shared<const Event>(Event{.owner = kAnn, .what = {}}),
                            now)
                  .error(),
              Error::Busy);
    add(kBob, "e");
    publish(kBob, "e");
    EXPECT_EQ(sends.back().account, kBob);
}

TEST_F(DispatcherTest, AllTogetherAreBounded) {
    constexpr std::int64_t kUsers = kActiveMax / kActivePerAccountMax + 1;
    for (std::int64_t user = 1; user <= kUsers; ++user) {
        for (int i = 0; i < 2; ++i) {
            for (std::size_t n = 0; n < kActivePerHostMax; ++n)
                add(model::AccountId{user}, "e", "h" + std::to_string(i));
        }
        publish(model::AccountId{user}, "e");
    }
    EXPECT_EQ(sends.size(), kActiveMax);
    answer(kGood);
    EXPECT_EQ(sends.size(), kActiveMax) << "the next one's turn";
    EXPECT_EQ(sends.back().account, model::AccountId{kUsers});

    Dispatcher many;
    for (std::int64_t user = 1; user <= 17; ++user) {
        for (std::size_t i = 0; i < kWaitingPerAccountMax; ++i) {
            model::HookId id;
            id.bytes[0] = static_cast<std::uint8_t>(i);
            id.bytes[1] = static_cast<std::uint8_t>(user);
            if (i < 256)
                many.set_hook({.id = id,
                               .account = model::AccountId{user},
                               .definition = R"({"event": "e", "url": "http://h/"})"});
        }
        for (int i = 0; i < 20; ++i)
            many.on_event(std::make_shared<const Event>(
                              Event{.owner = model::AccountId{user}, .what = {.name = "e"}}),
                          now);
    }
    EXPECT_EQ(many.totals().waiting, kWaitingMax);
}

TEST_F(DispatcherTest, WhatWaitsForAHookThatGoesGoesWithIt) {
    const model::HookId id = add(kAnn, "e");
    publish(kAnn, "e");
    publish(kAnn, "e");
    answer(kBad);
    dispatcher.erase_hook(kBob, id);
    EXPECT_NE(dispatcher.find(kAnn, id), nullptr) << "another user erases nothing";
    dispatcher.erase_hook(kAnn, id);
    answer(kGood);
    const std::size_t told = said[kAnn].size();
    wait(minutes(5));
    EXPECT_TRUE(sends.empty());
    EXPECT_EQ(said[kAnn].size(), told);
    EXPECT_EQ(dispatcher.totals().hooks, 0U);
    EXPECT_EQ(dispatcher.totals().waiting, 0U);
    publish(kAnn, "e");
    EXPECT_TRUE(sends.empty());
}

TEST_F(DispatcherTest, AHostIsForgottenInTime) {
    for (const Duration rest : {seconds(110), kForgetTime}) {
        const model::HookId id = add(kAnn, "e");
        for (std::size_t i = 0; i < kFailuresToSleep; ++i) {
            publish(kAnn, "e");
            answer(kBad);
        }
        dispatcher.erase_hook(kAnn, id);
        wait(rest);
        const model::HookId other = add(kAnn, "e");
        publish(kAnn, "e");
        publish(kAnn, "e");
        EXPECT_EQ(sends.size(), rest < kForgetTime ? 1U : 2U) << "a trial, or as if nothing was";
        answer_all(kGood);
        dispatcher.erase_hook(kAnn, other);
        wait(minutes(10));
    }
}

TEST_F(DispatcherTest, AHookIsTriedWithWhateverEvent) {
    const model::HookId id = add(kAnn, "e");
    const auto event = std::make_shared<const Event>(
        Event{.owner = kAnn, .what = {.name = "e", .cause = services::Cause::OfHook}});
    EXPECT_EQ(dispatcher.try_hook(kBob, id, event, now).error(), Error::NotFound);
    EXPECT_TRUE(dispatcher.try_hook(kAnn, id, event, now));
    pump();
    EXPECT_EQ(sends.size(), 1U);
}

TEST_F(DispatcherTest, AHookThatChangesIsTheNewOneFromThenOn) {
    const model::HookId id = add(kAnn, "e");
    EXPECT_TRUE(dispatcher.set_hook(
        {.id = id, .account = kAnn, .definition = R"({"event": "f", "url": "http://new.com/"})"}));
    EXPECT_EQ(dispatcher.totals().hooks, 1U);
    publish(kAnn, "e");
    EXPECT_TRUE(sends.empty());
    publish(kAnn, "f");
    EXPECT_EQ(sends.back().request.origin.host, "new.com");
    EXPECT_FALSE(dispatcher.set_hook({.id = id, .account = kAnn, .definition = "{}"}));
    EXPECT_EQ(dispatcher.find(kAnn, id)->hook.event, "f");
}

}  // namespace
}  // namespace sotto::cloud::hooks
