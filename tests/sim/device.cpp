// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/device.hpp"

#include "core/keystore/private_key.hpp"

namespace sotto::sim {

using session::Content;
using session::Format;

Party Party::make(std::string_view subject, hal::Entropy& entropy) {
    edhoc::EphemeralKey pair = edhoc::EphemeralKey::from(*keystore::draw_private_key(entropy));
    cose::Credential credential = *cose::Credential::create(subject, pair.public_key);
    return {.key = std::move(pair.private_key), .credential = credential};
}

bool Tasks::find(session::ResourceKind kind, std::string_view name, session::Traits& traits) const {
    if (kind == session::ResourceKind::Event) {
        return name == "ran";
    }
    const bool is_function = kind == session::ResourceKind::Function;
    if (name == (is_function ? "run" : "last")) return true;
    if (name != (is_function ? "read" : "letter")) return false;
    auto& room = const_cast<std::vector<std::uint8_t>&>(room_);
    traits = {.index = 1, .room = is_function ? MutBytes{room} : MutBytes{}};
    return true;
}

Status Tasks::call(std::uint8_t function, const Content& argument, Format, session::Excerpt& out) {
    last_ = as_text(argument.payload);
    if (function == 1) {
        last_ = command_of(as_text(argument.payload));
        letter_ = letter_of(last_);
        if (last_.empty()) ledger_.complain("a letter did not arrive as it was sent");
    }
    ledger_.on_run(last_);
    has_news = true;
    out.text(function == 1 ? letter_ : last_);
    return {};
}

Status Tasks::read(std::uint8_t variable, Format, session::Excerpt& out) {
    out.text(variable == 1 ? letter_ : last_);
    return {};
}

Status Tasks::describe(session::Excerpt& out) const {
    out.text("</f/run>,</f/read>,</v/last>,</v/letter>,</e/ran>");
    return {};
}

Device::Device(World& world, Ledger& ledger, std::uint64_t seed)
    : world_(world),
      ledger_(ledger),
      entropy_(seed),
      party_(Party::make("device-" + std::to_string(seed), entropy_)) {
    static_cast<void>(entropy_.fill(secret_));
    const Status commissioned = session::Authority::commission(
        storage_, keystore::PairingSecret{Bytes{secret_}.first<16>()});
    SOTTO_ASSERT(commissioned.has_value());
    boot();
}

Device::Ram::Ram(Device& device)
    : tasks(device.ledger_),
      server({.identity = device.party_.identity(),
              .storage = device.storage_,
              .entropy = device.entropy_,
              .resources = tasks,
              .parts = parts.view(),
              .sessions = sessions,
              .half_open = half_open,
              .answers = answers,
              .events = events,
              .scratch = scratch,
              .result = result}) {}

void Device::boot() {
    ram_ = std::make_unique<Ram>(*this);
    if (const Status started = ram_->server.start(world_.now); !started) {
        ledger_.complain("a device does not start: " + std::string{to_string(started.error())});
    }
    revision_ = ram_->server.revision();
    nearby_ = nullptr;
}

void Device::crash() {
    storage_.reboot();
    boot();
}

void Device::cut_power_soon(std::size_t writes, testing::MemoryStorage::Cut cut) {
    storage_.cut_power_at_write(writes, cut);
}

keystore::PairingCode Device::code() const {
    keystore::PairingCode code;
    std::copy_n(party_.credential.hash().begin(),
                keystore::kHashPrefixSize,
                code.credential_hash_prefix.begin());
    code.secret = keystore::PairingSecret{Bytes{secret_}.first<16>()};
    return code;
}

framing::DeviceId Device::id() const {
    framing::DeviceId id{};
    std::copy_n(party_.credential.hash().begin(), id.size(), id.begin());
    return id;
}

void Device::connect(Send to_gateway) {
    to_gateway_ = std::move(to_gateway);
    attach();
}

void Device::send(const framing::Frame& frame) {
    if (!to_gateway_) return;
    std::array<std::uint8_t, framing::kFrameSizeMax> buffer{};
    const auto bytes = framing::encode_frame(buffer, frame);
    SOTTO_ASSERT(bytes.has_value());
    to_gateway_({bytes->begin(), bytes->end()});
}

void Device::attach() {
    framing::Attach frame{.has_owner = ram_->server.authority().has_owner(), .device_id = id()};
    if (const auto& cloud = ram_->server.authority().cloud()) {
        frame.address = as_text(cloud->address);
        frame.cloud_credential = cloud->credential_hash;
    }
    send(frame);
}

void Device::on_frame(const Message& bytes) {
    if (is_dead()) return;
    const auto frame = framing::parse_frame(bytes);
    if (!frame) return;
    const auto* message = std::get_if<framing::Message>(&*frame);
    if (message == nullptr) return;
    const framing::Label label = message->label;
    const Bytes answer =
        ram_->server.receive({.label = label.value()}, message->message, world_.now, ram_->out);
    if (!answer.empty() && !is_dead()) send(framing::Message{.label = label, .message = answer});
    poll();
}

void Device::on_nearby(const Message& message, const Send& answer) {
    if (is_dead()) return;
    nearby_ = answer;
    const Bytes reply = ram_->server.receive({}, message, world_.now, ram_->out);
    if (!reply.empty() && !is_dead()) answer({reply.begin(), reply.end()});
    poll();
}

void Device::poll() {
    if (is_dead()) return;
    if (std::exchange(ram_->tasks.has_news, false)) {
        // Without room for it the event is lost, as the SDK says.
        (void)ram_->server.publish(0, {.payload = as_bytes("ran")}).has_value();
    }
    while (const auto due = ram_->server.poll(world_.now, ram_->out)) {
        if (is_dead()) return;
        if (due->channel.is_direct_air()) {
            if (nearby_) nearby_({due->message.begin(), due->message.end()});
        } else {
            send(framing::Message{.label = framing::Label{due->channel.label},
                                  .message = due->message});
        }
    }
    if (std::exchange(revision_, ram_->server.revision()) != ram_->server.revision()) attach();
}

}  // namespace sotto::sim
