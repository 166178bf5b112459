// SPDX-License-Identifier: Apache-2.0
// Every limit of the device's side of the legacy Particle protocol, with what happens at it. They
// are those of bluz firmware, unless the line says otherwise. What is a number of the protocol
// itself stands where it is used.
#pragma once

#include <cstddef>

#include "core/base/time.hpp"

namespace sotto::device::particle {

// Handshake.
inline constexpr Duration kHandshakeTime = seconds(40);  // for nonce and answer; then hangs up
inline constexpr Duration kHelloTime = seconds(10);      // of the server; then hangs up

// Silence.
inline constexpr Duration kIdleTime = seconds(15);  // then pings
inline constexpr Duration kPingTime = seconds(20);  // for anything at all; then hangs up

// Buffers.
inline constexpr std::size_t kFrameSizeMax = 800;     // that comes, of its message; then hangs up
inline constexpr std::size_t kInputSizeMax = 1'024;   // not read yet; then hangs up
inline constexpr std::size_t kOutputSizeMax = 2'048;  // not taken by the link: events are refused
inline constexpr std::size_t kReplyRoom = 1'024;      // of that; with less, nothing is read
inline constexpr std::size_t kMessageSizeMax = 760;   // that goes

// What is offered.
inline constexpr std::size_t kFunctionCountMax = 8;    // then refused
inline constexpr std::size_t kVariableCountMax = 16;   // then refused
inline constexpr std::size_t kMemberNameSizeMax = 12;  // of a function or variable; then refused
inline constexpr std::size_t kArgumentSizeMax = 63;    // of a call; then refused
inline constexpr std::size_t kTextSizeMax = 622;       // of a variable; the rest is cut off
inline constexpr std::size_t kEventNameSizeMax = 63;   // then refused
inline constexpr std::size_t kEventDataSizeMax = 255;  // then refused
inline constexpr std::uint32_t kEventBurst = 4;        // then refused
inline constexpr Duration kEventRefill = seconds(1);   // for one event

}  // namespace sotto::device::particle
