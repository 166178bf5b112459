// SPDX-License-Identifier: Apache-2.0
// A device that a byte script sends anything to: raw bytes, handshakes and sealed requests of its
// owner and of a stranger, whole, changed, repeated and out of turn, on any channel, with storage
// and entropy that fail and boots in between. Whatever the script does: nothing crashes, a command
// that was sent runs at most once and nothing else ever runs, the stranger owns nothing, and in the
// end the owner can pair and his command is run.
#include <set>

#include "core/base/reader.hpp"
#include "core/session/app_test.hpp"

namespace {

using namespace sotto::session;
using sotto::Bytes;
using sotto::keystore::PairingSecret;

constexpr std::size_t kTurnsMax = 24;
constexpr std::size_t kHistoryMax = 8;
constexpr std::array<Channel, 4> kChannels{{{.path = Channel::kAir, .label = 0},
                                            {.path = Channel::kAir, .label = 1},
                                            {.path = Channel::kAir, .label = 7},
                                            {.path = Channel::kFirstUdp, .label = 0}}};

struct Parties {
    SeededEntropy entropy{1};
    Party device = Party::make("lamp-1", entropy);
    Party owner = Party::make("phone-1", entropy);
    Party stranger = Party::make("phone-2", entropy);
};

const Parties& parties() {
    static const Parties made;
    return made;
}

class Script {
  public:
    explicit Script(Bytes bytes) : in_(bytes) {}
    std::uint8_t next() { return in_.u8().value_or(std::uint8_t{0}); }
    bool empty() const { return in_.empty(); }
    Message bytes() {
        const Bytes taken = *in_.take(std::min<std::size_t>(next(), in_.size()));
        return {taken.begin(), taken.end()};
    }
    // What arrives of a message: 0 leaves it alone.
    Message spoil(Message message) {
        const std::uint8_t action = next();
        if (message.empty() || action == 0) return message;
        const std::size_t at = next() * 256U % message.size() + next() % message.size();
        const std::size_t place = at % message.size();
        if (action % 4 == 1) message.resize(place);
        if (action % 4 == 2) message[place] ^= next();
        if (action % 4 == 3) message.insert(message.begin() + std::ptrdiff_t(place), next());
        return message;
    }

  private:
    sotto::Reader in_;
};

class Run {
  public:
    explicit Run(Bytes bytes) : script_(bytes) {
        const PairingSecret secret{Bytes{first_secret_}.first<16>()};
        SOTTO_ASSERT(Authority::commission(storage_, secret.clone()).has_value());
        boot();
    }

    void play() {
        for (std::size_t turn = 0; turn < kTurnsMax && !script_.empty(); ++turn) step();
    }

    // The owner comes with a new app, after everything that was begun has expired.
    void expect_good_end() {
        storage_.reboot();
        entropy_ = SeededEntropy{++seed_};
        if (!device_->started) boot();
        SOTTO_ASSERT(device_->started);
        device_->now = device_->now + sotto::minutes(3);
        App app{parties().owner, app_entropy_};
        const PairingSecret secret = device_->server->authority().pairing_secret().clone();
        const auto answer = app.pair(*device_, parties().device, secret.expose());
        SOTTO_ASSERT(answer && answer->verdict == PairingVerdict::Accepted);
        const int calls = device_->lamp.calls;
        const App::Reply reply = app.command(*device_, "the end");
        SOTTO_ASSERT(reply.code == sotto::coap::Code::Changed && reply.payload == "the end");
        SOTTO_ASSERT(device_->lamp.calls == calls + 1);
    }

  private:
    struct Peer {
        App app;
        bool knows_secret;
        Message answer;  // the device's last to it
    };

    void boot() {
        if (device_) entropy_ = SeededEntropy{++seed_};
        device_.emplace(storage_, entropy_, parties().device);
    }

    void step() {
        Peer& peer = peers_[script_.next() % peers_.size()];
        switch (script_.next() % 14) {
            case 0:
                deliver(script_.bytes());
                break;
            case 1:
                peer.answer = deliver(script_.spoil(peer.app.message_1()));
                break;
            case 2:
                send_message_3(peer);
                break;
            case 3:
                if (peer.app.initiator) (void)peer.app.on_message_4(script_.spoil(peer.answer));
                break;
            case 4:
            case 5:
                send_command(peer);
                break;
            case 6:
                send_request(peer);
                break;
            case 7:
                if (!sent_.empty()) {
                    deliver(script_.spoil(sent_[script_.next() % sent_.size()]));
                }
                break;
            case 8:
                device_->now = device_->now + sotto::milliseconds(1LL << script_.next() % 32);
                break;
            case 9:
                publish();
                break;
            case 10:
                boot();
                break;
            case 11:
                storage_.fail_write(script_.next() % 4);
                break;
            case 12:
                entropy_.fail_call(script_.next() % 4);
                break;
            case 13:
                device_->server->on_button(device_->now);
                if (script_.next() == 0xff) (void)device_->server->factory_reset().has_value();
                break;
        }
    }

    Message deliver(const Message& message) {
        if (!device_->started) return {};
        if (sent_.size() == kHistoryMax) sent_.erase(sent_.begin());
        sent_.push_back(message);
        const int calls = device_->lamp.calls;
        const Message answer =
            device_->receive(message, kChannels[script_.next() % kChannels.size()]);
        if (device_->lamp.calls != calls) {
            SOTTO_ASSERT(device_->lamp.calls == calls + 1);
            SOTTO_ASSERT(commands_.erase(device_->lamp.last) == 1);  // sent, and never run before
        }
        SOTTO_ASSERT(!is_stranger_owner());
        return answer;
    }

    bool is_stranger_owner() const {
        const Authority& authority = device_->server->authority();
        Role role{};
        return authority.find_role(parties().stranger.credential, role) && role == Role::Owner;
    }

    void send_message_3(Peer& peer) {
        if (!peer.app.initiator) return;
        const PairingSecret& secret = device_->server->authority().pairing_secret();
        const bool has_proof = script_.next() % 4 != 0;
        const Bytes known = peer.knows_secret ? Bytes{secret.expose()} : Bytes{wrong_secret_};
        const Message message =
            peer.app.message_3(peer.answer, parties().device, has_proof ? known : Bytes{});
        if (!message.empty()) peer.answer = deliver(script_.spoil(message));
    }

    void send_command(Peer& peer) {
        if (!peer.app.context) return;
        const std::string argument = "command " + std::to_string(++command_count_);
        const App::Spec spec{.code = sotto::coap::Code::Post,
                             .path = {"f", "lamp"},
                             .payload = argument,
                             .echo = echo_};
        commands_.insert(argument);
        take_echo(peer, deliver(script_.spoil(peer.app.protect(spec))));
    }

    void send_request(Peer& peer) {
        if (!peer.app.context) return;
        static constexpr std::array<std::array<std::string_view, 2>, 7> kPaths{
            {{"v", "lamp"},
             {"e", "lamp"},
             {"n", ""},
             {"a", ""},
             {"last", ""},
             {".well-known", "core"},
             {"f", "other"}}};
        const auto& path = kPaths[script_.next() % kPaths.size()];
        const Message payload = script_.bytes();
        App::Spec spec{.code = static_cast<sotto::coap::Code>(1 + script_.next() % 7),
                       .path = {path[0]},
                       .payload = sotto::as_text(payload),
                       .echo = echo_};
        if (!path[1].empty()) spec.path.push_back(path[1]);
        if (script_.next() % 2 == 0) spec.observe = script_.next() % 2;
        take_echo(peer, deliver(script_.spoil(peer.app.protect(spec))));
    }

    void take_echo(Peer& peer, const Message& answer) {
        const App::Reply reply = peer.app.unprotect(answer);
        if (!reply.echo.empty()) echo_ = reply.echo;
    }

    void publish() {
        if (!device_->started) return;
        const Message content = script_.bytes();
        (void)device_->server->publish(0, {.payload = content}).has_value();
        while (device_->server->poll(device_->now, device_->out)) {
        }
    }

    static constexpr std::array<std::uint8_t, 16> first_secret_{9, 8, 7};
    static constexpr std::array<std::uint8_t, 16> wrong_secret_{1};

    Script script_;
    std::uint64_t seed_ = 7;
    SeededEntropy entropy_{seed_};
    SeededEntropy app_entropy_{3};
    MemoryStorage storage_;
    std::optional<Device> device_;
    std::array<Peer, 2> peers_{
        {{.app = App{parties().owner, app_entropy_}, .knows_secret = true, .answer = {}},
         {.app = App{parties().stranger, app_entropy_}, .knows_secret = false, .answer = {}}}};
    std::vector<Message> sent_;
    std::set<std::string> commands_;
    std::size_t command_count_ = 0;
    Message echo_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 1'024) return 0;
    Run run{{data, size}};
    run.play();
    run.expect_good_end();
    return 0;
}
