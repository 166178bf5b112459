// SPDX-License-Identifier: Apache-2.0
// A device with an owner who has the pairing secret, a stranger who has not, the cloud that the
// owner chooses, and a guest of his; and what each of them can say to it.
#pragma once

#include "core/cbor/writer.hpp"
#include "core/session/app_test.hpp"
#include "tests/dead_states/part.hpp"

namespace sotto::dead_states {

using namespace session;  // NOLINT(google-build-using-namespace): of a test

inline constexpr Channel kNearby{};
inline constexpr Channel kRelay{.label = 2};
inline constexpr Channel kOtherRelay{.label = 3};
inline constexpr Channel kCloudLabel{.label = 1};
inline constexpr std::array<std::uint8_t, 16> kSecret{9, 8, 7};
inline constexpr std::array<std::uint8_t, 16> kWrongSecret{1};
inline constexpr std::uint64_t kPivGap = 1'000;        // numbers that nobody has used
inline constexpr std::uint32_t kTime = 1'800'000'000;  // in the year 2027

struct DeviceParties {
    SeededEntropy entropy{1};
    Party device = Party::make("lamp-1", entropy);
    Party owner = Party::make("phone-1", entropy);
    Party heir = Party::make("phone-3", entropy);
    Party stranger = Party::make("phone-2", entropy);
    Party cloud = Party::make("cloud", entropy);
    Party guest = Party::make("guest", entropy);
};

inline const DeviceParties& parties() {
    static const DeviceParties made;
    return made;
}

// Somebody who talks to the device, and what was said so far.
struct Peer {
    App app;
    Channel channel = kNearby;
    Message message_1 = {};
    Message answer_1 = {};
    Message prepared_3 = {};  // with the right proof, and not sent yet
    Message message_3 = {};
    Message request = {};  // the last protected one
    Message echo = {};
    std::optional<std::uint64_t> executed = {};  // the number of the last command that was run
    bool has_session = false;                    // which the device has taken a request of
};

class DeviceWorld final : public World {
  public:
    enum Start : std::size_t { New, HalfOpen, Pending, Owned, Booted, OnTrial };

    explicit DeviceWorld(std::size_t start) {
        keystore::PairingSecret secret{Bytes{kSecret}.first<16>()};
        require(Authority::commission(storage_, std::move(secret)).has_value(), "not commissioned");
        boot();
        device_->server->on_button(device_->now);
        if (start >= HalfOpen) begin(owner(), kNearby);
        if (start >= Pending) finish(owner(), true);
        if (start >= Owned) command(owner());
        if (start >= OnTrial) put_cloud();
        if (start == Booted) boot();
    }

    bool apply(std::size_t kind) override;
    void expect_alive() override;
    std::optional<std::uint64_t> fingerprint() const override;

    // Handshakes.
    void begin(Peer& peer, Channel channel) {
        peer.channel = channel;
        peer.message_1 = peer.app.message_1();
        peer.message_3.clear();
        peer.prepared_3.clear();
        peer.answer_1 = say(peer, peer.message_1);
    }
    // Not if a message_3 has been made already: its number is used up.
    static bool can_finish(const Peer& peer) {
        return !peer.answer_1.empty() && peer.prepared_3.empty();
    }
    // With a proof, right or wrong, or without one. True if message_4 has come.
    bool finish(Peer& peer, std::optional<bool> proof) {
        Bytes secret;
        if (proof) secret = *proof ? this->secret() : Bytes{kWrongSecret};
        peer.message_3 = std::exchange(peer.prepared_3, {});
        if (peer.message_3.empty())
            peer.message_3 = peer.app.message_3(peer.answer_1, parties().device, secret);
        peer.answer_1.clear();
        if (peer.message_3.empty()) return false;
        peer.has_session = false;
        peer.executed.reset();
        const auto answer = peer.app.on_message_4(say(peer, peer.message_3));
        return answer && answer->verdict == PairingVerdict::Accepted;
    }
    bool shake_hands(Peer& peer, Channel channel, std::optional<bool> proof) {
        begin(peer, channel);
        return finish(peer, proof);
    }

    // Requests.
    Message lamp_request(Peer& peer, const Message& echo) {
        argument_ = "command " + std::to_string(peer.app.piv);
        return peer.app.protect(
            {.code = coap::Code::Post, .path = {"f", "lamp"}, .payload = argument_, .echo = echo});
    }
    App::Reply ask(Peer& peer, const App::Spec& spec) {
        peer.request = peer.app.protect(spec);
        const App::Reply reply = peer.app.unprotect(say(peer, peer.request));
        if (!reply.echo.empty()) peer.echo = reply.echo;
        return reply;
    }
    App::Reply ask_twice(Peer& peer, App::Spec spec) {
        App::Reply reply = ask(peer, spec);
        if (reply.code != coap::Code::Unauthorized || reply.echo.empty()) return reply;
        spec.echo = reply.echo;
        return ask(peer, spec);
    }
    // True if it was run, once.
    bool command(Peer& peer) {
        if (!peer.app.context) return false;
        argument_ = "command " + std::to_string(peer.app.piv);
        const int calls = device_->lamp.calls;
        const App::Reply reply = ask_twice(
            peer, {.code = coap::Code::Post, .path = {"f", "lamp"}, .payload = argument_});
        if (reply.code != coap::Code::Changed) return false;
        require(device_->lamp.calls == calls + 1, "a command did not run once");
        require(device_->lamp.last == argument_ && reply.payload == argument_, "another command");
        peer.executed = peer.app.piv - 1;
        return peer.has_session = true;
    }
    bool put_cloud() {
        std::array<std::uint8_t, 128> buffer;
        cbor::Writer writer{buffer};
        writer.map(4).uint(1).uint(++cloud_version_).uint(2).text("cloud:1");
        writer.uint(3).bytes(parties().cloud.credential.hash());
        writer.uint(4).bytes(std::array<std::uint8_t, keystore::kClaimSize>{});
        return put(*writer.finish());
    }
    bool confirm_cloud() {
        std::array<std::uint8_t, 8> buffer;
        cbor::Writer writer{buffer};
        writer.map(1).uint(1).uint(cloud_version_);
        return put(*writer.finish());
    }
    bool put(Bytes payload) {
        if (!owner().app.context) return false;
        ask_twice(
            owner(),
            {.code = coap::Code::Put, .path = {"n"}, .payload = as_text(payload), .format = 60});
        return true;
    }

    // A request to /.well-known/edhoc by nobody in particular.
    static Message forged_edhoc(const Message& payload) {
        SeededEntropy chance{5};
        return App{parties().stranger, chance}.edhoc_request(payload);
    }
    // A body of three blocks for a function.
    static constexpr std::uint8_t kExponent = 2;  // 64 bytes
    static constexpr std::uint32_t kBlocks = 3;
    App::Reply block(Peer& peer, std::uint32_t number, std::size_t size = 64) {
        const std::string text(size, static_cast<char>('a' + number));
        return ask_twice(peer,
                         {.code = coap::Code::Post,
                          .path = {"f", "note"},
                          .payload = text,
                          .block1 = coap::Block{.number = number,
                                                .has_more = number + 1 < kBlocks,
                                                .size_exponent = kExponent},
                          .tag = "A"});
    }
    bool all_blocks(Peer& peer) {
        const int count = device_->lamp.note_count;
        for (std::uint32_t number = 0; number + 1 < kBlocks; ++number) {
            if (block(peer, number).code != coap::Code::Continue) return false;
        }
        if (block(peer, kBlocks - 1).code != coap::Code::Changed) return false;
        require(device_->lamp.note_count == count + 1, "a body did not run once");
        return device_->lamp.note.size() == kBlocks * 64;
    }
    App::Reply fetch(Peer& peer, std::uint32_t number, std::string_view kind) {
        return ask_twice(
            peer,
            {.code = kind == "f" ? coap::Code::Post : coap::Code::Get,
             .path = {kind, "note"},
             .block2 = coap::Block{.number = number, .has_more = false, .size_exponent = kExponent},
             .tag = kind == "f" ? "A" : ""});
    }
    // The device obeys another key from now on; back again the next time.
    bool hand_over() {
        if (!owner().app.context) return false;
        Peer& next = owner_ == &phone_ ? heir_ : phone_;
        std::array<std::uint8_t, 256> buffer;
        cbor::Writer writer{buffer};
        writer.map(2).uint(1).bytes(next.app.party.credential.bytes());
        writer.uint(2).bytes(std::array<std::uint8_t, 32>{4, 5, 6});
        const App::Reply reply = ask_twice(owner(),
                                           {.code = coap::Code::Put,
                                            .path = {"m", "owner"},
                                            .payload = as_text(*writer.finish()),
                                            .format = 60});
        if (reply.code != coap::Code::Changed) return true;
        owner().has_session = false;
        owner_ = &next;
        return true;
    }
    // The guest comes with a token of the present owner, or of nobody.
    static constexpr keystore::TokenId kToken{1, 2, 3, 4};
    bool let_guest_in(bool is_true) {
        const auto root = keystore::load_root(storage_);
        if (!root || root->owner_state == keystore::OwnerState::None) return false;
        const keystore::TokenKey nobodys;
        std::array<std::uint8_t, keystore::kTokenSizeMax> buffer;
        const auto token = issue_token({.id = kToken, .holder = parties().guest.credential.hash()},
                                       is_true ? root->token_key : nobodys,
                                       buffer);
        guest_.app.access_token.assign(*token);
        const bool is_in = shake_hands(guest_, kOtherRelay, std::nullopt);
        require(!is_in || (is_true && revoked_ != root->generation), "a guest without a token");
        return true;
    }
    bool command_of_guest() {
        if (!guest_.app.context) return false;
        const std::uint32_t generation = device_->server->authority().generation();
        const int calls = device_->lamp.calls;
        (void)ask_twice(guest_,
                        {.code = coap::Code::Post, .path = {"f", "lamp"}, .payload = "of a guest"});
        require(device_->lamp.calls == calls || revoked_ != generation, "a guest who is revoked");
        return true;
    }
    bool revoke_guest() {
        if (!owner().app.context) return false;
        std::array<std::uint8_t, 16> buffer;
        cbor::Writer writer{buffer};
        writer.map(2).uint(1).bytes(kToken).uint(2).uint(Grant::kNever);
        const App::Reply reply = ask_twice(owner(),
                                           {.code = coap::Code::Post,
                                            .path = {"m", "guests"},
                                            .payload = as_text(*writer.finish()),
                                            .format = 60});
        if (reply.code == coap::Code::Changed) revoked_ = device_->server->authority().generation();
        return true;
    }
    // What must not run anything.
    Message harmless(Peer& peer, const Message& message) {
        const int calls = device_->lamp.calls;
        Message answer = say(peer, message);
        require(device_->lamp.calls == calls, "what must not run has run");
        return answer;
    }
    Message say(Peer& peer, const Message& message) {
        const Bytes bytes =
            device_->server->receive(peer.channel, message, device_->now, device_->out);
        Message answer{bytes.begin(), bytes.end()};
        require(answer.empty() || coap::parse_message(answer).has_value(), "an answer is no CoAP");
        poll();
        return answer;
    }

    // The device itself.
    // As its screen shows it.
    Bytes secret() const { return device_->server->authority().pairing_secret().expose(); }
    void boot() {
        const Instant now = device_ ? device_->now : Instant{1'000'000};
        storage_.reboot();
        armed_ = 0;
        device_.emplace(storage_, device_entropy_, parties().device, now);
        if (!device_->started)  // without randomness it does not: once more
            device_.emplace(storage_, device_entropy_, parties().device, now);
        require(device_->started, "it does not start");
    }
    void poll() {
        while (const auto outgoing = device_->server->poll(device_->now, device_->out))
            notification_.assign(outgoing->message.begin(), outgoing->message.end());
    }
    void pass(Duration duration) {
        device_->now = device_->now + duration;
        poll();
    }

    SeededEntropy device_entropy_{7};
    SeededEntropy app_entropy_{3};
    MemoryStorage storage_;
    std::optional<Device> device_;
    // Whoever the device obeys: the phone, or the one that it was handed over to.
    Peer& owner() { return *owner_; }
    Peer phone_{.app = App{parties().owner, app_entropy_}};
    Peer heir_{.app = App{parties().heir, app_entropy_}};
    Peer* owner_ = &phone_;
    Peer stranger_{.app = App{parties().stranger, app_entropy_}};
    Peer cloud_{.app = App{parties().cloud, app_entropy_}};
    Peer guest_{.app = App{parties().guest, app_entropy_}};
    Message notification_;
    std::uint32_t revoked_ = 0;  // the generation in which the guest's token was revoked
    std::string argument_;
    std::uint64_t armed_ = 0;  // how storage fails at its next write
    std::uint32_t cloud_version_ = 0;
};

}  // namespace sotto::dead_states
