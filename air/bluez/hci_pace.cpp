// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/hci_pace.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace sotto::air::bluez {

namespace {

constexpr std::uint8_t kCommandPacket = 0x01;
constexpr std::uint8_t kEventPacket = 0x04;
constexpr std::uint16_t kLeConnectionUpdate = 0x2013;
constexpr std::uint8_t kLeMeta = 0x3e;
constexpr std::uint8_t kUpdateComplete = 0x03;
constexpr std::size_t kEventSize = 13;
constexpr std::uint32_t kIntervalUnitUs = 1'250;
constexpr std::uint32_t kTimeoutUnitMs = 10;
// A link is lost after so long without a sign, or after six turns that were missed.
constexpr std::uint32_t kTimeoutMsMin = 4'000;
constexpr std::uint32_t kTurnsMissedMax = 6;

std::uint16_t units(std::uint32_t ms) {
    return static_cast<std::uint16_t>(ms * 1'000 / kIntervalUnitUs);
}

std::uint16_t timeout(const Pace& pace) {
    const std::uint32_t turn = pace.interval_max_ms * (1U + pace.latency);
    const std::uint32_t ms =
        std::min(std::max(kTimeoutMsMin, kTurnsMissedMax * turn), kLinkTimeoutMsMax);
    return static_cast<std::uint16_t>(ms / kTimeoutUnitMs);
}

}  // namespace

std::array<std::uint8_t, kPaceCommandSize> pace_command(std::uint16_t handle, const Pace& pace) {
    SOTTO_ASSERT(is_possible(pace));
    std::array<std::uint8_t, kPaceCommandSize> packet{kCommandPacket};
    std::size_t at = 1;
    const auto put = [&](std::uint16_t value) {
        packet[at++] = static_cast<std::uint8_t>(value);
        packet[at++] = static_cast<std::uint8_t>(value >> 8);
    };
    put(kLeConnectionUpdate);
    packet[at++] = kPaceCommandSize - 4;
    put(handle);
    put(units(pace.interval_min_ms));
    put(units(pace.interval_max_ms));
    put(pace.latency);
    put(timeout(pace));
    return packet;  // the lengths of its turns are left to the controller
}

std::optional<PaceEvent> parse_pace_event(Bytes packet) {
    if (packet.size() != kEventSize || packet[0] != kEventPacket || packet[1] != kLeMeta ||
        packet[2] != kEventSize - 3 || packet[3] != kUpdateComplete)
        return std::nullopt;
    const auto word = [&](std::size_t at) {
        return static_cast<std::uint16_t>(packet[at] | packet[at + 1] << 8);
    };
    return PaceEvent{.handle = word(5),
                     .status = packet[4],
                     .granted = {.interval_us = word(7) * kIntervalUnitUs, .latency = word(9)}};
}

}  // namespace sotto::air::bluez
