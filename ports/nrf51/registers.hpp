// SPDX-License-Identifier: Apache-2.0
// The registers of the nRF51 that are used here, by the names of Nordic's nRF51 Series Reference
// Manual, version 3.0.
#pragma once

#include <cstdint>

namespace sotto::ports::nrf51 {

using Register = volatile std::uint32_t;

inline Register& at(std::uint32_t address) {
    return *reinterpret_cast<Register*>(address);  // memory-mapped: no other way
}

namespace uart {
inline constexpr std::uint32_t kBase = 0x4000'2000;
inline Register& start_rx() { return at(kBase + 0x000); }
inline Register& start_tx() { return at(kBase + 0x008); }
inline Register& rx_ready() { return at(kBase + 0x108); }
inline Register& tx_ready() { return at(kBase + 0x11c); }
inline Register& interrupts_on() { return at(kBase + 0x304); }
inline Register& enable() { return at(kBase + 0x500); }
inline Register& pin_tx() { return at(kBase + 0x50c); }
inline Register& pin_rx() { return at(kBase + 0x514); }
inline Register& received() { return at(kBase + 0x518); }
inline Register& to_send() { return at(kBase + 0x51c); }
inline Register& baud_rate() { return at(kBase + 0x524); }
inline constexpr std::uint32_t kEnabled = 4;
inline constexpr std::uint32_t kBaud115200 = 0x01d7'e000;
inline constexpr std::uint32_t kRxReadyInterrupt = 1U << 2U;
inline constexpr std::uint32_t kInterrupt = 2;
}  // namespace uart

namespace timer0 {
inline constexpr std::uint32_t kBase = 0x4000'8000;
inline Register& start() { return at(kBase + 0x000); }
inline Register& capture0() { return at(kBase + 0x040); }
inline Register& compare1() { return at(kBase + 0x144); }
inline Register& interrupts_on() { return at(kBase + 0x304); }
inline Register& bit_mode() { return at(kBase + 0x508); }
inline Register& prescaler() { return at(kBase + 0x510); }
inline Register& cc0() { return at(kBase + 0x540); }
inline Register& cc1() { return at(kBase + 0x544); }
inline constexpr std::uint32_t kBits32 = 3;
inline constexpr std::uint32_t kCompare1Interrupt = 1U << 17U;
inline constexpr std::uint32_t kInterrupt = 8;
}  // namespace timer0

namespace rng {
inline constexpr std::uint32_t kBase = 0x4000'd000;
inline Register& start() { return at(kBase + 0x000); }
inline Register& stop() { return at(kBase + 0x004); }
inline Register& ready() { return at(kBase + 0x100); }
inline Register& config() { return at(kBase + 0x504); }
inline Register& value() { return at(kBase + 0x508); }
}  // namespace rng

// Once set it runs until the next reset of any kind but the processor's own, and resets the chip
// unless it is fed.
namespace watchdog {
inline constexpr std::uint32_t kBase = 0x4001'0000;
inline constexpr std::uint32_t kFrequency = 32'768;
inline constexpr std::uint32_t kRunsInSleep = 1;
inline constexpr std::uint32_t kFood = 0x6e52'4635;
inline void feed() { at(kBase + 0x600) = kFood; }
inline void set(std::uint32_t seconds) {
    at(kBase + 0x50c) = kRunsInSleep;
    at(kBase + 0x504) = seconds * kFrequency;
    at(kBase + 0x000) = 1;
}
}  // namespace watchdog

namespace nvmc {
inline constexpr std::uint32_t kBase = 0x4001'e000;
inline Register& ready() { return at(kBase + 0x400); }
inline Register& config() { return at(kBase + 0x504); }
inline Register& erase_page() { return at(kBase + 0x508); }
inline constexpr std::uint32_t kRead = 0;
inline constexpr std::uint32_t kWrite = 1;
inline constexpr std::uint32_t kErase = 2;
}  // namespace nvmc

namespace gpio {
inline constexpr std::uint32_t kBase = 0x5000'0000;
inline Register& out_set() { return at(kBase + 0x508); }
inline Register& out_clear() { return at(kBase + 0x50c); }
inline Register& in() { return at(kBase + 0x510); }
inline Register& pin_config(std::uint32_t pin) { return at(kBase + 0x700 + 4 * pin); }
inline constexpr std::uint32_t kOutput = 1;
inline constexpr std::uint32_t kInputPullUp = 3U << 2U;
}  // namespace gpio

// AIRCR: a reset of processor and peripherals.
[[noreturn]] inline void reset() {
    at(0xe000'ed0c) = 0x05fa'0004;
    for (;;) {
    }
}

inline Register& interrupts_enable() { return at(0xe000'e100); }
inline Register& interrupts_clear_pending() { return at(0xe000'e280); }

}  // namespace sotto::ports::nrf51
