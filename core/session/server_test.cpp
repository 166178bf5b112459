// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/session/app_test.hpp"

namespace sotto::session {
namespace {

class ServerTest : public ::testing::Test {
  protected:
    ServerTest() {
        EXPECT_TRUE(
            Authority::commission(storage_, keystore::PairingSecret{Bytes{secret_}.first<16>()}));
    }
    SeededEntropy entropy_{7};
    MemoryStorage storage_;
    const std::array<std::uint8_t, 16> secret_{9, 8, 7, 6, 5, 4, 3, 2, 1};
    const Party device_party_ = Party::make("lamp-1", entropy_);
    const Party owner_party_ = Party::make("phone-1", entropy_);
    const Party stranger_party_ = Party::make("phone-2", entropy_);
};

TEST_F(ServerTest, PairsOnceAndRunsCommandsForTheOwner) {
    Device device{storage_, entropy_, device_party_};
    ASSERT_TRUE(device.started);
    App app{owner_party_, entropy_};
    const auto answer = app.pair(device, device_party_, secret_);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->verdict, PairingVerdict::Accepted);
    EXPECT_EQ(answer->generation, 1U);
    EXPECT_TRUE(device.server->authority().is_owner_pending());

    const App::Reply called = app.command(device, "on");
    EXPECT_EQ(called.code, coap::Code::Changed);
    EXPECT_EQ(called.payload, "on");
    EXPECT_FALSE(device.server->authority().is_owner_pending());
    EXPECT_EQ(app.ask(device, {.path = {"v", "lamp"}}).payload, "on");
    EXPECT_EQ(device.lamp.calls, 1);
}

TEST_F(ServerTest, RefusesWrongSecretsAndSecondOwners) {
    Device device{storage_, entropy_, device_party_};
    App stranger{stranger_party_, entropy_};
    const std::array<std::uint8_t, 16> wrong{1};
    EXPECT_EQ(stranger.pair(device, device_party_, wrong)->verdict, PairingVerdict::NotPermitted);
    EXPECT_EQ(stranger.pair(device, device_party_, {})->verdict, PairingVerdict::NotPermitted);
    EXPECT_FALSE(device.server->authority().has_owner());

    App owner{owner_party_, entropy_};
    EXPECT_EQ(owner.pair(device, device_party_, secret_)->verdict, PairingVerdict::Accepted);
    EXPECT_EQ(stranger.pair(device, device_party_, secret_)->verdict, PairingVerdict::OtherOwner);
    EXPECT_EQ(owner.pair(device, device_party_, secret_)->verdict, PairingVerdict::Accepted);
    EXPECT_EQ(owner.command(device, "on").code, coap::Code::Changed);
}

TEST_F(ServerTest, RepeatsTheAnswerToARepeatedCommandAndRunsItOnce) {
    Device device{storage_, entropy_, device_party_};
    App app{owner_party_, entropy_};
    ASSERT_TRUE(app.pair(device, device_party_, secret_));
    const App::Reply first = app.command(device, "on");
    const Message command = app.protect(
        {.code = coap::Code::Post, .path = {"f", "lamp"}, .payload = "off", .echo = first.echo});
    const Message answer = device.receive(command);
    EXPECT_EQ(device.receive(command, {.label = 7}), answer);
    EXPECT_EQ(device.lamp.calls, 2);
    EXPECT_EQ(app.unprotect(answer).payload, "off");
}

TEST_F(ServerTest, RefusesALateCommandAsSuperseded) {
    Device device{storage_, entropy_, device_party_};
    App app{owner_party_, entropy_};
    ASSERT_TRUE(app.pair(device, device_party_, secret_));
    const Message echo = app.command(device, "on").echo;
    const App::Spec off{
        .code = coap::Code::Post, .path = {"f", "lamp"}, .payload = "off", .echo = echo};
    const Message late = app.protect(off);
    const auto late_binding = app.binding;
    EXPECT_EQ(app.command(device, "on").code, coap::Code::Changed);
    const Message answer = device.receive(late);
    app.binding = late_binding;
    EXPECT_EQ(app.unprotect(answer).code, coap::Code::Conflict);
    EXPECT_EQ(device.lamp.last, "on");
}

TEST_F(ServerTest, NoFlippedBitRunsACommandAndTheUnflippedOneStillWorks) {
    Device device{storage_, entropy_, device_party_};
    App app{owner_party_, entropy_};
    ASSERT_TRUE(app.pair(device, device_party_, secret_));
    const Message echo = app.command(device, "on").echo;
    const Message held = app.protect(
        {.code = coap::Code::Post, .path = {"f", "lamp"}, .payload = "off", .echo = echo});
    const std::size_t option = 4 + app.token.size();
    for (std::size_t bit = option * 8; bit < held.size() * 8; ++bit) {
        Message flipped = held;
        flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ 1U << bit % 8);
        device.receive(flipped);
        ASSERT_EQ(device.lamp.calls, 1) << "bit " << bit;
    }
    EXPECT_EQ(app.unprotect(device.receive(held)).payload, "off");
    EXPECT_EQ(device.lamp.calls, 2);
}

TEST_F(ServerTest, ContinuesTheSessionAfterABootWithAChallenge) {
    App app{owner_party_, entropy_};
    {
        Device device{storage_, entropy_, device_party_};
        ASSERT_TRUE(app.pair(device, device_party_, secret_));
        EXPECT_EQ(app.command(device, "on").code, coap::Code::Changed);
    }
    Device device{storage_, entropy_, device_party_};
    const App::Reply challenge = app.ask(device, {.path = {"v", "lamp"}});
    EXPECT_EQ(challenge.code, coap::Code::Unauthorized);
    ASSERT_FALSE(challenge.echo.empty());
    const App::Reply answer = app.ask(device, {.path = {"v", "lamp"}, .echo = challenge.echo});
    EXPECT_EQ(answer.code, coap::Code::Content);
    EXPECT_EQ(app.command(device, "off").payload, "off");
}

TEST_F(ServerTest, TellsObserversOfEvents) {
    Device device{storage_, entropy_, device_party_};
    App app{owner_party_, entropy_};
    ASSERT_TRUE(app.pair(device, device_party_, secret_));
    EXPECT_EQ(app.ask(device, {.path = {"e", "lamp"}, .observe = 0}).code, coap::Code::Content);
    ASSERT_TRUE(device.server->publish(0, {.payload = as_bytes("switched")}));
    const auto told = device.server->poll(device.now, device.out);
    ASSERT_TRUE(told);
    const App::Reply reply = app.unprotect({told->message.begin(), told->message.end()});
    EXPECT_EQ(reply.payload, "switched");
    EXPECT_FALSE(device.server->poll(device.now, device.out));
}

TEST_F(ServerTest, AnObservationEndsWithItsSession) {
    Device device{storage_, entropy_, device_party_};
    App app{owner_party_, entropy_};
    ASSERT_TRUE(app.pair(device, device_party_, secret_));
    EXPECT_EQ(app.ask(device, {.path = {"e", "lamp"}, .observe = 0}).code, coap::Code::Content);
    for (std::size_t i = 0; i < kSessionFailureCountMax; ++i) {  // [SES-46]
        Message forged = app.protect({.path = {"v", "lamp"}});
        forged.back() ^= 1;
        device.receive(forged);
    }
    ASSERT_TRUE(device.server->publish(0, {.payload = as_bytes("switched")}));
    EXPECT_FALSE(device.server->poll(device.now, device.out));
}

TEST_F(ServerTest, ASessionThatTakesAPlaceTakesNoObservationsWithIt) {
    Device device{storage_, entropy_, device_party_};
    App first{owner_party_, entropy_};
    ASSERT_TRUE(first.pair(device, device_party_, secret_));
    EXPECT_EQ(first.ask(device, {.path = {"e", "lamp"}, .observe = 0}).code, coap::Code::Content);
    for (std::size_t i = 0; i < kOwnerSessions; ++i) {
        device.now = device.now + seconds(10);
        App next{owner_party_, entropy_};
        ASSERT_TRUE(next.pair(device, device_party_, secret_));
        EXPECT_EQ(next.command(device, "on").code, coap::Code::Changed);
    }
    ASSERT_TRUE(device.server->publish(0, {.payload = as_bytes("switched")}));
    EXPECT_FALSE(device.server->poll(device.now, device.out));
}

TEST_F(ServerTest, APowerCutAtAnyWriteLeavesADeviceThatItsOwnerCanPair) {
    for (const auto cut : {MemoryStorage::Cut::Old, MemoryStorage::Cut::New}) {
        for (std::size_t step = 0;; ++step) {
            MemoryStorage storage;
            ASSERT_TRUE(Authority::commission(storage,
                                              keystore::PairingSecret{Bytes{secret_}.first<16>()}));
            App app{owner_party_, entropy_};
            storage.cut_power_at_write(step, cut);
            {
                Device device{storage, entropy_, device_party_};
                if (app.pair(device, device_party_, secret_)) app.command(device, "on");
            }
            const bool was_cut = storage.is_cut();
            storage.reboot();
            Device device{storage, entropy_, device_party_};
            ASSERT_TRUE(device.started) << step;
            const auto answer = app.pair(device, device_party_, secret_);
            ASSERT_TRUE(answer) << step;
            EXPECT_EQ(answer->verdict, PairingVerdict::Accepted) << step;
            EXPECT_EQ(app.command(device, "off").code, coap::Code::Changed) << step;
            if (!was_cut) break;
        }
    }
}

TEST_F(ServerTest, AFullDiskRefusesCommandsAndLosesNothing) {
    Device device{storage_, entropy_, device_party_};
    App app{owner_party_, entropy_};
    storage_.fill();
    EXPECT_EQ(app.pair(device, device_party_, secret_)->verdict, PairingVerdict::TryAgain);
    storage_.reboot();  // there is room again
    ASSERT_EQ(app.pair(device, device_party_, secret_)->verdict, PairingVerdict::Accepted);
    ASSERT_EQ(app.command(device, "on").code, coap::Code::Changed);

    storage_.fill();
    EXPECT_EQ(app.command(device, "off").code, coap::Code::InternalServerError);
    EXPECT_EQ(device.lamp.last, "on");
    EXPECT_EQ(app.ask(device, {.path = {"v", "lamp"}}).payload, "on") << "reading stores nothing";
    EXPECT_FALSE(device.server->factory_reset());
    storage_.reboot();
    EXPECT_EQ(app.command(device, "off").code, coap::Code::Changed) << "in the same session";
    EXPECT_EQ(device.lamp.calls, 2);
    Device booted{storage_, entropy_, device_party_};
    EXPECT_EQ(app.command(booted, "on").code, coap::Code::Changed);
}

TEST_F(ServerTest, AFactoryResetForgetsOwnerAndSessions) {
    Device device{storage_, entropy_, device_party_};
    App app{owner_party_, entropy_};
    ASSERT_TRUE(app.pair(device, device_party_, secret_));
    EXPECT_EQ(app.command(device, "on").code, coap::Code::Changed);
    ASSERT_TRUE(device.server->factory_reset());
    EXPECT_FALSE(device.server->authority().has_owner());
    EXPECT_EQ(app.ask(device, {.path = {"v", "lamp"}}).code, coap::Code::Unauthorized);
    EXPECT_EQ(app.pair(device, device_party_, secret_)->verdict, PairingVerdict::NotPermitted)
        << "a device with a screen draws a new secret";
}

struct Assignment {
    std::uint32_t version = 1;
    std::string_view address = "cloud.example:1";
    crypto::Hash hash{};
};

coap::Code assign_cloud(App& app, Device& device, const Assignment& assignment) {
    std::array<std::uint8_t, 128> buffer;
    cbor::Writer writer{buffer};
    writer.map(4).uint(1).uint(assignment.version).uint(2).text(assignment.address);
    writer.uint(3).bytes(assignment.hash).uint(4).bytes(std::array<std::uint8_t, 16>{});
    App::Spec spec{.code = coap::Code::Put, .path = {"n"}, .payload = as_text(*writer.finish())};
    spec.echo = app.ask(device, spec).echo;
    return spec.echo.empty() ? coap::Code::BadRequest : app.ask(device, spec).code;
}

TEST_F(ServerTest, TakesNoCloudWhoseAddressTheAirCannotCarry) {
    Device device{storage_, entropy_, device_party_};
    App app{owner_party_, entropy_};
    ASSERT_TRUE(app.pair(device, device_party_, secret_));
    for (const auto* address : {"", "cloud.example: 1", "cl\xc3\xb6ud:1"})
        EXPECT_EQ(assign_cloud(app, device, {.address = address}), coap::Code::BadRequest);
    EXPECT_FALSE(device.server->authority().cloud());
    EXPECT_EQ(assign_cloud(app, device, {}), coap::Code::Changed);
    EXPECT_EQ(device.server->revision(), 3U);  // owner, confirmed, cloud
}

TEST_F(ServerTest, AFormerCloudLosesItsSession) {
    Device device{storage_, entropy_, device_party_};
    App owner{owner_party_, entropy_};
    ASSERT_TRUE(owner.pair(device, device_party_, secret_));
    const crypto::Hash hash = stranger_party_.credential.hash();
    ASSERT_EQ(assign_cloud(owner, device, {.hash = hash}), coap::Code::Changed);
    App cloud{stranger_party_, entropy_};
    ASSERT_TRUE(cloud.pair(device, device_party_, {}));
    const App::Spec attach{.code = coap::Code::Post, .path = {"a"}};
    EXPECT_EQ(cloud.ask(device, attach).code, coap::Code::Changed);
    EXPECT_EQ(assign_cloud(owner, device, {.version = 2, .hash = hash}), coap::Code::Changed);
    EXPECT_EQ(cloud.ask(device, attach).code, coap::Code::Changed) << "the same cloud";
    EXPECT_EQ(assign_cloud(owner, device, {.version = 3}), coap::Code::Changed);
    EXPECT_EQ(cloud.ask(device, attach).code, coap::Code::Unauthorized);
}

TEST_F(ServerTest, ACloudReachesItsOwnResourceAlone) {
    Device device{storage_, entropy_, device_party_};
    App owner{owner_party_, entropy_};
    ASSERT_TRUE(owner.pair(device, device_party_, secret_));
    ASSERT_EQ(assign_cloud(owner, device, {.hash = stranger_party_.credential.hash()}),
              coap::Code::Changed);
    App cloud{stranger_party_, entropy_};
    ASSERT_TRUE(cloud.pair(device, device_party_, {}));
    using Path = std::vector<std::string_view>;
    const coap::Code codes[] = {
        coap::Code::Get, coap::Code::Post, coap::Code::Put, coap::Code::Delete};
    for (const Path& path : {Path{"f", "lamp"},
                             Path{"v", "lamp"},
                             Path{"e", "lamp"},
                             Path{"n"},
                             Path{"m", "owner"},
                             Path{"t"},
                             Path{"last"},
                             Path{".well-known", "core"},
                             Path{"nothing"}}) {
        for (const coap::Code code : codes)
            EXPECT_EQ(cloud.ask(device, {.code = code, .path = path}).code, coap::Code::Forbidden)
                << path[0];
    }
    EXPECT_EQ(device.lamp.calls, 0);
    EXPECT_EQ(cloud.ask(device, {.code = coap::Code::Post, .path = {"a"}}).code,
              coap::Code::Changed);
    EXPECT_EQ(owner.ask(device, {.code = coap::Code::Post, .path = {"a"}}).code,
              coap::Code::Forbidden);
}

TEST_F(ServerTest, BeginsNothingInAFormatThatItDoesNotSpeak) {
    Device device{storage_, entropy_, device_party_};
    App app{owner_party_, entropy_};
    ASSERT_TRUE(app.pair(device, device_party_, secret_));
    const Message echo = app.command(device, "on").echo;
    const auto call = [&](std::optional<std::uint32_t> format,
                          std::optional<std::uint32_t> accept) {
        return app
            .ask(device,
                 {.code = coap::Code::Post,
                  .path = {"f", "lamp"},
                  .payload = "off",
                  .echo = echo,
                  .format = format,
                  .accept = accept})
            .code;
    };
    EXPECT_EQ(call(50, {}), coap::Code::UnsupportedContentFormat);
    EXPECT_EQ(call({}, 50), coap::Code::NotAcceptable);
    EXPECT_EQ(device.lamp.calls, 1);
    EXPECT_EQ(call(60, 60), coap::Code::Changed);
    EXPECT_EQ(device.lamp.calls, 2);
}

// A context that both ends have from outside (RFC 8613 §3.2).
class FixedContextTest : public ServerTest {
  protected:
    FixedContextTest() { app_.context = context("\x01", ""); }

    oscore::Context context(std::string_view sender_id, std::string_view recipient_id) const {
        return *oscore::derive_context({.master_secret = secret_,
                                        .master_salt = {},
                                        .sender_id = as_bytes(sender_id),
                                        .recipient_id = as_bytes(recipient_id),
                                        .id_context = id_context_});
    }
    Status add(Device& device, bool is_new) {
        return device.server->add_context({.context = context("", "\x01"),
                                           .storage = fixed_storage_,
                                           .id_context = id_context_,
                                           .is_new = is_new},
                                          device.now);
    }

    const std::array<std::uint8_t, 3> id_context_{7, 7, 7};
    MemoryStorage fixed_storage_;
    App app_{stranger_party_, entropy_};
};

TEST_F(FixedContextTest, ServesWhoeverHasTheContext) {
    Device device{storage_, entropy_, device_party_};
    EXPECT_EQ(add(device, false).error(), Error::NotFound);
    EXPECT_EQ(app_.ask(device, {.path = {"v", "lamp"}}).code, coap::Code::Unauthorized);
    ASSERT_TRUE(add(device, true));
    EXPECT_EQ(app_.command(device, "on").payload, "on");
    EXPECT_EQ(app_.ask(device, {.path = {"n"}}).code, coap::Code::Forbidden);
    ASSERT_TRUE(device.server->factory_reset());
    EXPECT_EQ(app_.command(device, "off").payload, "off") << "named at the start, not by an owner";
}

TEST_F(FixedContextTest, ComparesAKidContextThatComes) {
    Device device{storage_, entropy_, device_party_};
    ASSERT_TRUE(add(device, true));
    app_.kid_context = id_context_;
    EXPECT_EQ(app_.ask(device, {.path = {"v", "lamp"}}).code, coap::Code::Content);
    const std::array<std::uint8_t, 3> other{7, 7, 6};
    app_.kid_context = other;
    EXPECT_EQ(app_.ask(device, {.path = {"v", "lamp"}}).code, coap::Code::Unauthorized);
}

TEST_F(FixedContextTest, GoesOnAfterABootWithAChallengeAndUnusedNumbers) {
    std::vector<Message> kept;
    Message command;
    for (int boot = 0; boot < 3; ++boot) {
        Device device{storage_, entropy_, device_party_};
        ASSERT_TRUE(add(device, boot == 0));
        if (boot > 0) {
            device.receive(command);
            EXPECT_EQ(device.lamp.calls, 0) << "a replay from before the boot";
            const App::Reply challenge = app_.ask(device, {.path = {"v", "lamp"}});
            EXPECT_EQ(challenge.code, coap::Code::Unauthorized);
            EXPECT_EQ(app_.ask(device, {.path = {"v", "lamp"}, .echo = challenge.echo}).code,
                      coap::Code::Content);
        }
        const Message echo = app_.command(device, "on").echo;
        command = app_.protect(
            {.code = coap::Code::Post, .path = {"f", "lamp"}, .payload = "off", .echo = echo});
        kept.push_back(device.receive(app_.protect({.path = {"e", "lamp"}, .observe = 0})));
        EXPECT_EQ(device.receive(command).empty(), false);
        EXPECT_EQ(device.lamp.calls, 2);
    }
    // Every notification had a Partial IV of its own, whatever was lost in between.
    std::vector<std::string> pivs;
    for (const Message& message : kept) {
        const auto parsed = coap::parse_message(message);
        ASSERT_TRUE(parsed);
        pivs.emplace_back(as_text(oscore::find_option(*parsed)->piv));
        EXPECT_FALSE(pivs.back().empty());
    }
    EXPECT_NE(pivs[0], pivs[1]);
    EXPECT_NE(pivs[1], pivs[2]);
    EXPECT_NE(pivs[0], pivs[2]);
}

TEST_F(FixedContextTest, APowerCutAtAnyWriteUsesNoNumberTwice) {
    for (std::size_t step = 0; step < 8; ++step) {
        MemoryStorage counters;
        App app{stranger_party_, entropy_};
        app.context = context("\x01", "");
        std::vector<std::string> pivs;
        bool is_known = false;
        counters.cut_power_at_write(step, MemoryStorage::Cut::Old);
        for (int boot = 0; boot < 3; ++boot) {
            Device device{storage_, entropy_, device_party_};
            const SessionTable::Fixed fixed{.context = context("", "\x01"),
                                            .storage = counters,
                                            .id_context = id_context_,
                                            .is_new = !is_known};
            is_known = device.server->add_context(fixed, device.now).has_value();
            for (int i = 0; i < 70; ++i) {  // more than one reservation; each is challenged
                const Message answer =
                    device.receive(app.protect({.code = coap::Code::Post, .path = {"f", "lamp"}}));
                const auto parsed = coap::parse_message(answer);
                if (!parsed || !parsed->options.find(coap::kOscore)) continue;
                const Bytes piv = oscore::find_option(*parsed)->piv;
                if (!piv.empty()) pivs.emplace_back(as_text(piv));
            }
            counters.reboot();
        }
        std::sort(pivs.begin(), pivs.end());
        EXPECT_GE(pivs.size(), 64U) << step;
        EXPECT_EQ(std::adjacent_find(pivs.begin(), pivs.end()), pivs.end()) << step;
    }
}

TEST_F(FixedContextTest, StaysEndedAfterTooManyForgeries) {
    {
        Device device{storage_, entropy_, device_party_};
        ASSERT_TRUE(add(device, true));
        Message forged = app_.protect({.path = {"v", "lamp"}});
        forged.back() = static_cast<std::uint8_t>(forged.back() ^ 1);
        for (std::uint32_t i = 0; i < kSessionFailureCountMax; ++i) device.receive(forged);
        EXPECT_EQ(app_.ask(device, {.path = {"v", "lamp"}}).code, coap::Code::Unauthorized);
    }
    Device device{storage_, entropy_, device_party_};
    EXPECT_EQ(add(device, false).error(), Error::Expired);
}

}  // namespace
}  // namespace sotto::session
