// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/air_port.hpp"

#include "air/bluez/bluez_peripheral.hpp"
#include "air/bluez/private_address.hpp"
#include "air/virtual/virtual_peripheral.hpp"
#include "core/base/hex.hpp"
#include "device/virtual/advertised_name.hpp"
#include "ports/linux/system_clock.hpp"

namespace sotto::device {

namespace {

constexpr std::uint16_t kReleaseSeconds = 10;  // that a central stays away after a press

}  // namespace

framing::DeviceId device_id_of(const cose::Credential& credential) {
    framing::DeviceId id{};
    std::copy_n(credential.hash().begin(), id.size(), id.begin());
    return id;
}

AirPort::AirPort(boost::asio::io_context& loop, Device& device, Log& log, const Options& options)
    : device_(device),
      device_id_(device_id_of(device.credential())),
      loop_(loop),
      options_(options),
      log_(log) {}

Outcome<> AirPort::open() {
    advertised_ = name_at(ports::SystemClock::now());
    if (options_.bus == nullptr) {
        SOTTO_TRY(open_virtual());
    } else {
        open_bluez();
    }
    last_used_at_ = ports::SystemClock::now();
    device_.set_air(*this);
    return {};
}

// Bluetooth may come and go: the device is heard whenever it is there.
void AirPort::open_bluez() {
    air::PeripheralHandler& handler = *this;  // a private base
    peripheral_ = std::make_unique<air::bluez::BluezPeripheral>(
        loop_,
        *options_.bus,
        air::bluez::BluezPeripheral::Options{
            .adapter = options_.adapter,
            .name = advertised_,
            .value_size_max = options_.value_size_max,
            .on_air =
                [this](const std::string& adapter) {
                    log_.line(adapter.empty() ? "Bluetooth is gone"
                                              : "it is heard through " + adapter);
                    if (air::bluez::has_private_address(adapter) == false)
                        log_.line("the address of " + adapter +
                                  " never changes, so that strangers can follow it: set Privacy = "
                                  "device in BlueZ's main.conf");
                }},
        handler);
}

Outcome<> AirPort::open_virtual() {
    air::PeripheralHandler& handler = *this;  // a private base
    auto peripheral = std::make_unique<air::VirtualPeripheral>(
        loop_,
        air::VirtualPeripheral::Options{
            .socket_path = options_.folder + "/" + to_hex<std::string>(device_id_) + ".sock",
            .device_id = device_id_,
            .name = advertised_,
            .has_owner = device_.authority().has_owner(),
            .value_size_max = options_.value_size_max},
        handler);
    if (const auto opened = peripheral->open(); !opened) return opened.error().detail;
    peripheral_ = std::move(peripheral);
    return {};
}

void AirPort::send(session::Channel channel, Bytes message) {
    std::array<std::uint8_t, framing::kFrameSizeMax> buffer{};
    const auto frame = framing::encode_frame(
        buffer, framing::Message{.label = framing::Label{channel.label}, .message = message});
    SOTTO_ASSERT(frame.has_value());
    // Without a central, or with a full queue, it is lost: whoever waits for it asks again.
    if (peripheral_) (void)peripheral_->send(*frame).has_value();
}

void AirPort::on_owner_changed() {
    if (!peripheral_) return;
    peripheral_->set_has_owner(device_.authority().has_owner());
    attach();
}

std::string AirPort::name_at(Instant now) const {
    const session::Authority& authority = device_.authority();
    const auto* owner_key = authority.has_owner() ? &authority.token_key() : nullptr;
    return advertised_name(options_.name, owner_key, device_.time(now));
}

void AirPort::on_time(Instant now) {
    if (!peripheral_) return;
    const std::string name = name_at(now);
    if (name == advertised_) return;
    advertised_ = name;
    peripheral_->set_name(name);
}

// [AIR-66] On the virtual air whoever knocks does that.
void AirPort::on_button() {
    if (options_.bus == nullptr || !peripheral_) return;
    std::array<std::uint8_t, 8> buffer{};
    const auto frame = framing::encode_frame(buffer, framing::Release{kReleaseSeconds});
    SOTTO_ASSERT(frame.has_value());
    (void)peripheral_->send(*frame).has_value();  // nobody holds it, or it is not idle
}

void AirPort::on_connected() { attach(); }

void AirPort::on_sent(std::size_t /*frame_count*/) {
    if (is_attach_due_) attach();
}

void AirPort::on_dropped() { log_.line("a central sends what is no frame; that is dropped"); }

void AirPort::on_frame(Bytes bytes) {
    const auto frame = framing::parse_frame(bytes);  // [AIR-13] what is none is dropped
    if (!frame) return;
    const auto* message = std::get_if<framing::Message>(&*frame);
    if (message == nullptr) return;
    const Instant now = ports::SystemClock::now();
    last_used_at_ = now;
    const session::Channel channel{.path = session::Channel::kAir, .label = message->label.value()};
    const Bytes answer = device_.receive(channel, message->message, now);
    if (!answer.empty()) send(channel, answer);
    device_.settle(now);
}

// [AIR-12]
void AirPort::attach() {
    framing::Attach attach{.has_owner = device_.authority().has_owner(), .device_id = device_id_};
    if (const auto& cloud = device_.authority().cloud(); cloud) {
        attach.address = as_text(cloud->address);
        attach.cloud_credential = cloud->credential_hash;
    }
    std::array<std::uint8_t, framing::kFrameSizeMax> buffer{};
    const auto frame = framing::encode_frame(buffer, attach);
    SOTTO_ASSERT(frame.has_value());  // the server takes no other address
    if (peripheral_)
        (void)peripheral_->send(*frame).has_value();  // nobody is connected: the next one is told
}

}  // namespace sotto::device
