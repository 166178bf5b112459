// SPDX-License-Identifier: Apache-2.0
#include "ports/nrf51/chip_clock.hpp"

#include "ports/nrf51/registers.hpp"

namespace sotto::ports {
namespace {

constexpr std::uint32_t kPrescaler = 9;  // 16 MHz / 2^9 = 31,250 Hz
constexpr std::uint32_t kTicks = 125;    // in
constexpr std::uint32_t kMilliseconds = 4;

}  // namespace

ChipClock::ChipClock() {
    nrf51::timer0::bit_mode() = nrf51::timer0::kBits32;
    nrf51::timer0::prescaler() = kPrescaler;
    nrf51::timer0::interrupts_on() = nrf51::timer0::kCompare1Interrupt;
    nrf51::interrupts_enable() = 1U << nrf51::timer0::kInterrupt;
    nrf51::timer0::start() = 1;
}

Instant ChipClock::now() {
    nrf51::timer0::capture0() = 1;
    const std::uint32_t count = nrf51::timer0::cc0();
    const std::uint32_t ticks = rest_ + (count - last_);
    last_ = count;
    rest_ = ticks % kTicks;
    whole_ = whole_ + Duration{ticks / kTicks * kMilliseconds};
    return whole_ + Duration{rest_ * kMilliseconds / kTicks};
}

void ChipClock::wake_in(Duration duration) {
    const auto ticks = static_cast<std::uint32_t>(duration.ms) * kTicks / kMilliseconds;
    nrf51::timer0::capture0() = 1;
    nrf51::timer0::cc1() = nrf51::timer0::cc0() + ticks;
}

}  // namespace sotto::ports
