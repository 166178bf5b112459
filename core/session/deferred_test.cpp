// SPDX-License-Identifier: Apache-2.0
// Commands that wait for a device, and the time that it judges them by (SES-90 to SES-95).
#include <gtest/gtest.h>

#include "core/cbor/reader.hpp"
#include "core/session/app_test.hpp"
#include "core/session/client.hpp"

namespace sotto::session {
namespace {

constexpr std::uint32_t kTimeNow = 1'800'000'000;  // in the year 2027

class DeferredTest : public ::testing::Test {
  protected:
    DeferredTest() {
        EXPECT_TRUE(
            Authority::commission(storage_, keystore::PairingSecret{Bytes{secret_}.first<16>()}));
        boot();
        EXPECT_TRUE(owner_.pair(*device_, device_party_, secret_));
        EXPECT_EQ(owner_.command(*device_, "first").code, coap::Code::Changed);
    }
    void boot() { device_ = std::make_unique<Device>(storage_, entropy_, device_party_); }

    static App::Spec call(std::string_view argument, std::optional<std::uint32_t> not_after) {
        return {.code = coap::Code::Post,
                .path = {"f", "lamp"},
                .payload = argument,
                .not_after = not_after};
    }
    // The owner says the time, with or without an Echo.
    App::Reply say_time(std::uint32_t time, const Message& echo) {
        return owner_.ask(*device_,
                          {.code = coap::Code::Put, .path = {"t"}, .echo = echo, .time = time});
    }
    Message fresh_echo() { return say_time(0, {}).echo; }
    // What the device believes.
    std::optional<std::uint64_t> time() {
        App::Spec spec{.path = {"t"}};
        App::Reply reply = owner_.ask(*device_, spec);
        if (reply.code == coap::Code::Unauthorized) {
            spec.echo = reply.echo;
            reply = owner_.ask(*device_, spec);
        }
        EXPECT_EQ(reply.code, coap::Code::Content);
        cbor::Reader in{as_bytes(reply.payload)};
        if (in.map() == 0) return std::nullopt;
        EXPECT_EQ(in.uint(), 1U);
        return in.uint();
    }

    SeededEntropy entropy_{7};
    MemoryStorage storage_;
    const std::array<std::uint8_t, 16> secret_{9, 8, 7, 6, 5, 4, 3, 2, 1};
    const Party device_party_ = Party::make("lamp-1", entropy_);
    const Party owner_party_ = Party::make("phone-1", entropy_);
    const Party cloud_party_ = Party::make("cloud-1", entropy_);
    std::unique_ptr<Device> device_;
    App owner_{owner_party_, entropy_};
};

TEST_F(DeferredTest, RunsWithoutAnEchoWithinItsTimeAndNotAfterwards) {
    EXPECT_EQ(say_time(kTimeNow, fresh_echo()).code, coap::Code::Content);
    EXPECT_EQ(owner_.ask(*device_, call("in time", kTimeNow + 60)).payload, "in time");
    device_->now = device_->now + seconds(61);
    EXPECT_EQ(owner_.ask(*device_, call("late", kTimeNow + 60)).code,
              coap::Code::PreconditionFailed);
    EXPECT_EQ(device_->lamp.last, "in time");
    EXPECT_EQ(device_->lamp.calls, 2);
}

TEST_F(DeferredTest, IsRefusedWhileTheTimeIsNotKnownAndNeverRunsLater) {
    const Message refused = owner_.protect(call("early", kTimeNow + 60));
    EXPECT_EQ(owner_.unprotect(device_->receive(refused)).code, coap::Code::ServiceUnavailable);
    EXPECT_EQ(say_time(kTimeNow, fresh_echo()).code, coap::Code::Content);
    device_->receive(refused);
    boot();
    EXPECT_EQ(say_time(kTimeNow, fresh_echo()).code, coap::Code::Content);
    device_->receive(refused);
    EXPECT_EQ(device_->lamp.calls, 0);
}

TEST_F(DeferredTest, AfterABootNeedsNoChallengeButTheTime) {
    const Message echo = fresh_echo();
    EXPECT_EQ(say_time(kTimeNow, echo).code, coap::Code::Content);
    EXPECT_EQ(owner_.ask(*device_, call("one", kTimeNow + 60)).payload, "one");
    boot();
    EXPECT_EQ(owner_.ask(*device_, call("two", kTimeNow + 60)).code,
              coap::Code::ServiceUnavailable);
    EXPECT_EQ(time(), std::nullopt);
    EXPECT_EQ(say_time(kTimeNow, fresh_echo()).code, coap::Code::Content);
    EXPECT_EQ(owner_.ask(*device_, call("three", kTimeNow + 60)).payload, "three");
    EXPECT_EQ(device_->lamp.calls, 1);
}

TEST_F(DeferredTest, IsRefusedOnceALaterOneHasRun) {
    EXPECT_EQ(say_time(kTimeNow, fresh_echo()).code, coap::Code::Content);
    const Message held = owner_.protect(call("held", kTimeNow + 60));
    const auto held_binding = owner_.binding;
    EXPECT_EQ(owner_.ask(*device_, call("later", kTimeNow + 60)).payload, "later");
    const Message answer = device_->receive(held);
    owner_.binding = held_binding;
    EXPECT_EQ(owner_.unprotect(answer).code, coap::Code::Conflict);
    EXPECT_EQ(device_->lamp.last, "later");
}

TEST_F(DeferredTest, RunsOnceHoweverOftenItComes) {
    EXPECT_EQ(say_time(kTimeNow, fresh_echo()).code, coap::Code::Content);
    const Message command = owner_.protect(call("once", kTimeNow + 60));
    const Message answer = device_->receive(command);
    EXPECT_EQ(device_->receive(command), answer) << "the same answer again";
    EXPECT_EQ(device_->lamp.calls, 2);
    boot();
    EXPECT_EQ(say_time(kTimeNow, fresh_echo()).code, coap::Code::Content);
    EXPECT_EQ(owner_.unprotect(device_->receive(command)).code, coap::Code::Unauthorized);
    EXPECT_EQ(device_->lamp.calls, 0);
}

// Under the nonce of the request the second answer would be sealed as the first one was.
TEST_F(DeferredTest, AnswersWithANumberOfItsOwnUntilItIsFreshAfterABoot) {
    const auto has_own_piv = [](const Message& answer) {
        const auto message = coap::parse_message(answer);
        const auto option = message ? oscore::find_option(*message) : Error::NotFound;
        return option && !option->piv.empty();
    };
    EXPECT_EQ(say_time(kTimeNow, fresh_echo()).code, coap::Code::Content);
    const Message command = owner_.protect(call("twice", kTimeNow + 60));
    storage_.fail_write(0);
    const Message failed = device_->receive(command);
    EXPECT_EQ(owner_.unprotect(failed).code, coap::Code::InternalServerError);
    EXPECT_FALSE(has_own_piv(failed));
    boot();
    const Message refused = device_->receive(command);
    EXPECT_EQ(owner_.unprotect(refused).code, coap::Code::ServiceUnavailable);
    EXPECT_TRUE(has_own_piv(refused));
    EXPECT_EQ(say_time(kTimeNow, fresh_echo()).code, coap::Code::Content);
    EXPECT_FALSE(has_own_piv(device_->receive(owner_.protect(call("on", kTimeNow + 60)))));
}

TEST_F(DeferredTest, OnlyFunctionsCanBeDeferred) {
    for (const App::Spec& spec :
         {App::Spec{.path = {"v", "lamp"}, .not_after = kTimeNow},
          App::Spec{.code = coap::Code::Put, .path = {"n"}, .payload = "x", .not_after = kTimeNow},
          App::Spec{.path = {"last"}, .not_after = kTimeNow}}) {
        EXPECT_EQ(owner_.ask(*device_, spec).code, coap::Code::BadOption);
        boot();
    }
}

TEST_F(DeferredTest, TakesTheTimeOfItsOwnerOnlyWithAnEcho) {
    EXPECT_EQ(say_time(kTimeNow, {}).code, coap::Code::Unauthorized);
    EXPECT_EQ(time(), std::nullopt);
    App::Spec command = call("on", std::nullopt);
    command.echo = fresh_echo();
    command.time = kTimeNow;
    EXPECT_EQ(owner_.ask(*device_, command).code, coap::Code::Changed);
    EXPECT_EQ(time(), kTimeNow) << "any request with an Echo may bring it";
    EXPECT_EQ(say_time(kTimeNow - 500, fresh_echo()).code, coap::Code::Content);
    EXPECT_LT(time(), kTimeNow - 400) << "the owner may also set it back";
}

class ProposalTest : public DeferredTest {
  protected:
    ProposalTest() {
        std::array<std::uint8_t, 128> buffer;
        cbor::Writer writer{buffer};
        writer.map(4).uint(1).uint(1).uint(2).text("c:1").uint(3);
        writer.bytes(cloud_party_.credential.hash()).uint(4);
        writer.bytes(std::array<std::uint8_t, keystore::kClaimSize>{});
        const std::string_view payload = as_text(*writer.finish());
        App::Spec spec{.code = coap::Code::Put, .path = {"n"}, .payload = payload};
        spec.echo = owner_.ask(*device_, spec).echo;
        EXPECT_EQ(owner_.ask(*device_, spec).code, coap::Code::Changed);
        EXPECT_TRUE(cloud_.pair(*device_, device_party_, {}));
    }
    void propose(std::uint32_t time) {
        const App::Spec spec{.code = coap::Code::Post, .path = {"a"}, .time = time};
        const App::Reply reply = cloud_.ask(*device_, spec);
        EXPECT_EQ(reply.code, coap::Code::Changed);
    }
    App cloud_{cloud_party_, entropy_};
};

TEST_F(ProposalTest, ACloudMovesAKnownTimeForwardAndDoesNothingElse) {
    propose(kTimeNow);
    EXPECT_EQ(time(), std::nullopt) << "it cannot make a time known";
    EXPECT_EQ(say_time(kTimeNow, fresh_echo()).code, coap::Code::Content);
    propose(kTimeNow - 3'600);
    EXPECT_EQ(time(), kTimeNow);
    propose(kTimeNow + 3'600);
    EXPECT_EQ(time(), kTimeNow + 3'600);
}

TEST_F(ProposalTest, ACloudThatProposesTheEndOfTimeBringsNothingBack) {
    EXPECT_EQ(say_time(kTimeNow, fresh_echo()).code, coap::Code::Content);
    const Message held = owner_.protect(call("late", kTimeNow + 600));
    propose(0xffff'ffff);
    device_->now = device_->now + seconds(5);  // past the last second that there is a number for
    EXPECT_EQ(time(), 0xffff'ffffU);
    device_->receive(held);
    EXPECT_EQ(device_->lamp.last, "first");
    EXPECT_EQ(say_time(kTimeNow, fresh_echo()).code, coap::Code::Content) << "its owner can";
    EXPECT_EQ(time(), kTimeNow);
}

TEST_F(ProposalTest, ACloudCannotSpeakOfTheTimeItself) {
    for (const coap::Code method : {coap::Code::Get, coap::Code::Put}) {
        const App::Spec spec{.code = method, .path = {"t"}, .time = kTimeNow};
        EXPECT_EQ(cloud_.ask(*device_, spec).code, coap::Code::Forbidden);
    }
}

TEST_F(ProposalTest, AnExpiredCommandNeverRunsWhateverACloudProposesAfterABoot) {
    propose(kTimeNow);
    EXPECT_EQ(say_time(kTimeNow, fresh_echo()).code, coap::Code::Content);
    const Message expired = owner_.protect(call("expired", kTimeNow + 60));
    boot();
    const App::Spec attach{.code = coap::Code::Post, .path = {"a"}, .time = kTimeNow};
    App::Reply reply = cloud_.ask(*device_, attach);  // challenged
    App::Spec again = attach;
    again.echo = reply.echo;
    EXPECT_EQ(cloud_.ask(*device_, again).code, coap::Code::Changed);
    device_->receive(expired);
    EXPECT_EQ(device_->lamp.calls, 0);
}

// The library's client, against the same device.
class DeferringClientTest : public DeferredTest {
  protected:
    DeferringClientTest() { boot_client(); }
    void boot_client() {
        client_.emplace(
            Client::Setup{.identity = owner_party_.identity(),
                          .storage = client_storage_,
                          .entropy = entropy_,
                          .device = FixedBytes<crypto::kHashSize>{device_party_.credential.hash()},
                          .since_1970 = Instant{seconds(kTimeNow).ms} - device_->now});
        EXPECT_TRUE(client_->start(device_->now));
    }
    // The end of the client's job.
    Event finish() {
        for (int i = 0; i < 100; ++i) {
            if (const auto event = client_->advance(device_->now)) return *event;
            while (const auto message = client_->next_message(device_->now)) {
                const Message answer = device_->receive({message->begin(), message->end()});
                if (answer.empty()) continue;
                if (const auto event = client_->receive(answer, device_->now)) return *event;
            }
            device_->now = device_->now + milliseconds(500);
        }
        ADD_FAILURE() << "the job has no end";
        return Ended{};
    }
    static Request request(std::string_view argument) {
        return {.code = coap::Code::Post,
                .resource = "f",
                .name = "lamp",
                .content = Content{.payload = as_bytes(argument)}};
    }
    coap::Code call_now(std::string_view argument) {
        EXPECT_TRUE(client_->request(request(argument), device_->now, device_->now + seconds(20)));
        return std::get<Answer>(finish()).code;
    }
    std::pair<Deferred, Message> defer(std::string_view argument) {
        std::array<std::uint8_t, kMessageSizeMax> out;
        const auto sealed = client_->defer(request(argument), kTimeNow + 60, device_->now, out);
        EXPECT_TRUE(sealed);
        return {sealed->deferred, {sealed->message.begin(), sealed->message.end()}};
    }

    MemoryStorage client_storage_;
    std::optional<Client> client_;
};

TEST_F(DeferringClientTest, TellsTheTimeAndOpensTheAnswerOfADeferredCommand) {
    std::array<std::uint8_t, kMessageSizeMax> out;
    EXPECT_EQ(client_->defer(request("x"), kTimeNow, device_->now, out).error(), Error::NotFound)
        << "there is no session yet";
    EXPECT_EQ(call_now("on"), coap::Code::Changed);
    EXPECT_GE(time(), kTimeNow);
    const auto [deferred, message] = defer("later");
    boot_client();  // what is kept is enough
    const Message answer = device_->receive(message);
    const auto opened = client_->open(deferred, answer, device_->now);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->code, coap::Code::Changed);
    EXPECT_EQ(as_text(opened->payload), "later");
    Message forged = answer;
    forged.back() ^= 1;
    EXPECT_EQ(client_->open(deferred, forged, device_->now).error(), Error::Unauthenticated);
    EXPECT_EQ(client_->open(deferred, {}, device_->now).error(), Error::Unauthenticated);
}

TEST_F(DeferringClientTest, FindsOutWhatBecameOfOneWhoseAnswerIsLost) {
    EXPECT_EQ(call_now("on"), coap::Code::Changed);
    const auto [ran, ran_message] = defer("ran");
    device_->receive(ran_message);
    ASSERT_TRUE(client_->settle(ran, device_->now, device_->now + seconds(20)));
    const Event event = finish();
    ASSERT_TRUE(std::holds_alternative<Answer>(event));
    EXPECT_EQ(as_text(std::get<Answer>(event).payload), "ran");

    const auto [held, held_message] = defer("held");
    ASSERT_TRUE(client_->settle(held, device_->now, device_->now + seconds(20)));
    EXPECT_EQ(std::get<Ended>(finish()).reason, Reason::NotExecuted);
    device_->receive(held_message);
    EXPECT_EQ(device_->lamp.last, "ran") << "whoever was told so is right for ever";
}

}  // namespace
}  // namespace sotto::session
