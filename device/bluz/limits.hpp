// SPDX-License-Identifier: Apache-2.0
// Every size, count and time of a device's end of the bluz service (docs/protocol/bluz.md).
#pragma once

#include "air/bluz/limits.hpp"
#include "air/bluz/service.hpp"
#include "core/base/time.hpp"

namespace sotto::device::bluz {

// Of the stream in one frame: with its header no more than the oldest gateways have room for.
inline constexpr std::size_t kPieceSizeMax = 510;
static_assert(air::bluz::kStreamHeaderSize + kPieceSizeMax <= air::bluz::kFrameSizeMax);
inline constexpr std::uint32_t kNonsenseMax = 16;  // frames of no service, then it is let go
// So long after a central has subscribed the device wants its stream.
inline constexpr Duration kConnectDelay = seconds(2);

}  // namespace sotto::device::bluz
