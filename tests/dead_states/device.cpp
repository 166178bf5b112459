// SPDX-License-Identifier: Apache-2.0
// The device: its end of the sealed channel, and every kind of thing that can come to it.
#include "tests/dead_states/device_world.hpp"
#include "tests/dead_states/fingerprint.hpp"

namespace sotto::dead_states {
namespace {

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
    Kind<W>{"handshake-of-guest", [](W& w) { return w.let_guest_in(true); }},
    Kind<W>{"handshake-of-guest-with-false-token", [](W& w) { return w.let_guest_in(false); }},
    Kind<W>{"command-of-guest", [](W& w) { return w.command_of_guest(); }},
    Kind<W>{"revoke-guest", [](W& w) { return w.revoke_guest(); }},
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

}  // namespace

std::optional<std::uint64_t> DeviceWorld::fingerprint() const {
    Fingerprint print;
    print.object(*device_->server);
    print.object(device_->parts);
    print.object(device_->sessions);
    print.object(device_->rights);
    print.object(device_->half_open);
    print.object(device_entropy_);
    print.object(app_entropy_);
    for (const auto& [id, record] : storage_.records()) {
        print.number(id.value());
        print.bytes(record);
    }
    print.number(storage_.is_cut() ? 1 : 0);
    print.number(storage_.write_count() == 0 ? armed_ : 0);
    for (const Peer* peer : {&phone_, &heir_, &stranger_, &cloud_, &guest_}) add(print, *peer);
    print.number(owner_ == &heir_ ? 1 : 0);
    print.bytes(notification_);
    print.bytes(as_bytes(device_->lamp.note));
    print.bytes(Bytes{device_->lamp.room}.first(kBlocks * 64));
    print.number(cloud_version_);
    print.number(revoked_);
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

Part device_part() {
    return make_part<DeviceWorld>("device",
                                  {"new", "half-open", "pending", "owned", "booted", "on-trial"},
                                  std::span<const Kind<DeviceWorld>>{kKinds});
}

}  // namespace sotto::dead_states
