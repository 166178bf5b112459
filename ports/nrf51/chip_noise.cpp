// SPDX-License-Identifier: Apache-2.0
#include "ports/nrf51/chip_noise.hpp"

#include "ports/nrf51/registers.hpp"

namespace sotto::ports {
namespace {

// A sample takes 167 us; this is a second or two at 16 MHz. An emulated generator's clock may stand
// while its machine is busy with other things.
constexpr std::uint32_t kPatience = 4'000'000;

}  // namespace

void ChipNoise::wake() {
    nrf51::rng::config() = 0;
    nrf51::rng::start() = 1;
}

void ChipNoise::rest() { nrf51::rng::stop() = 1; }

Result<std::uint8_t> ChipNoise::sample() {
    for (std::uint32_t i = 0; i < kPatience; ++i) {
        if (nrf51::rng::ready() == 0) continue;
        nrf51::rng::ready() = 0;
        return static_cast<std::uint8_t>(nrf51::rng::value());
    }
    return Error::EntropyFailed;
}

}  // namespace sotto::ports
