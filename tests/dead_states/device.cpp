// SPDX-License-Identifier: Apache-2.0
// The device: its end of the sealed channel, with an owner who has the pairing secret, a stranger
// who has not, and the cloud that the owner chooses.
#include "core/cbor/writer.hpp"
#include "core/session/app_test.hpp"
#include "tests/dead_states/fingerprint.hpp"
#include "tests/dead_states/part.hpp"

namespace sotto::dead_states {
namespace {

using namespace session;  // NOLINT(google-build-using-namespace)

constexpr Channel kNearby{};
constexpr Channel kRelay{.label = 2};
constexpr Channel kOtherRelay{.label = 3};
constexpr Channel kCloudLabel{.label = 1};
constexpr std::array<std::uint8_t, 16> kSecret{9, 8, 7};
constexpr std::array<std::uint8_t, 16> kWrongSecret{1};
constexpr std::uint64_t kPivGap = 1'000;        // numbers that nobody has used
constexpr std::uint32_t kTime = 1'800'000'000;  // in the year 2027

struct Parties {
    SeededEntropy entropy{1};
    Party device = Party::make("lamp-1", entropy);
    Party owner = Party::make("phone-1", entropy);
    Party heir = Party::make("phone-3", entropy);
    Party stranger = Party::make("phone-2", entropy);
    Party cloud = Party::make("cloud", entropy);
};

const Parties& parties() {
    static const Parties made;
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
    Message notification_;
    std::string argument_;
    std::uint64_t armed_ = 0;  // how storage fails at its next write
    std::uint32_t cloud_version_ = 0;
};

using W = DeviceWorld;

Message changed(Message message) {
    message.back() ^= 1;
    return message;
}
// A message of CoAP alone: no options, no payload.
Message bare(coap::Type type, coap::Code code, std::uint16_t id) {
    std::array<std::uint8_t, 16> buffer;
    const Bytes bytes =
        *coap::MessageWriter{buffer, {.type = type, .code = code, .id = id}}.finish();
    return {bytes.begin(), bytes.end()};
}
Message to_path(std::string_view first, std::string_view second, std::uint16_t option = 0) {
    std::array<std::uint8_t, 64> buffer;
    coap::MessageWriter writer{buffer, {.code = coap::Code::Post, .id = 77}};
    writer.options().add_text(coap::kUriPath, first);
    writer.options().add_text(coap::kUriPath, second);
    if (option != 0) writer.options().add(coap::OptionNumber{option}, {});
    const Bytes bytes = *writer.payload(as_bytes("on")).finish();
    return {bytes.begin(), bytes.end()};
}
// Under keys that the device never had, with this kid.
Message foreign_request(std::string_view kid) {
    const oscore::Context context = *oscore::derive_context({.master_secret = as_bytes("foreign"),
                                                             .master_salt = {},
                                                             .sender_id = as_bytes(kid),
                                                             .recipient_id = as_bytes("d")});
    std::array<std::uint8_t, 128> buffer;
    const Bytes bytes = *oscore::protect_request(context,
                                                 {.piv = oscore::Piv{kPivGap}},
                                                 {.id = 5},
                                                 as_bytes("\x02\xb1"
                                                          "f\x04lamp"),
                                                 buffer);
    return {bytes.begin(), bytes.end()};
}

constexpr std::array kKinds{
    // EDHOC, in turn and out of it.
    Kind<W>{"message_1", [](W& w) { return w.begin(w.owner(), kNearby), true; }},
    Kind<W>{"message_1-by-relay", [](W& w) { return w.begin(w.owner(), kRelay), true; }},
    Kind<W>{"message_1-of-stranger", [](W& w) { return w.begin(w.stranger_, kOtherRelay), true; }},
    Kind<W>{"message_1-of-stranger-nearby",
            [](W& w) { return w.begin(w.stranger_, kNearby), true; }},
    Kind<W>{"message_1-again",
            [](W& w) {
                if (w.owner().message_1.empty()) return false;
                const Message answer = w.harmless(w.owner(), w.owner().message_1);
                if (!answer.empty()) w.owner().answer_1 = answer;
                return true;
            }},
    Kind<W>{"message_1-broken",
            [](W& w) {
                Message payload{0xf5, 3, 2, 0x58, 0x20};
                payload.resize(60, 0xff);
                return w.harmless(w.owner(), w.forged_edhoc(payload)), true;
            }},
    Kind<W>{"message_1-of-another-suite",
            [](W& w) {
                Message payload{0xf5, 3, 0, 0x58, 0x20};
                payload.resize(5 + 32, 0x11);
                payload.push_back(0x05);
                return w.harmless(w.owner(), w.forged_edhoc(payload)), true;
            }},
    Kind<W>{"message_3-with-proof",
            [](W& w) { return !w.owner().answer_1.empty() && (w.finish(w.owner(), true), true); }},
    Kind<W>{
        "message_3-without-proof",
        [](W& w) { return w.can_finish(w.owner()) && (w.finish(w.owner(), std::nullopt), true); }},
    Kind<W>{"message_3-with-wrong-proof",
            [](W& w) { return w.can_finish(w.owner()) && (w.finish(w.owner(), false), true); }},
    Kind<W>{"message_3-of-stranger",
            [](W& w) {
                return !w.stranger_.answer_1.empty() && (w.finish(w.stranger_, std::nullopt), true);
            }},
    Kind<W>{
        "message_3-of-stranger-with-wrong-proof",
        [](W& w) { return !w.stranger_.answer_1.empty() && (w.finish(w.stranger_, false), true); }},
    Kind<W>{"message_3-corrupt",
            [](W& w) {
                Peer& owner = w.owner();
                if (owner.answer_1.empty()) return false;
                if (owner.prepared_3.empty()) {
                    const Party& device = parties().device;
                    owner.prepared_3 = owner.app.message_3(owner.answer_1, device, w.secret());
                }
                if (owner.prepared_3.empty()) return false;
                return w.harmless(owner, changed(owner.prepared_3)), true;
            }},
    Kind<W>{"message_3-again",
            [](W& w) {
                const Message& message = w.owner().message_3;
                return !message.empty() && (w.harmless(w.owner(), message), true);
            }},
    Kind<W>{"message_3-of-no-handshake",
            [](W& w) {
                Message payload{0x0b, 0x52};
                payload.resize(2 + 18, 0x33);
                return w.harmless(w.owner(), w.forged_edhoc(payload)), true;
            }},
    Kind<W>{"edhoc-error",
            [](W& w) { return w.harmless(w.owner(), w.forged_edhoc({0x01, 0x61, 'x'})), true; }},
    Kind<W>{"edhoc-nothing", [](W& w) { return w.harmless(w.owner(), w.forged_edhoc({})), true; }},
    // OSCORE.
    Kind<W>{"command",
            [](W& w) { return w.owner().app.context.has_value() && (w.command(w.owner()), true); }},
    Kind<W>{"command-without-echo",
            [](W& w) {
                Peer& owner = w.owner();
                if (!owner.app.context) return false;
                owner.request = w.lamp_request(owner, {});
                const App::Reply reply = owner.app.unprotect(w.harmless(owner, owner.request));
                if (!reply.echo.empty()) owner.echo = reply.echo;
                return true;
            }},
    Kind<W>{"command-with-last-echo",
            [](W& w) {
                Peer& owner = w.owner();
                if (!owner.app.context || owner.echo.empty()) return false;
                owner.request = w.lamp_request(owner, owner.echo);
                return w.say(owner, owner.request), true;
            }},
    Kind<W>{"command-with-false-echo",
            [](W& w) {
                Peer& owner = w.owner();
                if (!owner.app.context) return false;
                return w.harmless(owner, w.lamp_request(owner, Message(12, 0x77))), true;
            }},
    Kind<W>{"command-of-old-number",
            [](W& w) {
                App& app = w.owner().app;
                if (!app.context || !w.owner().executed) return false;
                const std::uint64_t piv = std::exchange(app.piv, *w.owner().executed);
                const Message message = w.lamp_request(w.owner(), w.owner().echo);
                app.piv = piv;
                return w.harmless(w.owner(), message), true;
            }},
    Kind<W>{"request-again",
            [](W& w) {
                return !w.owner().request.empty() &&
                       (w.harmless(w.owner(), w.owner().request), true);
            }},
    Kind<W>{"request-again-elsewhere",
            [](W& w) {
                if (w.owner().request.empty()) return false;
                const Channel before = std::exchange(w.owner().channel, kOtherRelay);
                w.harmless(w.owner(), w.owner().request);
                w.owner().channel = before;
                return true;
            }},
    Kind<W>{"request-corrupt",
            [](W& w) {
                if (!w.owner().app.context) return false;
                return w.harmless(w.owner(), changed(w.lamp_request(w.owner(), w.owner().echo))),
                       true;
            }},
    Kind<W>{"request-of-unknown-kid",
            [](W& w) { return w.harmless(w.stranger_, foreign_request("zz")), true; }},
    Kind<W>{"request-of-foreign-keys",
            [](W& w) {
                if (!w.owner().app.context) return false;
                const Bytes kid = w.owner().app.context->sender_id;
                return w.harmless(w.stranger_, foreign_request(as_text(kid))), true;
            }},
    Kind<W>{"observe",
            [](W& w) {
                if (!w.owner().app.context) return false;
                return w.ask_twice(w.owner(), {.path = {"e", "lamp"}, .observe = 0}), true;
            }},
    Kind<W>{"observe-cancel",
            [](W& w) {
                if (!w.owner().app.context) return false;
                return w.ask_twice(w.owner(), {.path = {"e", "lamp"}, .observe = 1}), true;
            }},
    Kind<W>{"get-last",
            [](W& w) {
                return w.owner().app.context.has_value() &&
                       (w.ask_twice(w.owner(), {.path = {"last"}}), true);
            }},
    Kind<W>{"put-cloud", [](W& w) { return w.put_cloud(); }},
    Kind<W>{"confirm-cloud", [](W& w) { return w.confirm_cloud(); }},
    Kind<W>{"cloud-attaches",
            [](W& w) {
                if (w.shake_hands(w.cloud_, kCloudLabel, std::nullopt))
                    w.ask_twice(w.cloud_, {.code = coap::Code::Post, .path = {"a"}});
                return true;
            }},
    Kind<W>{"cloud-proposes-time",
            [](W& w) {
                if (!w.cloud_.app.context) return false;
                return w.ask_twice(w.cloud_,
                                   {.code = coap::Code::Post, .path = {"a"}, .time = 0xffff'ffff}),
                       true;
            }},
    Kind<W>{"put-time",
            [](W& w) {
                if (!w.owner().app.context) return false;
                return w.ask_twice(w.owner(),
                                   {.code = coap::Code::Put, .path = {"t"}, .time = kTime}),
                       true;
            }},
    Kind<W>{"deferred-command",
            [](W& w) {
                Peer& owner = w.owner();
                if (!owner.app.context) return false;
                owner.request = owner.app.protect({.code = coap::Code::Post,
                                                   .path = {"f", "lamp"},
                                                   .payload = "later",
                                                   .not_after = kTime + 600});
                return w.say(owner, owner.request), true;
            }},
    Kind<W>{"deferred-command-too-late",
            [](W& w) {
                Peer& owner = w.owner();
                if (!owner.app.context) return false;
                const Message late = owner.app.protect({.code = coap::Code::Post,
                                                        .path = {"f", "lamp"},
                                                        .payload = "too late",
                                                        .not_after = kTime - 600});
                return w.harmless(owner, late), true;
            }},
    Kind<W>{"block-first",
            [](W& w) {
                if (!w.owner().app.context) return false;
                return w.block(w.owner(), 0), true;
            }},
    Kind<W>{"block-second",
            [](W& w) {
                if (!w.owner().app.context) return false;
                return w.block(w.owner(), 1), true;
            }},
    Kind<W>{"block-last",
            [](W& w) {
                if (!w.owner().app.context) return false;
                return w.block(w.owner(), 2), true;
            }},
    Kind<W>{"block-of-wrong-size",
            [](W& w) {
                if (!w.owner().app.context) return false;
                return w.block(w.owner(), 0, 13), true;
            }},
    Kind<W>{"all-blocks",
            [](W& w) {
                if (!w.owner().app.context) return false;
                return w.all_blocks(w.owner()), true;
            }},
    Kind<W>{"fetch-second-block",
            [](W& w) {
                if (!w.owner().app.context) return false;
                return w.fetch(w.owner(), 1, "f"), true;
            }},
    Kind<W>{"read-second-block",
            [](W& w) {
                if (!w.owner().app.context) return false;
                return w.fetch(w.owner(), 1, "v"), true;
            }},
    Kind<W>{"hand-over", [](W& w) { return w.hand_over(); }},
    Kind<W>{"handshake-of-former-owner",
            [](W& w) {
                if (w.owner_ == &w.phone_) return false;
                require(!w.shake_hands(w.phone_, kRelay, std::nullopt), "a former owner gets in");
                return true;
            }},
    // CoAP alone.
    Kind<W>{"unprotected-command",
            [](W& w) { return w.harmless(w.stranger_, to_path("f", "lamp")), true; }},
    Kind<W>{"unprotected-critical-option",
            [](W& w) {
                return w.harmless(w.stranger_, to_path(".well-known", "edhoc", 65'001)), true;
            }},
    Kind<W>{"empty-ack",
            [](W& w) {
                const auto type = coap::Type::Acknowledgement;
                return w.harmless(w.owner(), bare(type, coap::Code::Empty, 3)), true;
            }},
    Kind<W>{"reset-of-notification",
            [](W& w) {
                if (w.notification_.empty()) return false;
                const std::uint16_t id = coap::parse_message(w.notification_)->header.id;
                const Message reset = bare(coap::Type::Reset, coap::Code::Empty, id);
                return w.harmless(w.owner(), reset), true;
            }},
    Kind<W>{"ping",
            [](W& w) {
                const auto type = coap::Type::Confirmable;
                return w.harmless(w.owner(), bare(type, coap::Code::Empty, 4)), true;
            }},
    Kind<W>{"response",
            [](W& w) {
                const auto type = coap::Type::Confirmable;
                return w.harmless(w.owner(), bare(type, coap::Code::Content, 6)), true;
            }},
    Kind<W>{"no-coap", [](W& w) { return w.harmless(w.owner(), Message(20, 0xff)), true; }},
    Kind<W>{"nothing", [](W& w) { return w.harmless(w.owner(), {}), true; }},
    // The path, the device and its time.
    Kind<W>{"other-path",
            [](W& w) {
                w.owner().channel = w.owner().channel == kNearby ? kRelay : kNearby;
                return true;
            }},
    Kind<W>{"event",
            [](W& w) {
                (void)w.device_->server->publish(0, {.payload = as_bytes("on")}).has_value();
                return w.poll(), true;
            }},
    Kind<W>{"button", [](W& w) { return w.device_->server->on_button(w.device_->now), true; }},
    Kind<W>{"31-seconds", [](W& w) { return w.pass(seconds(31)), true; }},
    Kind<W>{"11-minutes", [](W& w) { return w.pass(minutes(11)), true; }},
    Kind<W>{"31-days", [](W& w) { return w.pass(minutes(31 * 24 * 60)), true; }},
    Kind<W>{"boot", [](W& w) { return w.boot(), true; }},
    Kind<W>{"next-write-fails", [](W& w) { return w.storage_.fail_write(0), w.armed_ = 1, true; }},
    Kind<W>{"power-cut-at-next-write",
            [](W& w) {
                w.storage_.cut_power_at_write(0, MemoryStorage::Cut::Old);
                return w.armed_ = 2, true;
            }},
    Kind<W>{"next-random-fails", [](W& w) { return w.device_entropy_.fail_call(0), true; }},
    Kind<W>{"factory-reset",
            [](W& w) {
                if (w.device_->server->factory_reset()) w.owner().has_session = false;
                return true;
            }},
};

void add(Fingerprint& print, const Peer& peer) {
    print.object(peer.app);
    print.object(peer.channel);
    for (const Message* message : {&peer.message_1,
                                   &peer.answer_1,
                                   &peer.prepared_3,
                                   &peer.message_3,
                                   &peer.request,
                                   &peer.echo})
        print.bytes(*message);
    print.number(peer.executed.value_or(~std::uint64_t{0}));
    print.number(peer.has_session ? 1 : 0);
}

std::optional<std::uint64_t> DeviceWorld::fingerprint() const {
    Fingerprint print;
    print.object(*device_->server);
    print.object(device_->sessions);
    print.object(device_->half_open);
    print.object(device_entropy_);
    print.object(app_entropy_);
    for (const auto& [id, record] : storage_.records()) {
        print.number(id.value());
        print.bytes(record);
    }
    print.number(storage_.is_cut() ? 1 : 0);
    print.number(storage_.write_count() == 0 ? armed_ : 0);
    for (const Peer* peer : {&phone_, &heir_, &stranger_, &cloud_}) add(print, *peer);
    print.number(owner_ == &heir_ ? 1 : 0);
    print.bytes(notification_);
    print.bytes(as_bytes(device_->lamp.note));
    print.bytes(Bytes{device_->lamp.room}.first(kBlocks * 64));
    print.number(cloud_version_);
    print.number(static_cast<std::uint64_t>(device_->now.ms));
    return print.value();
}

bool DeviceWorld::apply(std::size_t kind) { return kKinds[kind].apply(*this); }

void DeviceWorld::expect_alive() {
    if (storage_.is_cut()) boot();
    storage_.reboot();
    device_entropy_ = SeededEntropy{11};
    if (device_->now.ms > minutes(30 * 24 * 60).ms) owner().has_session = false;
    if (owner().has_session) require(command(owner()), "the session of the owner is gone");

    const bool has_owner = device_->server->authority().has_owner();
    device_->server->on_button(device_->now);
    const std::optional<bool> proof = has_owner ? std::nullopt : std::optional<bool>{true};
    require(shake_hands(owner(), kNearby, proof), "no handshake nearby");
    require(command(owner()), "no command nearby");

    pass(kHalfOpenLifetimeRelay);  // somebody else's may be under way, and there is one place
    require(shake_hands(owner(), kRelay, std::nullopt), "no handshake through the relay");
    require(command(owner()), "no command through the relay");
    require(all_blocks(owner()), "no body in blocks");
    require(shake_hands(owner(), kNearby, true), "no pairing with the owner again");
    require(command(owner()), "no command after pairing again");
}

}  // namespace

Part device_part() {
    return make_part<DeviceWorld>("device",
                                  {"new", "half-open", "pending", "owned", "booted", "on-trial"},
                                  std::span<const Kind<DeviceWorld>>{kKinds});
}

}  // namespace sotto::dead_states
