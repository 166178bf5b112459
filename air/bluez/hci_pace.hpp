// SPDX-License-Identifier: Apache-2.0
// What a controller is told, and tells, about the pace of a link: HCI's LE Connection Update
// (Bluetooth Core 5.3, 4.E.7.8.18 and 7.7.65.3). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "air/central.hpp"
#include "core/base/bytes.hpp"

namespace sotto::air::bluez {

inline constexpr std::size_t kPaceCommandSize = 18;

// The command, as a raw socket takes it. Precondition: is_possible(pace).
std::array<std::uint8_t, kPaceCommandSize> pace_command(std::uint16_t handle, const Pace& pace);

// What the controller says that it is from now on.
struct PaceEvent {
    std::uint16_t handle = 0;
    std::uint8_t status = 0;  // 0: it is so
    Granted granted{};
};
// Nothing if the packet is another one. Any bytes.
std::optional<PaceEvent> parse_pace_event(Bytes packet);

}  // namespace sotto::air::bluez
