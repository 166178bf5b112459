// SPDX-License-Identifier: Apache-2.0
// A client and a device with a line between them that a byte script spoils: messages both ways are
// dropped, repeated, changed, or are not messages at all; either end may boot. Whatever the script
// does: nothing crashes, a job ends in its time, no command runs twice, and on a good line the next
// pairing and the next command succeed.
#include "core/base/reader.hpp"
#include "core/session/client.hpp"
#include "core/session/device_test.hpp"

namespace {

using namespace sotto::session;
using sotto::Bytes;
using sotto::Instant;

constexpr sotto::Duration kPatience = sotto::seconds(20);
constexpr sotto::Duration kTick = sotto::milliseconds(250);
constexpr std::size_t kTurnsMax = 200;

struct Parties {
    SeededEntropy entropy{1};
    Party device = Party::make("lamp-1", entropy);
    Party owner = Party::make("phone-1", entropy);
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
    Bytes bytes() { return *in_.take(std::min<std::size_t>(next(), in_.size())); }

  private:
    sotto::Reader in_;
};

class Run {
  public:
    explicit Run(Bytes bytes) : script_(bytes) {
        sotto::keystore::PairingSecret secret{Bytes{secret_}.first<16>()};
        SOTTO_ASSERT(Authority::commission(device_storage_, std::move(secret)).has_value());
        boot_device();
        boot_client();
    }

    void play() {
        for (std::size_t turn = 0; turn < kTurnsMax && !script_.empty(); ++turn) step();
    }

    void expect_good_end() {
        is_spoilt_ = false;
        now_ = now_ + sotto::minutes(3);
        settle();
        SOTTO_ASSERT(!client_->is_busy());
        pair();
        settle();
        SOTTO_ASSERT(last_ && std::holds_alternative<Paired>(*last_));
        SOTTO_ASSERT(std::get<Paired>(*last_).verdict == PairingVerdict::Accepted);
        const int calls = device_->lamp.calls;
        command("the end");
        settle();
        SOTTO_ASSERT(last_ && std::holds_alternative<Answer>(*last_));
        SOTTO_ASSERT(std::get<Answer>(*last_).code == sotto::coap::Code::Changed);
        SOTTO_ASSERT(device_->lamp.calls == calls + 1 && device_->lamp.last == "the end");
    }

  private:
    void boot_device() {
        device_.emplace(device_storage_, entropy_, parties().device);
        SOTTO_ASSERT(device_->started);
    }
    void boot_client() {
        client_.emplace(Client::Setup{
            .identity = parties().owner.identity(),
            .storage = client_storage_,
            .entropy = entropy_,
            .device = sotto::FixedBytes<sotto::crypto::kHashSize>{
                Bytes{parties().device.credential.hash()}.first(sotto::framing::kDeviceIdSize)}});
        SOTTO_ASSERT(client_->start(now_).has_value());
    }

    void step() {
        switch (script_.next() % 8) {
            case 0:
                pair();
                break;
            case 1:
                command("command " + std::to_string(++command_count_));
                break;
            case 2:
                (void)client_->observe({.resource = "e", .name = "lamp"}, now_, now_ + kPatience)
                    .has_value();
                break;
            case 3:
                boot_device();
                break;
            case 4:
                boot_client();
                break;
            case 5:
                to_client(script_.bytes());
                break;
            case 6:
                (void)device_->server->publish(0, {.payload = sotto::as_bytes("on")}).has_value();
                break;
            case 7:
                break;
        }
        for (std::uint8_t ticks = script_.next() % 8; ticks > 0; --ticks) tick();
    }

    void pair() {
        sotto::keystore::PairingCode code;
        std::copy_n(parties().device.credential.hash().begin(),
                    sotto::keystore::kHashPrefixSize,
                    code.credential_hash_prefix.begin());
        code.secret = sotto::keystore::PairingSecret{Bytes{secret_}.first<16>()};
        (void)client_->pair(code, now_, now_ + kPatience).has_value();
    }
    void command(const std::string& argument) {
        const Content content{.payload = sotto::as_bytes(argument)};
        (void)client_
            ->request({.code = sotto::coap::Code::Post,
                       .resource = "f",
                       .name = "lamp",
                       .content = content},
                      now_,
                      now_ + kPatience)
            .has_value();
    }

    // All that is sent and comes at one moment, and then a moment more.
    void tick() {
        exchange();
        now_ = now_ + kTick;
        while (const auto event = client_->advance(now_)) take(*event);
        exchange();
    }
    void settle() {
        for (std::int64_t i = 0; i < 4 * kPatience.ms / kTick.ms && client_->is_busy(); ++i) tick();
    }
    void exchange() {
        std::size_t count = 0;  // a client that always has something to say would be a bug
        while (const auto message = client_->next_message(now_)) {
            SOTTO_ASSERT(++count < 64);
            to_device({message->begin(), message->end()});
        }
        device_->now = now_;
        while (const auto outgoing = device_->server->poll(now_, device_->out)) {
            to_client(outgoing->message);
        }
    }

    // What arrives of a message: nothing, it, it twice, or something like it.
    std::vector<Message> spoil(const Message& message) {
        const std::uint8_t action = is_spoilt_ ? script_.next() % 8 : 0;
        if (message.empty() || action == 1) return {};
        if (action == 2) return {message, message};
        if (action != 3 && action != 4) return {message};
        Message changed = message;
        const std::size_t place = (script_.next() * 256U + script_.next()) % message.size();
        if (action == 3) changed.resize(place);
        if (action == 4) changed[place] ^= script_.next();
        return {changed};
    }
    void to_device(const Message& message) {
        for (const Message& arrived : spoil(message)) {
            const int calls = device_->lamp.calls;
            device_->now = now_;
            const Bytes answer = device_->server->receive({}, arrived, now_, device_->out);
            SOTTO_ASSERT(device_->lamp.calls <= calls + 1);
            if (device_->lamp.calls != calls) {
                SOTTO_ASSERT(device_->lamp.last != last_run_);
                last_run_ = device_->lamp.last;
            }
            to_client(answer);
        }
    }
    void to_client(Bytes message) {
        for (const Message& arrived : spoil({message.begin(), message.end()})) {
            if (const auto event = client_->receive(arrived, now_)) take(*event);
        }
    }
    void take(const Event& event) {
        if (!std::holds_alternative<Notified>(event) && !std::holds_alternative<FellSilent>(event))
            last_ = event;
    }

    static constexpr std::array<std::uint8_t, 16> secret_{9, 8, 7};

    Script script_;
    bool is_spoilt_ = true;
    Instant now_{1'000'000};
    SeededEntropy entropy_{7};
    MemoryStorage device_storage_;
    MemoryStorage client_storage_;
    std::optional<Device> device_;
    std::optional<Client> client_;
    std::optional<Event> last_;
    std::string last_run_;
    std::size_t command_count_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 512) return 0;
    Run run{{data, size}};
    run.play();
    run.expect_good_end();
    return 0;
}
