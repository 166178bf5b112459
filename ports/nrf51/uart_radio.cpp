// SPDX-License-Identifier: Apache-2.0
#include "ports/nrf51/uart_radio.hpp"

#include "ports/nrf51/registers.hpp"

namespace sotto::ports {
namespace {

void send_byte(std::uint8_t byte) {
    nrf51::uart::tx_ready() = 0;
    nrf51::uart::to_send() = byte;
    while (nrf51::uart::tx_ready() == 0) {
    }
}

}  // namespace

UartRadio::UartRadio(const Pins& pins) {
    nrf51::gpio::pin_config(pins.tx) = nrf51::gpio::kOutput;
    nrf51::uart::pin_tx() = pins.tx;
    nrf51::uart::pin_rx() = pins.rx;
    nrf51::uart::baud_rate() = nrf51::uart::kBaud115200;
    nrf51::uart::enable() = nrf51::uart::kEnabled;
    nrf51::uart::start_tx() = 1;
    nrf51::uart::start_rx() = 1;
    nrf51::uart::interrupts_on() = nrf51::uart::kRxReadyInterrupt;
    nrf51::interrupts_enable() = 1U << nrf51::uart::kInterrupt;
}

void UartRadio::advertise(const framing::Advertisement& advertisement) {
    advertisement_ = advertisement;
    send(advertisement_);
}

void UartRadio::notify(Bytes value) { send(framing::Notify{value}); }

bool UartRadio::has_input() const { return nrf51::uart::rx_ready() != 0; }

void UartRadio::poll(RadioHandler& handler) {
    while (has_input()) {
        nrf51::uart::rx_ready() = 0;
        const auto byte = static_cast<std::uint8_t>(nrf51::uart::received());
        Bytes input{&byte, 1};
        const auto operation = decoder_.next(input);
        if (!operation) continue;
        if (const auto* write = std::get_if<framing::Write>(&*operation)) {
            handler.on_value(write->value);
        } else if (const auto* subscribe = std::get_if<framing::Subscribe>(&*operation)) {
            value_size_ = framing::agreed_value_size(advertisement_.value_size_max,
                                                     subscribe->value_size_max);
            send(advertisement_);
            handler.on_connected();
        }
    }
}

void UartRadio::send(const framing::AirOperation& operation) {
    std::array<std::uint8_t, framing::kAirBytesMax> bytes;
    const auto encoded = framing::encode_air_operation(bytes, operation);
    if (!encoded) return;
    for (const std::uint8_t byte : *encoded) send_byte(byte);
}

}  // namespace sotto::ports
