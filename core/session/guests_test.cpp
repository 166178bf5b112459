// SPDX-License-Identifier: Apache-2.0
// Guests with access tokens: SES-33 to SES-39.
#include "core/cbor/writer.hpp"
#include "core/session/app_test.hpp"
#include "core/session/talker_test.hpp"

namespace sotto::session {
namespace {

constexpr std::uint32_t kTime = 1'800'000'000;

class GuestsTest : public ::testing::Test {
  protected:
    GuestsTest() {
        EXPECT_TRUE(
            Authority::commission(storage_, keystore::PairingSecret{Bytes{secret_}.first<16>()}));
        boot();
        EXPECT_TRUE(owner_.pair(*device_, secret_));
        EXPECT_EQ(call(owner_), coap::Code::Changed);
    }
    void boot() {
        storage_.reboot();
        device_ = std::make_unique<Device>(storage_, entropy_, device_party_);
        EXPECT_TRUE(device_->started);
    }
    static Request request(coap::Code code, std::string_view kind, std::string_view name) {
        return {.code = code,
                .resource = kind,
                .name = name,
                .content = Content{.payload = as_bytes("on")}};
    }
    std::optional<Event> run(Talker& talker, const Request& request) {
        return talker.run(*device_, kNearby, request);
    }
    coap::Code call(Talker& talker, std::string_view function = "lamp") {
        return Talker::code_of(run(talker, request(coap::Code::Post, "f", function)));
    }
    std::optional<Reason> refusal(Talker& talker) {
        return Talker::reason_of(run(talker, request(coap::Code::Post, "f", "lamp")));
    }
    coap::Code get(Talker& talker, std::string_view kind, std::string_view name) {
        return Talker::code_of(
            run(talker, {.code = coap::Code::Get, .resource = kind, .name = name}));
    }
    coap::Code post(Talker& talker, Bytes payload) {
        return Talker::code_of(
            run(talker,
                {.code = coap::Code::Post,
                 .resource = "m",
                 .name = "guests",
                 .content = Content{.format = Format::Cbor, .payload = payload}}));
    }
    coap::Code revoke(const keystore::TokenId& id, std::uint32_t not_after = Grant::kNever) {
        std::array<std::uint8_t, 32> buffer;
        cbor::Writer writer{buffer};
        return post(owner_, writer.map(2).uint(1).bytes(id).uint(2).uint(not_after).written());
    }
    void invite(Talker& talker, const Grant& grant) {
        std::array<std::uint8_t, keystore::kTokenSizeMax> buffer;
        const auto token = issue_token(grant, keystore::load_root(storage_)->token_key, buffer);
        ASSERT_TRUE(token);
        talker.take_token(*token);
    }
    Grant grant() { return {.id = {1, 2, 3, 4}, .holder = guest_party_.credential.hash()}; }
    // The owner says the time.
    void tell_time(std::uint32_t seconds) {
        App app{owner_party_, entropy_};
        ASSERT_TRUE(app.pair(*device_, device_party_, {}));
        const auto echo =
            app.ask(*device_, {.code = coap::Code::Put, .path = {"t"}, .time = 1}).echo;
        const auto told = app.ask(
            *device_, {.code = coap::Code::Put, .path = {"t"}, .echo = echo, .time = seconds});
        EXPECT_EQ(told.code, coap::Code::Content);
    }
    void poll() {
        std::array<std::uint8_t, kMessageSizeMax> out;
        while (device_->server->poll(device_->now, out)) continue;
    }
    std::size_t guest_count() const {
        return static_cast<std::size_t>(std::ranges::count_if(
            device_->sessions,
            [](const SessionEntry& entry) { return entry.is_used && entry.role == Role::Guest; }));
    }

    MemoryStorage storage_;
    SeededEntropy entropy_{5};
    const std::array<std::uint8_t, 16> secret_{1, 2, 3};
    const Party device_party_ = Party::make("lamp 1", entropy_);
    const Party owner_party_ = Party::make("app-1", entropy_);
    const Party guest_party_ = Party::make("guest", entropy_);
    const Party other_party_ = Party::make("other", entropy_);
    std::unique_ptr<Device> device_;
    Talker owner_{owner_party_, entropy_};
    Talker guest_{guest_party_, entropy_};
    Talker other_{other_party_, entropy_};
};

TEST_F(GuestsTest, WithoutATokenNobodyIsLetIn) {
    EXPECT_EQ(refusal(guest_), Reason::NotAdmitted);
    EXPECT_EQ(device_->lamp.calls, 1);
}

TEST_F(GuestsTest, ATokenLetsItsHolderInAndNobodyElse) {
    invite(other_, grant());
    EXPECT_EQ(refusal(other_), Reason::NotAdmitted);
    invite(guest_, grant());
    EXPECT_EQ(call(guest_), coap::Code::Changed);
    EXPECT_EQ(get(guest_, "v", "lamp"), coap::Code::Content);
    EXPECT_EQ(device_->lamp.calls, 2);
}

TEST_F(GuestsTest, AGuestIsNoOwner) {
    invite(guest_, grant());
    EXPECT_EQ(call(guest_), coap::Code::Changed);
    EXPECT_EQ(post(guest_, {}), coap::Code::Forbidden);
    EXPECT_EQ(get(guest_, "n", {}), coap::Code::Forbidden);
    EXPECT_EQ(get(guest_, "m", "owner"), coap::Code::Forbidden);
    EXPECT_EQ(get(guest_, "a", {}), coap::Code::Forbidden);
    EXPECT_EQ(get(guest_, "t", {}), coap::Code::Content);
    EXPECT_EQ(get(guest_, ".well-known", "core"), coap::Code::Content);
}

TEST_F(GuestsTest, AScopeIsKeptTo) {
    std::array<std::uint8_t, 64> buffer;
    cbor::Writer scope{buffer};
    scope.array(2).array(2).text("/f/lamp").uint(2).array(2).text("/e/lamp").uint(1);
    Grant limited = grant();
    limited.scope = scope.written();
    invite(guest_, limited);
    EXPECT_EQ(call(guest_), coap::Code::Changed);
    EXPECT_EQ(call(guest_, "note"), coap::Code::Forbidden);
    EXPECT_EQ(get(guest_, "v", "lamp"), coap::Code::Forbidden);
    EXPECT_EQ(get(guest_, "e", "lamp"), coap::Code::Content);
    EXPECT_EQ(device_->lamp.note_count, 0);
}

TEST_F(GuestsTest, AScopeThatIsNoneLetsNobodyIn) {
    const std::array<std::uint8_t, 1> scope{0xff};
    Grant broken = grant();
    broken.scope = scope;
    invite(guest_, broken);
    EXPECT_EQ(refusal(guest_), Reason::NotAdmitted);
}

TEST_F(GuestsTest, ATokenWithAnEndWantsTheTimeAndEnds) {
    Grant ends = grant();
    ends.not_after = kTime + 60;
    invite(guest_, ends);
    EXPECT_EQ(refusal(guest_), Reason::TimeUnknown);
    tell_time(kTime);
    EXPECT_EQ(call(guest_), coap::Code::Changed);
    device_->now = device_->now + seconds(120);
    EXPECT_EQ(call(guest_), coap::Code::Forbidden) << "in the session that it has";
    poll();
    EXPECT_EQ(guest_count(), 0U);
    EXPECT_EQ(refusal(guest_), Reason::TokenOver);
    EXPECT_EQ(call(owner_), coap::Code::Changed);
}

TEST_F(GuestsTest, AnEventReachesNoGuestWhoseTimeIsOver) {
    Grant ends = grant();
    ends.not_after = kTime + 60;
    tell_time(kTime);
    std::array<std::uint8_t, keystore::kTokenSizeMax> buffer;
    const auto token = issue_token(ends, keystore::load_root(storage_)->token_key, buffer);
    App app{guest_party_, entropy_};
    app.access_token.assign(*token);
    ASSERT_TRUE(app.pair(*device_, device_party_, {}));
    EXPECT_EQ(app.ask(*device_, {.path = {"e", "lamp"}, .observe = 0}).code, coap::Code::Content);
    std::array<std::uint8_t, kMessageSizeMax> out;
    ASSERT_TRUE(device_->server->publish(0, {.payload = as_bytes("here")}));
    EXPECT_TRUE(device_->server->poll(device_->now, out));
    device_->now = device_->now + seconds(120);
    ASSERT_TRUE(device_->server->publish(0, {.payload = as_bytes("not here")}));
    EXPECT_FALSE(device_->server->poll(device_->now, out));
}

TEST_F(GuestsTest, ARevokedTokenEndsAtOnceAndStaysRevoked) {
    invite(guest_, grant());
    Grant second = {.id = {5, 5, 5, 5}, .holder = other_party_.credential.hash()};
    invite(other_, second);
    EXPECT_EQ(call(guest_), coap::Code::Changed);
    EXPECT_EQ(call(other_), coap::Code::Changed);
    EXPECT_EQ(revoke(grant().id), coap::Code::Changed);
    EXPECT_EQ(guest_count(), 1U);
    EXPECT_EQ(refusal(guest_), Reason::TokenOver);
    EXPECT_EQ(call(other_), coap::Code::Changed);
    boot();
    EXPECT_EQ(refusal(guest_), Reason::TokenOver);
    EXPECT_EQ(call(other_), coap::Code::Changed) << "a guest comes again by himself";
}

TEST_F(GuestsTest, OnlySoManyAreRevokedOneByOneUnlessTheyHaveEnded) {
    tell_time(kTime);
    for (std::uint8_t i = 0; i < keystore::kRevokedTokens; ++i) {
        const std::uint32_t not_after = i == 3 ? kTime + 60 : Grant::kNever;
        EXPECT_EQ(revoke({i, 0, 0, 1}, not_after), coap::Code::Changed);
    }
    EXPECT_EQ(revoke({1, 0, 0, 1}), coap::Code::Changed) << "it is there already";
    EXPECT_NE(revoke({0xff, 0, 0, 1}), coap::Code::Changed);
    device_->now = device_->now + seconds(120);
    EXPECT_EQ(revoke({0xff, 0, 0, 1}), coap::Code::Changed);
    EXPECT_NE(revoke({0xfe, 0, 0, 1}), coap::Code::Changed);
}

TEST_F(GuestsTest, AnotherPairingRevokesThemAll) {
    invite(guest_, grant());
    EXPECT_EQ(call(guest_), coap::Code::Changed);
    EXPECT_EQ(revoke({7, 7, 7, 7}), coap::Code::Changed);
    EXPECT_TRUE(owner_.pair(*device_, secret_));
    EXPECT_EQ(call(guest_), coap::Code::Forbidden);
    poll();
    EXPECT_EQ(guest_count(), 0U);
    EXPECT_EQ(refusal(guest_), Reason::NotAdmitted);
    EXPECT_EQ(call(owner_), coap::Code::Changed);
    Grant again = grant();
    again.id = {7, 7, 7, 7};  // revoked in the former generation
    invite(guest_, again);
    EXPECT_EQ(call(guest_), coap::Code::Changed);
}

TEST_F(GuestsTest, ANewOwnerKeyRevokesThemAll) {
    invite(guest_, grant());
    EXPECT_EQ(call(guest_), coap::Code::Changed);
    std::array<std::uint8_t, 256> buffer;
    cbor::Writer writer{buffer};
    const std::array<std::uint8_t, 32> token_key{4, 5, 6};
    writer.map(2).uint(1).bytes(owner_party_.credential.bytes()).uint(2).bytes(token_key);
    const auto done =
        run(owner_,
            {.code = coap::Code::Put,
             .resource = "m",
             .name = "owner",
             .content = Content{.format = Format::Cbor, .payload = writer.written()}});
    EXPECT_EQ(Talker::code_of(done), coap::Code::Changed);
    EXPECT_EQ(call(guest_), coap::Code::Forbidden);
    poll();
    EXPECT_EQ(refusal(guest_), Reason::NotAdmitted);
    invite(guest_, grant());
    EXPECT_EQ(call(guest_), coap::Code::Changed);
}

TEST_F(GuestsTest, AResetLeavesNoGuest) {
    invite(guest_, grant());
    EXPECT_EQ(call(guest_), coap::Code::Changed);
    ASSERT_TRUE(device_->server->factory_reset());
    EXPECT_EQ(refusal(guest_), Reason::NotAdmitted);
}

TEST_F(GuestsTest, NothingIsKeptOfThemAndTheirNumberHasNoEnd) {
    const std::size_t writes = storage_.write_count();
    for (int i = 0; i < 60; ++i) {
        const Party party = Party::make("guest " + std::to_string(i), entropy_);
        Talker talker{party, entropy_};
        invite(talker,
               {.id = {9, 9, 9, static_cast<std::uint8_t>(i)}, .holder = party.credential.hash()});
        ASSERT_EQ(call(talker), coap::Code::Changed) << i;
        ASSERT_EQ(call(talker), coap::Code::Changed) << i;
    }
    EXPECT_EQ(storage_.write_count(), writes);
    EXPECT_EQ(call(owner_), coap::Code::Changed) << "nobody pushes the owner out";
}

TEST_F(GuestsTest, ARevocationThatIsNoneIsRefused) {
    EXPECT_EQ(post(owner_, {}), coap::Code::BadRequest);
    EXPECT_EQ(get(owner_, "m", "guests"), coap::Code::MethodNotAllowed);
}

TEST_F(GuestsTest, APowerCutInARevocationLeavesOneOrTheOther) {
    using Cut = MemoryStorage::Cut;
    bool has_ended = false;
    for (std::uint8_t step = 0; !has_ended; ++step) {
        const Cut cut = step % 2 == 0 ? Cut::Old : Cut::New;
        const keystore::TokenId id{step, 1, 1, 1};
        Grant given = grant();
        given.id = id;
        invite(guest_, given);
        EXPECT_EQ(call(guest_), coap::Code::Changed);
        storage_.cut_power_at_write(step / 2, cut);
        const bool is_revoked = revoke(id) == coap::Code::Changed;
        has_ended = !storage_.is_cut();
        boot();
        const auto reason = refusal(guest_);
        EXPECT_TRUE(reason ? reason == Reason::TokenOver : !is_revoked) << int{step};
        EXPECT_EQ(call(owner_), coap::Code::Changed) << int{step};
    }
}

}  // namespace
}  // namespace sotto::session
