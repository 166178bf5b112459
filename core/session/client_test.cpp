// SPDX-License-Identifier: Apache-2.0
#include "core/session/client.hpp"

#include <gtest/gtest.h>

#include "core/session/line_test.hpp"

namespace sotto::session {
namespace {

class ClientTest : public ::testing::Test {
  protected:
    SeededEntropy entropy_{7};
    const Party device_party_ = Party::make("lamp-1", entropy_);
    const Party owner_party_ = Party::make("phone-1", entropy_);
    const Party stranger_party_ = Party::make("phone-2", entropy_);
};

TEST_F(ClientTest, PairsThenCallsAndReadsInOneSession) {
    Line line{owner_party_, device_party_};
    EXPECT_EQ(line.pair().paired, PairingVerdict::Accepted);
    const auto peer = keystore::load_peer(line.storage);
    ASSERT_TRUE(peer);
    EXPECT_TRUE(peer->is_paired);
    EXPECT_EQ(peer->generation, 1U);
    const auto root = keystore::load_root(line.device_storage);
    EXPECT_TRUE(ct_equal(peer->token_key.expose(), root->token_key.expose()));

    const std::size_t before = line.seen.size();
    EXPECT_EQ(line.call("on").payload, "on");
    EXPECT_EQ(line.call("off").payload, "off");
    EXPECT_EQ(line.get().payload, "off");
    EXPECT_EQ(line.device->lamp.calls, 2);
    EXPECT_EQ(line.seen.size(), before + 4) << "one challenge, then its Echo serves";
}

TEST_F(ClientTest, ResumesItsSessionAfterARestartOfBothEnds) {
    Line line{owner_party_, device_party_};
    ASSERT_EQ(line.pair().paired, PairingVerdict::Accepted);
    ASSERT_EQ(line.call("on").code, coap::Code::Changed);
    for (int i = 0; i < 3; ++i) {
        line.boot_device();
        line.boot_client();
        const std::size_t before = line.seen.size();
        EXPECT_EQ(line.call("off").code, coap::Code::Changed);
        for (std::size_t n = before; n < line.seen.size(); ++n) {
            EXPECT_TRUE(is_protected(line.seen[n])) << "no handshake is needed";
        }
    }
}

TEST_F(ClientTest, NamesItselfByKidOnceTheDeviceKnowsIt) {
    Line line{owner_party_, device_party_};
    ASSERT_EQ(line.pair().paired, PairingVerdict::Accepted);
    ASSERT_TRUE(keystore::erase_session(line.storage, 0));
    line.boot_client();
    EXPECT_EQ(line.call("on").code, coap::Code::Changed);
}

TEST_F(ClientTest, SaysWhyADeviceDoesNotTakeIt) {
    Line line{owner_party_, device_party_};
    ASSERT_EQ(line.pair().paired, PairingVerdict::Accepted);
    Line stranger{stranger_party_, device_party_};
    stranger.device = std::move(line.device);
    EXPECT_EQ(stranger.pair().paired, PairingVerdict::OtherOwner);
    EXPECT_FALSE(keystore::load_peer(stranger.storage)->is_paired);
    EXPECT_EQ(stranger.call("on").ended, Reason::NotAdmitted);
    EXPECT_EQ(stranger.device->lamp.calls, 0);
}

TEST_F(ClientTest, AWrongCodeDoesNotUndoAPairing) {
    Line line{owner_party_, device_party_};
    ASSERT_EQ(line.pair().paired, PairingVerdict::Accepted);
    keystore::PairingCode wrong = line.code();
    wrong.secret = keystore::PairingSecret{};
    ASSERT_TRUE(line.client->pair(wrong, line.now, line.now + kPatience));
    EXPECT_EQ(line.finish().paired, PairingVerdict::NotPermitted);
    EXPECT_TRUE(keystore::load_peer(line.storage)->is_paired);
    EXPECT_EQ(line.call("on").code, coap::Code::Changed);
}

TEST_F(ClientTest, RefusesAnotherDeviceThatProvesItself) {
    Line line{owner_party_, device_party_};
    keystore::PairingCode other = line.code();
    other.credential_hash_prefix[3] ^= 1;
    ASSERT_TRUE(line.client->pair(other, line.now, line.now + kPatience));
    EXPECT_EQ(line.finish().ended, Reason::NotTheDevice);
    EXPECT_FALSE(line.device->server->authority().has_owner());
    EXPECT_TRUE(line.storage.records().empty());
}

TEST_F(ClientTest, EveryLostMessageIsMadeUpFor) {
    for (std::size_t lost = 0; lost < 24; ++lost) {
        Line line{owner_party_, device_party_};
        std::size_t number = 0;
        line.fate = [&](Way, const Message&) { return number++ == lost ? 0 : 1; };
        EXPECT_EQ(line.pair().paired, PairingVerdict::Accepted) << lost;
        EXPECT_EQ(line.call("on").payload, "on") << lost;
        EXPECT_EQ(line.get().payload, "on") << lost;
        EXPECT_EQ(line.device->lamp.calls, 1) << lost;
    }
}

TEST_F(ClientTest, RepeatedMessagesRunNothingTwice) {
    Line line{owner_party_, device_party_};
    line.fate = [](Way, const Message&) { return 2; };
    EXPECT_EQ(line.pair().paired, PairingVerdict::Accepted);
    EXPECT_EQ(line.call("on").payload, "on");
    EXPECT_EQ(line.call("off").payload, "off");
    EXPECT_EQ(line.get().payload, "off");
    EXPECT_EQ(line.device->lamp.calls, 2);
}

// The answers of every command stay away until the device is asked for the last one.
struct Cutter {
    Line& line;
    bool answers_pass = true;
    bool requests_pass = true;
    int operator()(Way way, const Message&) const {
        return way == Way::ToClient ? answers_pass : requests_pass;
    }
};

TEST_F(ClientTest, ALostAnswerIsFoundOutByAskingTheDevice) {
    Line line{owner_party_, device_party_};
    ASSERT_EQ(line.pair().paired, PairingVerdict::Accepted);
    ASSERT_EQ(line.call("on").code, coap::Code::Changed);  // brings an Echo
    ASSERT_TRUE(line.client->request({.code = coap::Code::Post,
                                      .resource = "f",
                                      .name = "lamp",
                                      .content = Content{.payload = as_bytes("off")}},
                                     line.now,
                                     line.now + kPatience));
    Cutter cutter{line};
    cutter.answers_pass = false;
    line.fate = std::ref(cutter);
    line.run(seconds(12));
    EXPECT_EQ(line.device->lamp.last, "off");
    cutter.answers_pass = true;
    const Outcome outcome = line.finish();
    EXPECT_EQ(outcome.code, coap::Code::Changed);
    EXPECT_EQ(outcome.payload, "off");
    EXPECT_EQ(line.device->lamp.calls, 2);
}

TEST_F(ClientTest, ACommandThatNeverArrivedIsReportedAsNotExecutedAndCannotRunLater) {
    Line line{owner_party_, device_party_};
    ASSERT_EQ(line.pair().paired, PairingVerdict::Accepted);
    ASSERT_EQ(line.call("on").code, coap::Code::Changed);
    line.seen.clear();
    ASSERT_TRUE(line.client->request({.code = coap::Code::Post,
                                      .resource = "f",
                                      .name = "lamp",
                                      .content = Content{.payload = as_bytes("off")}},
                                     line.now,
                                     line.now + kPatience));
    Cutter cutter{line};
    cutter.requests_pass = false;
    line.fate = std::ref(cutter);
    line.step();
    const Message held = line.seen.at(0);
    line.run(seconds(12));
    cutter.requests_pass = true;
    EXPECT_EQ(line.finish().ended, Reason::NotExecuted);
    line.device->receive(held);
    EXPECT_EQ(line.device->lamp.last, "on");
    EXPECT_EQ(line.call("off").code, coap::Code::Changed);
}

TEST_F(ClientTest, WhereNobodyAnswersACommandTheOutcomeIsUnknown) {
    Line line{owner_party_, device_party_};
    ASSERT_EQ(line.pair().paired, PairingVerdict::Accepted);
    ASSERT_EQ(line.call("on").code, coap::Code::Changed);
    line.fate = [](Way way, const Message&) { return way == Way::ToDevice ? 1 : 0; };
    EXPECT_EQ(line.call("off").ended, Reason::OutcomeUnknown);
    line.fate = [](Way, const Message&) { return 0; };
    EXPECT_EQ(line.get().ended, Reason::Silence);
    line.run(seconds(30));  // the Echo is too old: a challenge comes first
    EXPECT_EQ(line.call("off").ended, Reason::Silence) << "without an Echo nothing can have run";
}

TEST_F(ClientTest, ForgedRefusalsCostHandshakesAndNothingElse) {
    Line line{owner_party_, device_party_};
    ASSERT_EQ(line.pair().paired, PairingVerdict::Accepted);
    ASSERT_EQ(line.call("on").code, coap::Code::Changed);
    bool forges = true;
    line.fate = [&](Way way, const Message& message) {
        if (way == Way::ToClient || !is_protected(message) || !forges) return 1;
        const auto request = coap::parse_message(message);
        std::array<std::uint8_t, 32> buffer;
        coap::MessageWriter writer{buffer,
                                   {.type = coap::Type::Acknowledgement,
                                    .code = coap::Code::Unauthorized,
                                    .id = request->header.id,
                                    .token = request->header.token}};
        const Bytes forged = *writer.finish();
        line.note(line.client->receive(forged, line.now));
        return 0;
    };
    EXPECT_EQ(line.get().ended, Reason::NoSession);
    forges = false;
    EXPECT_EQ(line.get().payload, "on");
    EXPECT_EQ(line.call("off").code, coap::Code::Changed);
}

TEST_F(ClientTest, ADeviceThatHasLostTheSessionGetsANewOne) {
    Line line{owner_party_, device_party_};
    ASSERT_EQ(line.pair().paired, PairingVerdict::Accepted);
    ASSERT_EQ(line.call("on").code, coap::Code::Changed);
    ASSERT_TRUE(keystore::erase_session(line.device_storage, 0));
    line.boot_device();
    EXPECT_EQ(line.get().code, coap::Code::Content);
    line.boot_client();
    EXPECT_EQ(line.call("off").payload, "off");
}

TEST_F(ClientTest, AResultTooLongToKeepIsReportedAsDoneWithoutIt) {
    Line line{owner_party_, device_party_};
    ASSERT_EQ(line.pair().paired, PairingVerdict::Accepted);
    ASSERT_EQ(line.call("on").code, coap::Code::Changed);
    const std::string longer(keystore::kResultSizeMax + 1, 'x');
    Cutter cutter{line};
    cutter.answers_pass = false;
    line.fate = std::ref(cutter);
    ASSERT_TRUE(line.client->request({.code = coap::Code::Post,
                                      .resource = "f",
                                      .name = "lamp",
                                      .content = Content{.payload = as_bytes(longer)}},
                                     line.now,
                                     line.now + kPatience));
    line.run(seconds(12));
    cutter.answers_pass = true;
    const Outcome outcome = line.finish();
    EXPECT_EQ(outcome.code, coap::Code::Changed);
    EXPECT_TRUE(outcome.is_result_lost);
    EXPECT_EQ(line.device->lamp.calls, 2);
}

TEST_F(ClientTest, WatchesEventsAndRenewsTheRegistrationForARebootedDevice) {
    Line line{owner_party_, device_party_};
    ASSERT_EQ(line.pair().paired, PairingVerdict::Accepted);
    ASSERT_TRUE(
        line.client->observe({.resource = "e", .name = "lamp"}, line.now, line.now + kPatience));
    EXPECT_TRUE(line.finish().is_observed);
    ASSERT_TRUE(line.device->server->publish(0, {.payload = as_bytes("one")}));
    line.run(seconds(1));
    EXPECT_EQ(line.notified_, (std::vector<std::string>{"one"}));

    line.boot_device();
    line.run(seconds(61));
    ASSERT_TRUE(line.device->server->publish(0, {.payload = as_bytes("two")}));
    line.run(minutes(30));
    ASSERT_TRUE(line.device->server->publish(0, {.payload = as_bytes("three")}));
    line.run(seconds(1));
    EXPECT_EQ(line.notified_, (std::vector<std::string>{"one", "two", "three"}));
    EXPECT_EQ(line.silent_count, 0);
}

TEST_F(ClientTest, TakesNoNotificationTwiceAndNoneThatIsLate) {
    Line line{owner_party_, device_party_};
    ASSERT_EQ(line.pair().paired, PairingVerdict::Accepted);
    ASSERT_TRUE(
        line.client->observe({.resource = "e", .name = "lamp"}, line.now, line.now + kPatience));
    ASSERT_TRUE(line.finish().is_observed);
    std::vector<Message> told;
    line.fate = [&](Way way, const Message& message) {
        if (way == Way::ToClient) told.push_back(message);
        return way == Way::ToClient ? 0 : 1;
    };
    for (const char* text : {"one", "two"}) {
        ASSERT_TRUE(line.device->server->publish(0, {.payload = as_bytes(text)}));
        line.step();
    }
    line.fate = {};
    ASSERT_EQ(told.size(), 2U);
    for (const std::size_t i : {1, 0, 1}) line.to_client(told[i]);
    EXPECT_EQ(line.notified_, (std::vector<std::string>{"two"}));
}

TEST_F(ClientTest, ReportsSilenceWhenARegistrationCannotBeRenewed) {
    Line line{owner_party_, device_party_};
    ASSERT_EQ(line.pair().paired, PairingVerdict::Accepted);
    ASSERT_TRUE(
        line.client->observe({.resource = "e", .name = "lamp"}, line.now, line.now + kPatience));
    ASSERT_TRUE(line.finish().is_observed);
    line.fate = [](Way, const Message&) { return 0; };
    line.run(seconds(570));
    EXPECT_EQ(line.silent_count, 0);
    line.run(minutes(1));
    EXPECT_EQ(line.silent_count, 1);
    EXPECT_FALSE(line.client->wake_at());
}

TEST_F(ClientTest, APowerCutAtAnyWriteOfTheAppLeavesAPairingThatCanBeRepeated) {
    for (const auto cut : {MemoryStorage::Cut::Old, MemoryStorage::Cut::New}) {
        for (std::size_t step = 0;; ++step) {
            Line line{owner_party_, device_party_};
            line.storage.cut_power_at_write(step, cut);
            const Outcome outcome = line.pair();
            const bool was_cut = line.storage.is_cut();
            EXPECT_EQ(outcome.ended == Reason::OwnState, was_cut) << step;
            line.boot_client();
            EXPECT_EQ(line.pair().paired, PairingVerdict::Accepted) << step;
            EXPECT_EQ(line.call("on").code, coap::Code::Changed) << step;
            if (!was_cut) break;
        }
    }
}

TEST_F(ClientTest, NoNumberIsUsedTwiceWhateverCutOfPower) {
    for (const auto cut : {MemoryStorage::Cut::Old, MemoryStorage::Cut::New}) {
        Line line{owner_party_, device_party_};
        ASSERT_EQ(line.pair().paired, PairingVerdict::Accepted);
        for (std::size_t step = 0; step < 40; ++step) {
            line.storage.cut_power_at_write(step % 3, cut);
            for (int i = 0; i < 5; ++i) line.get();
            line.boot_client();
        }
        std::map<Message, Message> by_option;  // OSCORE option -> message from its token on
        for (const Message& message : line.seen) {
            const auto parsed = coap::parse_message(message);
            const auto option = parsed->options.find(coap::kOscore);
            if (!option) continue;
            const Message key{option->begin(), option->end()};
            const Message rest{message.begin() + 4, message.end()};
            const auto [place, is_new] = by_option.emplace(key, rest);
            EXPECT_TRUE(is_new || place->second == rest) << "only a repetition has its number";
        }
    }
}

TEST_F(ClientTest, EveryBitOfEveryMessageMayFlip) {
    // Which message is damaged, counted over both directions; every 5th bit, to save time.
    for (std::size_t damaged = 0; damaged < 8; ++damaged) {
        for (std::size_t bit = damaged; bit < 8 * 200; bit += 41) {
            Line line{owner_party_, device_party_};
            std::size_t number = 0;
            line.fate = [&](Way way, const Message& message) {
                if (number++ != damaged || bit / 8 >= message.size()) return 1;
                Message flipped = message;
                flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ 1U << bit % 8);
                if (way == Way::ToClient) {
                    line.note(line.client->receive(flipped, line.now));
                } else {
                    const Message answer = line.device->receive(flipped);
                    if (!answer.empty()) line.note(line.client->receive(answer, line.now));
                }
                return 0;
            };
            EXPECT_EQ(line.pair().paired, PairingVerdict::Accepted) << damaged << " " << bit;
            EXPECT_EQ(line.call("on").payload, "on") << damaged << " " << bit;
            EXPECT_EQ(line.device->lamp.calls, 1) << damaged << " " << bit;
        }
    }
}

}  // namespace
}  // namespace sotto::session
