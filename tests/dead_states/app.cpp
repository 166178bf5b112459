// SPDX-License-Identifier: Apache-2.0
// The app: its end of the sealed channel, in the middle of each job that it may have, with a real
// device and a line that may do anything to what is on it.
#include <set>

#include "core/session/client.hpp"
#include "core/session/device_test.hpp"
#include "tests/dead_states/fingerprint.hpp"
#include "tests/dead_states/part.hpp"

namespace sotto::dead_states {
namespace {

using namespace session;  // NOLINT(google-build-using-namespace)

constexpr Duration kPatience = seconds(20);
constexpr std::uint32_t kTime = 1'800'000'000;  // in the year 2027
constexpr Duration kTick = milliseconds(250);
constexpr std::array<std::uint8_t, 16> kSecret{9, 8, 7};

struct Parties {
    SeededEntropy entropy{1};
    Party device = Party::make("lamp-1", entropy);
    Party other = Party::make("lamp-2", entropy);
    Party owner = Party::make("phone-1", entropy);
};

const Parties& parties() {
    static const Parties made;
    return made;
}

class AppWorld final : public World {
  public:
    enum Start : std::size_t {
        Unpaired,
        Pairing2,  // waits for message_2
        Pairing4,  // waits for message_4
        Paired,
        Asked,   // waits for the answer to a command, which will be a challenge
        AtRisk,  // waits for the answer to a command that may have been run
        AsksLast,
        Renews,  // waits for message_2 of a new session for a command
        Observes,
    };

    explicit AppWorld(std::size_t start) {
        commission(storage_);
        commission(other_storage_);
        boot_device();
        other_.emplace(other_storage_, device_entropy_, parties().other);
        boot_client();
        bring_to(start);
        expect_start(start);
    }

    bool apply(std::size_t kind) override;
    void expect_alive() override;
    std::optional<std::uint64_t> fingerprint() const override;

    void bring_to(std::size_t start) {
        if (start == Unpaired) return;
        pair();
        if (start == Pairing2) return;
        answer();
        if (start == Pairing4) return;
        settle();
        if (start == Observes) {
            observe();
            settle();
        }
        if (start == AsksLast || start == AtRisk) {  // it has an Echo of the device then
            command();
            settle();
        }
        if (start == Renews) now_ = now_ + minutes(31 * 24 * 60);
        if (start == Paired || start == Observes) return;
        command();
        if (start != AsksLast) return;
        hear_device();  // which runs it, and the answer is lost
        pass(milliseconds(kPatience.ms / 3 * 2));
    }

    // Jobs.
    void pair() {
        keystore::PairingCode code;
        std::copy_n(parties().device.credential.hash().begin(),
                    keystore::kHashPrefixSize,
                    code.credential_hash_prefix.begin());
        code.secret = device_->server->authority().pairing_secret().clone();
        begin(client_->pair(code, now_, now_ + kPatience));
    }
    void command() {
        argument_ = "command " + std::to_string(++command_count_);
        const Content content{.payload = as_bytes(argument_)};
        begin(client_->request(
            {.code = coap::Code::Post, .resource = "f", .name = "lamp", .content = content},
            now_,
            now_ + kPatience));
    }
    void observe() {
        const auto id = client_->observe({.resource = "e", .name = "lamp"}, now_, now_ + kPatience);
        if (!id) return;
        begin({});
    }
    bool defer() {
        argument_ = "command " + std::to_string(++command_count_);
        const Content content{.payload = as_bytes(argument_)};
        std::array<std::uint8_t, kMessageSizeMax> out;
        const auto sealed = client_->defer(
            {.code = coap::Code::Post, .resource = "f", .name = "lamp", .content = content},
            kTime + 600,
            now_,
            out);
        if (!sealed) return false;
        deferred_ = sealed->deferred;
        letter_.assign(sealed->message.begin(), sealed->message.end());
        return true;
    }
    void begin(const Status& begun) {
        require(begun.has_value(), "a job is refused though there is none");
        last_.reset();
        advance();
    }

    // The line. What the app has sent last is `sent_`, what the device answered last `heard_`.
    void advance() {
        for (int count = 0; const auto event = client_->advance(now_); ++count) {
            require(count < 64, "it has no end of events");
            take(*event);
        }
        pull();
    }
    void pull() {
        for (int count = 0; const auto message = client_->next_message(now_); ++count) {
            require(count < 64, "it has no end of messages");
            sent_.assign(message->begin(), message->end());
        }
    }
    void pass(Duration duration) {
        now_ = now_ + duration;
        advance();
        poll_device();
    }
    // The device takes the last message, and answers.
    void hear_device() {
        const int calls = device_->lamp.calls;
        device_->now = now_;
        const Bytes answer = device_->server->receive({}, sent_, now_, device_->out);
        require(device_->lamp.calls <= calls + 1, "one message has run two commands");
        if (device_->lamp.calls != calls)
            require(executed_.insert(device_->lamp.last).second, "a command has run twice");
        if (heard_ != Message(answer.begin(), answer.end())) old_ = heard_;
        heard_.assign(answer.begin(), answer.end());
    }
    void deliver(const Message& message) {
        if (const auto event = client_->receive(message, now_)) take(*event);
        advance();
    }
    void answer() {
        hear_device();
        sent_.clear();
        if (!heard_.empty()) deliver(heard_);
    }
    void poll_device() {
        if (!device_) return;
        device_->now = now_;
        while (const auto outgoing = device_->server->poll(now_, device_->out)) {
            notification_.assign(outgoing->message.begin(), outgoing->message.end());
            if (is_line_good_) deliver(notification_);
        }
    }
    // A good line, until there is no job.
    void settle() {
        is_line_good_ = true;
        for (std::int64_t i = 0; client_->is_busy(); ++i) {
            require(i < 3 * kPatience.ms / kTick.ms, "a job has no end");
            if (sent_.empty()) {
                pass(kTick);
            } else {
                answer();
            }
        }
        is_line_good_ = false;
    }
    void take(const Event& event) {
        if (std::holds_alternative<Notified>(event)) ++notified_;
        if (std::holds_alternative<Notified>(event) || std::holds_alternative<FellSilent>(event))
            return;
        require(!last_.has_value(), "a job has ended twice");
        last_ = event;
        if (const auto* answered = std::get_if<Answer>(&event)) code_ = answered->code;
    }

    // A message to the app, as an answer to its last one.
    Message made(coap::Code code,
                 std::initializer_list<std::uint8_t> payload = {},
                 std::optional<std::uint32_t> max_age = std::nullopt) {
        const auto request = coap::parse_message(sent_);
        if (!request) return {};
        std::array<std::uint8_t, 64> buffer;
        coap::MessageWriter writer{buffer,
                                   {.type = coap::Type::Acknowledgement,
                                    .code = code,
                                    .id = request->header.id,
                                    .token = request->header.token}};
        if (max_age) writer.options().add_uint(coap::kMaxAge, *max_age);
        const Message content{payload};
        const Bytes bytes = *writer.payload(content).finish();
        return {bytes.begin(), bytes.end()};
    }
    bool forge(coap::Code code,
               std::initializer_list<std::uint8_t> payload = {},
               std::optional<std::uint32_t> max_age = std::nullopt) {
        const Message message = made(code, payload, max_age);
        return !message.empty() && (deliver(message), true);
    }
    static Message bare(coap::Type type, coap::Code code, std::uint16_t id) {
        std::array<std::uint8_t, 16> buffer;
        coap::MessageWriter writer{buffer, {.type = type, .code = code, .id = id}};
        const Bytes bytes = *writer.finish();
        return {bytes.begin(), bytes.end()};
    }

    void boot_device() {
        storage_.reboot();
        device_.emplace(storage_, device_entropy_, parties().device, now_);
        require(device_->started, "the device does not start");
    }
    void boot_client() {
        client_storage_.reboot();
        armed_ = 0;
        sent_.clear();
        last_.reset();
        client_.emplace(Client::Setup{
            .identity = parties().owner.identity(),
            .storage = client_storage_,
            .entropy = client_entropy_,
            .device = FixedBytes<crypto::kHashSize>{
                Bytes{parties().device.credential.hash()}.first(framing::kDeviceIdSize)}});
        require(client_->start(now_).has_value(), "the app does not start");
    }
    // It stands where its name says.
    void expect_start(std::size_t start) {
        const bool is_idle = start == Unpaired || start == Paired || start == Observes;
        require(client_->is_busy() != is_idle && sent_.empty() == is_idle, "a false start");
        if (is_idle) return;
        const auto message = coap::parse_message(sent_);
        const bool is_handshake = start == Pairing2 || start == Pairing4 || start == Renews;
        require(message->options.find(coap::kOscore).has_value() != is_handshake, "a false start");
    }
    static void commission(MemoryStorage& storage) {
        keystore::PairingSecret secret{Bytes{kSecret}.first<16>()};
        require(Authority::commission(storage, std::move(secret)).has_value(), "not commissioned");
    }

    Instant now_{1'000'000};
    SeededEntropy device_entropy_{7};
    SeededEntropy client_entropy_{3};
    MemoryStorage storage_;
    MemoryStorage other_storage_;
    MemoryStorage client_storage_;
    std::optional<Device> device_;
    std::optional<Device> other_;
    std::optional<Client> client_;
    Message sent_;
    Message heard_;
    Message old_;
    Message notification_;
    std::optional<Deferred> deferred_;
    Message letter_;  // with the deferred command, on its way
    bool is_line_good_ = false;
    std::optional<Event> last_;
    coap::Code code_ = coap::Code::Empty;
    int notified_ = 0;
    std::string argument_;
    std::size_t command_count_ = 0;
    std::set<std::string> executed_;
    std::uint64_t armed_ = 0;  // how its storage fails at its next write
};

using W = AppWorld;

Message changed(Message message) {
    message.back() ^= 1;
    return message;
}

constexpr std::array kKinds{
    // What its user wants.
    Kind<W>{"pair", [](W& w) { return !w.client_->is_busy() && (w.pair(), true); }},
    Kind<W>{"command", [](W& w) { return !w.client_->is_busy() && (w.command(), true); }},
    Kind<W>{"observe", [](W& w) { return !w.client_->is_busy() && (w.observe(), true); }},
    Kind<W>{"defer", [](W& w) { return w.defer(); }},
    Kind<W>{"settle",
            [](W& w) {
                if (w.client_->is_busy() || !w.deferred_) return false;
                return w.begin(w.client_->settle(*w.deferred_, w.now_, w.now_ + kPatience)), true;
            }},
    Kind<W>{"deferred-command-arrives",
            [](W& w) {
                if (w.letter_.empty()) return false;
                const Message sent = std::exchange(w.sent_, w.letter_);
                w.hear_device();
                w.sent_ = sent;
                return w.deliver(w.heard_), true;
            }},
    Kind<W>{"give-up",
            [](W& w) {
                if (!w.client_->is_busy()) return false;
                if (const auto event = w.client_->give_up(w.now_)) w.take(*event);
                return w.advance(), true;
            }},
    // What becomes of its message and of the device's answer.
    Kind<W>{"good-answer", [](W& w) { return !w.sent_.empty() && (w.answer(), true); }},
    Kind<W>{"good-answers",
            [](W& w) {
                if (w.sent_.empty()) return false;
                for (int i = 0; i < 8 && !w.sent_.empty(); ++i) w.answer();
                return true;
            }},
    Kind<W>{"answer-lost", [](W& w) { return !w.sent_.empty() && (w.hear_device(), true); }},
    Kind<W>{"answer-corrupt",
            [](W& w) {
                if (w.sent_.empty()) return false;
                w.hear_device();
                return !w.heard_.empty() && (w.deliver(changed(w.heard_)), true);
            }},
    Kind<W>{"answer-cut",
            [](W& w) {
                if (w.sent_.empty()) return false;
                w.hear_device();
                if (w.heard_.size() < 14) return false;
                return w.deliver({w.heard_.begin(), w.heard_.end() - 2}), true;
            }},
    Kind<W>{"answer-twice",
            [](W& w) {
                if (w.sent_.empty()) return false;
                w.answer();
                return w.deliver(w.heard_), true;
            }},
    Kind<W>{"request-corrupt",
            [](W& w) {
                if (w.sent_.empty()) return false;
                w.sent_ = changed(w.sent_);
                return w.answer(), true;
            }},
    Kind<W>{"answer-on-its-own",
            [](W& w) {
                if (w.sent_.empty()) return false;
                w.hear_device();
                if (w.heard_.empty()) return false;
                Message message = w.heard_;
                message[0] = static_cast<std::uint8_t>(message[0] & 0xcf);  // confirmable
                message[2] ^= 0x55;
                return w.deliver(message), true;
            }},
    Kind<W>{"last-answer-again",
            [](W& w) { return !w.heard_.empty() && (w.deliver(w.heard_), true); }},
    Kind<W>{"old-answer", [](W& w) { return !w.old_.empty() && (w.deliver(w.old_), true); }},
    Kind<W>{"answer-of-another-device",
            [](W& w) {
                if (w.sent_.empty()) return false;
                const Message answer = w.other_->receive(w.sent_);
                return !answer.empty() && (w.deliver(answer), true);
            }},
    // Answers that nobody vouches for.
    Kind<W>{"edhoc-error", [](W& w) { return w.forge(coap::Code::BadRequest, {0x01, 0x61, 'x'}); }},
    Kind<W>{"edhoc-error-suites",
            [](W& w) { return w.forge(coap::Code::BadRequest, {0x02, 0x82, 0x00, 0x03}); }},
    Kind<W>{"edhoc-error-credential",
            [](W& w) { return w.forge(coap::Code::BadRequest, {0x03, 0xf5}); }},
    Kind<W>{"busy",
            [](W& w) { return w.forge(coap::Code::ServiceUnavailable, {}, std::uint32_t{4}); }},
    Kind<W>{"busy-for-ever",
            [](W& w) {
                return w.forge(coap::Code::ServiceUnavailable, {}, std::uint32_t{0xffff'ffff});
            }},
    Kind<W>{"unprotected-4.01", [](W& w) { return w.forge(coap::Code::Unauthorized); }},
    Kind<W>{"unprotected-4.00", [](W& w) { return w.forge(coap::Code::BadRequest); }},
    Kind<W>{"unprotected-5.00", [](W& w) { return w.forge(coap::Code::InternalServerError); }},
    Kind<W>{"unprotected-2.04", [](W& w) { return w.forge(coap::Code::Changed, {1, 2, 3}); }},
    Kind<W>{"empty-ack",
            [](W& w) {
                if (w.sent_.size() < 4) return false;
                const auto id = static_cast<std::uint16_t>(w.sent_[2] << 8 | w.sent_[3]);
                return w.deliver(W::bare(coap::Type::Acknowledgement, coap::Code::Empty, id)), true;
            }},
    Kind<W>{"reset",
            [](W& w) {
                if (w.sent_.size() < 4) return false;
                const auto id = static_cast<std::uint16_t>(w.sent_[2] << 8 | w.sent_[3]);
                return w.deliver(W::bare(coap::Type::Reset, coap::Code::Empty, id)), true;
            }},
    Kind<W>{"ping",
            [](W& w) {
                return w.deliver(W::bare(coap::Type::Confirmable, coap::Code::Empty, 9)), true;
            }},
    Kind<W>{
        "request",
        [](W& w) { return w.deliver(W::bare(coap::Type::Confirmable, coap::Code::Get, 9)), true; }},
    Kind<W>{"response-to-nobody",
            [](W& w) {
                return w.deliver(W::bare(coap::Type::NonConfirmable, coap::Code::Content, 9)), true;
            }},
    Kind<W>{"no-coap", [](W& w) { return w.deliver(Message(20, 0xff)), true; }},
    Kind<W>{"nothing", [](W& w) { return w.deliver({}), true; }},
    // Notifications.
    Kind<W>{"event",
            [](W& w) {
                (void)w.device_->server->publish(0, {.payload = as_bytes("on")}).has_value();
                w.is_line_good_ = true;
                w.poll_device();
                return w.is_line_good_ = false, true;
            }},
    Kind<W>{"event-lost",
            [](W& w) {
                (void)w.device_->server->publish(0, {.payload = as_bytes("on")}).has_value();
                return w.poll_device(), true;
            }},
    Kind<W>{"notification-again",
            [](W& w) { return !w.notification_.empty() && (w.deliver(w.notification_), true); }},
    Kind<W>{"notification-corrupt",
            [](W& w) {
                return !w.notification_.empty() && (w.deliver(changed(w.notification_)), true);
            }},
    // Both ends and their time.
    Kind<W>{"3-seconds", [](W& w) { return w.pass(seconds(3)), true; }},
    Kind<W>{"70-seconds", [](W& w) { return w.pass(seconds(70)), true; }},
    Kind<W>{"31-days", [](W& w) { return w.pass(minutes(31 * 24 * 60)), true; }},
    Kind<W>{"boot", [](W& w) { return w.boot_client(), true; }},
    Kind<W>{"next-write-fails",
            [](W& w) { return w.client_storage_.fail_write(0), w.armed_ = 1, true; }},
    Kind<W>{"power-cut-at-next-write",
            [](W& w) {
                w.client_storage_.cut_power_at_write(0, MemoryStorage::Cut::Old);
                return w.armed_ = 2, true;
            }},
    Kind<W>{"next-random-fails", [](W& w) { return w.client_entropy_.fail_call(0), true; }},
    Kind<W>{"device-boots", [](W& w) { return w.boot_device(), true; }},
    Kind<W>{"device-is-reset", [](W& w) { return w.device_->server->factory_reset().has_value(); }},
};

void add(Fingerprint& print, const MemoryStorage& storage) {
    print.number(storage.is_cut() ? 1 : 0);
    for (const auto& [id, record] : storage.records()) {
        print.number(id.value());
        print.bytes(record);
    }
}
void add(Fingerprint& print, const Device& device) {
    print.object(*device.server);
    print.object(device.parts);
    print.object(device.sessions);
    print.object(device.half_open);
}

std::optional<std::uint64_t> AppWorld::fingerprint() const {
    Fingerprint print;
    print.object(*client_);
    add(print, *device_);
    add(print, *other_);
    print.object(device_entropy_);
    print.object(client_entropy_);
    add(print, storage_);
    add(print, other_storage_);
    add(print, client_storage_);
    print.number(client_storage_.write_count() == 0 ? armed_ : 0);
    for (const Message* message : {&sent_, &heard_, &old_, &notification_, &letter_})
        print.bytes(*message);
    print.number(last_ ? 1 + last_->index() : 0);
    print.number(static_cast<std::uint64_t>(code_));
    print.number(command_count_);
    for (const std::string& text : executed_) print.bytes(as_bytes(text));
    print.number(static_cast<std::uint64_t>(now_.ms));
    return print.value();
}

bool AppWorld::apply(std::size_t kind) { return kKinds[kind].apply(*this); }

void AppWorld::expect_alive() {
    if (client_storage_.is_cut()) boot_client();
    client_storage_.reboot();
    client_entropy_ = SeededEntropy{11};
    settle();
    const int calls = device_->lamp.calls;
    command();
    settle();
    const bool is_answered = std::holds_alternative<Answer>(*last_);
    if (device_->server->authority().has_owner()) {
        require(is_answered && code_ == coap::Code::Changed, "no command");
        require(device_->lamp.calls == calls + 1, "a command did not run once");
    } else {
        require(!is_answered, "a device without owner obeys");
    }
    pair();
    settle();
    const auto* paired = std::get_if<session::Paired>(&*last_);
    require(paired != nullptr && paired->verdict == PairingVerdict::Accepted, "no pairing");
    command();
    settle();
    require(std::holds_alternative<Answer>(*last_) && code_ == coap::Code::Changed,
            "no command after pairing");
    require(device_->lamp.last == argument_, "another command");
    const int notified = notified_;
    observe();
    settle();
    is_line_good_ = true;
    require(device_->server->publish(0, {.payload = as_bytes("on")}).has_value(), "no event");
    poll_device();
    require(notified_ > notified, "no notification");
}

}  // namespace

Part app_part() {
    return make_part<AppWorld>("app",
                               {"unpaired",
                                "waits-for-message_2",
                                "waits-for-message_4",
                                "paired",
                                "waits-for-challenge",
                                "waits-for-answer",
                                "asks-last",
                                "renews-session",
                                "observes"},
                               std::span<const Kind<AppWorld>>{kKinds});
}

}  // namespace sotto::dead_states
