// SPDX-License-Identifier: Apache-2.0
#include "cloud/link/guest_session.hpp"

#include <gtest/gtest.h>

#include "core/cbor/writer.hpp"
#include "core/session/access_token.hpp"
#include "core/session/device_test.hpp"

namespace sotto::cloud::link {
namespace {

using session::Device;
using session::Message;
using session::Party;
using session::Reason;
using testing::MemoryStorage;
using testing::SeededEntropy;

class GuestSessionTest : public ::testing::Test {
  protected:
    GuestSessionTest() {
        keystore::DeviceRoot root;
        root.epoch = 1;
        root.generation = 1;
        root.owner_state = keystore::OwnerState::Owned;
        root.owner = keystore::CredentialBytes{owner_.credential.bytes()};
        const std::array<std::uint8_t, 32> key{9, 9};
        root.token_key = keystore::TokenKey{key};
        EXPECT_TRUE(keystore::store_root(storage_, root));
        boot();
        open({{"/f/lamp", 2}, {"/v/lamp", 1}, {"/e/lamp", 1}});
    }
    void boot() {
        storage_.reboot();
        device_ = std::make_unique<Device>(storage_, entropy_, party_, now_);
        ASSERT_TRUE(device_->started);
    }
    using Scope = std::vector<std::pair<std::string_view, unsigned>>;
    void open(const Scope& names, const Party* holder = nullptr) {
        std::array<std::uint8_t, 128> buffer;
        cbor::Writer scope{buffer};
        scope.array(names.size());
        for (const auto& [path, methods] : names) scope.array(2).text(path).uint(methods);
        const session::Grant grant{
            .id = {1, 2, 3, 4},
            .holder = (holder != nullptr ? *holder : guest_).credential.hash(),
            .scope = scope.written()};
        std::array<std::uint8_t, keystore::kTokenSizeMax> room;
        const auto token =
            session::issue_token(grant, keystore::load_root(storage_)->token_key, room);
        ASSERT_TRUE(token);
        auto session = GuestSession::begin(
            {.identity = guest_.identity(),
             .entropy = entropy_,
             .device = party_.credential.hash(),
             .token = *token,
             .on_event =
                 [this](std::string_view event, const session::Content& content) {
                     events_.push_back(std::string{event} + ":" +
                                       std::string{as_text(content.payload)});
                 },
             .on_watch_end = [this](const session::Event& end) { watch_end_ = code_of(end); }},
            now_);
        ASSERT_TRUE(session);
        session_ = *std::move(session);
    }
    // Carries what there is to be carried, until there is none, and lets the time pass.
    void pass(Duration duration = seconds(1)) {
        std::array<std::uint8_t, session::kMessageSizeMax> out;
        for (const Instant end = now_ + duration; now_ < end; now_ = now_ + milliseconds(100)) {
            device_->now = now_;
            session_->on_time(now_);
            while (const auto message = session_->next_message(now_)) {
                ++sent_count_;
                if (!answers_) continue;
                const Message answer =
                    device_->receive({message->begin(), message->end()}, {.label = 2});
                if (!answer.empty()) session_->on_message(answer, now_);
            }
            while (const auto polled = device_->server->poll(now_, out)) {
                if (answers_) session_->on_message(polled->message, now_);
            }
        }
    }
    static std::string code_of(const session::Event& end) {
        if (const auto* answer = std::get_if<session::Answer>(&end)) {
            const auto code = static_cast<unsigned>(answer->code);
            return std::to_string(code >> 5) + "." + std::to_string(code & 31) + " " +
                   std::string{as_text(answer->payload)};
        }
        const auto* ended = std::get_if<session::Ended>(&end);
        return ended ? "ended " + std::to_string(static_cast<int>(ended->reason)) : "?";
    }
    static std::string ended(Reason reason) {
        return "ended " + std::to_string(static_cast<int>(reason));
    }
    GuestSession::Done keep() {
        return [this](const session::Event& end) { ends_.push_back(code_of(end)); };
    }
    std::vector<std::string> take_ends() { return std::exchange(ends_, {}); }

    Instant now_{5'000'000};
    SeededEntropy entropy_{3};
    MemoryStorage storage_;
    const Party party_ = Party::make("lamp-1", entropy_);
    const Party owner_ = Party::make("phone", entropy_);
    const Party guest_ = Party::make("cloud-guest", entropy_);
    const Party other_ = Party::make("other", entropy_);
    std::unique_ptr<Device> device_;
    std::unique_ptr<GuestSession> session_;
    std::vector<std::string> events_;
    std::vector<std::string> ends_;
    std::string watch_end_;
    bool answers_ = true;
    int sent_count_ = 0;
};

using Strings = std::vector<std::string>;

TEST_F(GuestSessionTest, CallsAndReadsWhatItsTokenNames) {
    EXPECT_TRUE(session_->ask_time(now_, keep()));
    EXPECT_TRUE(session_->call("lamp", "on", now_, keep()));
    EXPECT_TRUE(session_->read("lamp", now_, keep()));
    pass();
    const Strings ends = take_ends();
    ASSERT_EQ(ends.size(), 3U) << "each its own, in their order";
    EXPECT_EQ(ends[0].substr(0, 4), "2.5 ");
    EXPECT_EQ(ends[1], "2.4 on");
    EXPECT_EQ(ends[2], "2.5 on");
    EXPECT_EQ(device_->lamp.calls, 1);
}

TEST_F(GuestSessionTest, TheDeviceRefusesWhatIsNotOpened) {
    EXPECT_TRUE(session_->call("note", "x", now_, keep()));
    EXPECT_TRUE(session_->read("note", now_, keep()));
    pass();
    EXPECT_EQ(take_ends(), (Strings{"4.3 ", "4.3 "}));
    EXPECT_EQ(device_->lamp.note_count, 0);
}

TEST_F(GuestSessionTest, WithATokenOfAnotherItIsNotLetIn) {
    open({{"/f/lamp", 2}}, &other_);
    EXPECT_TRUE(session_->ask_time(now_, keep()));
    pass();
    EXPECT_EQ(take_ends(), Strings{ended(Reason::NotAdmitted)});
}

TEST_F(GuestSessionTest, AJobMaySubmitAnother) {
    EXPECT_TRUE(session_->read("lamp", now_, [this](const session::Event& end) {
        EXPECT_TRUE(session_->call("lamp", "off", now_, keep()));
        ends_.push_back(code_of(end));  // its views still stand
    }));
    pass();
    EXPECT_EQ(take_ends(), (Strings{"2.5 ", "2.4 off"}));
}

TEST_F(GuestSessionTest, EventsComeAlsoAfterTheDeviceStartedAnew) {
    session_->watch("lamp", now_);
    pass();
    EXPECT_EQ(watch_end_.substr(0, 3), "2.5");
    EXPECT_TRUE(device_->server->publish(0, {.payload = as_bytes("on")}));
    pass();
    EXPECT_EQ(events_, Strings{"lamp:on"});

    boot();  // it has forgotten its guests
    pass(minutes(2));
    EXPECT_TRUE(device_->server->publish(0, {.payload = as_bytes("off")}));
    pass();
    EXPECT_EQ(events_, (Strings{"lamp:on", "lamp:off"}));
}

TEST_F(GuestSessionTest, ADeviceThatFellSilentIsWatchedAgain) {
    session_->watch("lamp", now_);
    pass();
    answers_ = false;
    pass(minutes(15));
    answers_ = true;
    pass(minutes(2));
    EXPECT_TRUE(device_->server->publish(0, {.payload = as_bytes("on")}));
    pass();
    EXPECT_EQ(events_, Strings{"lamp:on"});
}

TEST_F(GuestSessionTest, WhatTheDeviceDoesNotHaveIsNotWatchedAgain) {
    session_->watch("none", now_);
    pass();
    EXPECT_EQ(watch_end_.substr(0, 2), "4.");
    sent_count_ = 0;
    pass(minutes(5));
    EXPECT_EQ(sent_count_, 0);
    EXPECT_FALSE(session_->wake_at());
}

TEST_F(GuestSessionTest, ASilentDeviceEndsEachJobInItsTime) {
    answers_ = false;
    EXPECT_TRUE(session_->read("lamp", now_, keep()));
    EXPECT_TRUE(session_->read("lamp", now_, keep()));
    pass(seconds(29));
    EXPECT_EQ(take_ends(), Strings{});
    pass(seconds(2));
    EXPECT_EQ(take_ends(), (Strings{ended(Reason::Silence), ended(Reason::Silence)}))
        << "the second did not get a time of its own";
}

TEST_F(GuestSessionTest, TooManyJobsAreRefused) {
    answers_ = false;
    for (std::size_t i = 0; i < kGuestJobsMax; ++i)
        EXPECT_TRUE(session_->read("lamp", now_, keep()));
    EXPECT_FALSE(session_->read("lamp", now_, keep()));
    answers_ = true;
    pass();
    EXPECT_EQ(take_ends().size(), kGuestJobsMax);
    EXPECT_TRUE(session_->read("lamp", now_, keep()));
}

TEST_F(GuestSessionTest, AnAnswerThatIsTooLongIsNotTaken) {
    open({{"/v/note", 1}});
    device_->lamp.note.assign(kGuestAnswerSizeMax, 'x');
    EXPECT_TRUE(session_->read("note", now_, keep()));
    pass(seconds(10));
    EXPECT_EQ(take_ends(), Strings{"2.5 " + device_->lamp.note});
    device_->lamp.note.push_back('x');
    EXPECT_TRUE(session_->read("note", now_, keep()));
    pass(seconds(10));
    EXPECT_EQ(take_ends(), Strings{ended(Reason::NotWhole)});
}

TEST_F(GuestSessionTest, AnInterruptionEndsAllJobsAndKeepsTheSession) {
    EXPECT_TRUE(session_->call("lamp", "on", now_, keep()));
    pass();
    take_ends();
    answers_ = false;
    EXPECT_TRUE(session_->call("lamp", "off", now_, keep()));
    EXPECT_TRUE(session_->read("lamp", now_, keep()));
    pass();
    session_->interrupt(now_);
    EXPECT_EQ(take_ends().size(), 2U);
    answers_ = true;
    session_->resume(now_);
    sent_count_ = 0;
    EXPECT_TRUE(session_->read("lamp", now_, keep()));
    pass();
    EXPECT_EQ(take_ends(), Strings{"2.5 on"});
    EXPECT_EQ(sent_count_, 1) << "no handshake";
}

}  // namespace
}  // namespace sotto::cloud::link
