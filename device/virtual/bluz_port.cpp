// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/bluz_port.hpp"

#include <chrono>

#include <boost/asio/post.hpp>

#include "air/bluez/bluez_peripheral.hpp"
#include "air/bluez/names.hpp"
#include "air/virtual/virtual_peripheral.hpp"
#include "core/base/hex.hpp"
#include "ports/linux/system_clock.hpp"

namespace sotto::device {

using ports::SystemClock;

namespace {

constexpr std::chrono::milliseconds kTick{100};
constexpr std::size_t kValuesInAirMax = 16;  // given to the air and not yet sent

}  // namespace

BluzPort::BluzPort(boost::asio::io_context& loop, const Setup& setup)
    : loop_(loop),
      setup_(setup),
      link_({.crypto = setup.crypto, .members = setup.members, .id = setup.id}),
      timer_(loop) {
    setup_.device.set_on_event(
        [this](std::string_view name, std::string_view payload) { on_event(name, payload); });
    tick();
}

Outcome<> BluzPort::open(const std::string& folder) {
    air::PeripheralHandler& handler = *this;  // a private base
    auto peripheral = std::make_unique<air::VirtualPeripheral>(
        loop_,
        air::VirtualPeripheral::Options{
            .socket_path = folder + "/" + to_hex<std::string>(setup_.id) + ".sock",
            .name = air::bluez::kBluzName,
            .service = framing::Service::Bluz},
        handler);
    if (const auto opened = peripheral->open(); !opened) return opened.error().detail;
    peripheral_ = std::move(peripheral);
    return {};
}

// Bluetooth may come and go: it is heard whenever it is there.
void BluzPort::open(air::bluez::Bus& bus, const std::string& adapter) {
    air::PeripheralHandler& handler = *this;  // a private base
    peripheral_ = std::make_unique<air::bluez::BluezPeripheral>(
        loop_,
        bus,
        air::bluez::BluezPeripheral::Options{.adapter = adapter,
                                             .name = air::bluez::kBluzName,
                                             .service = framing::Service::Bluz,
                                             .on_air =
                                                 [this](const std::string& through) {
                                                     if (!through.empty())
                                                         setup_.log.line("bluz: on the air of " +
                                                                         through);
                                                 }},
        handler);
}

void BluzPort::on_connected() {
    in_air_ = 0;
    is_connected_told_ = is_custom_told_ = is_trouble_told_ = false;
    link_.on_subscribed(SystemClock::now());
}

void BluzPort::on_value(Bytes value) {
    const Instant now = SystemClock::now();
    link_.on_value(value, now);
    pump();
    setup_.device.settle(now);  // a call may have changed what others watch
}

void BluzPort::on_sent(std::size_t count) {
    in_air_ -= std::min(count, in_air_);
    pump();
}

// From within a call of a function, maybe.
void BluzPort::on_event(std::string_view name, std::string_view payload) {
    if (!setup_.members.has_event(name) || !link_.is_connected()) return;
    const Status published = link_.publish(name, payload, SystemClock::now());
    if (!published)
        setup_.log.line("bluz: event " + std::string{name} + " is lost: " +
                        (published.error() == Error::TooLarge ? "too large" : "too many at once"));
    pump_soon();
}

void BluzPort::tick() {
    link_.on_time(SystemClock::now());
    pump();
    timer_.expires_after(kTick);
    timer_.async_wait([this](boost::system::error_code error) {
        if (!error) tick();
    });
}

void BluzPort::pump_soon() {
    boost::asio::post(loop_, [this] { pump(); });
}

void BluzPort::pump() {
    if (!peripheral_) return;
    while (in_air_ < kValuesInAirMax) {
        const auto value = link_.next_value(SystemClock::now());
        if (!value || !peripheral_->notify(*value))
            break;  // without a central nothing is to be sent
        ++in_air_;
    }
    tell();
}

void BluzPort::tell() {
    if (link_.is_connected() && !std::exchange(is_connected_told_, true))
        setup_.log.line("bluz: a cloud has a session");
    if (link_.custom_count() > 0 && !std::exchange(is_custom_told_, true))
        complain("custom data comes, and is ignored");
    if (link_.trouble().empty() || std::exchange(is_trouble_told_, true)) return;
    complain("a gateway is let go: " + std::string{link_.trouble()});
    peripheral_->disconnect();
}

void BluzPort::complain(const std::string& what) {
    if (complaints_.take(SystemClock::now())) setup_.log.line("bluz: " + what);
}

}  // namespace sotto::device
