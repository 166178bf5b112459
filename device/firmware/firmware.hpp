// SPDX-License-Identifier: Apache-2.0
// The device on the chip: the sketch and the server of the sealed channel over flash and radio. All
// of it is in static memory.
#pragma once

#include <cstdint>

namespace sotto::firmware {

// Of this image, as it is built. `sotto-chip sign` puts in its place the one it signs.
inline constexpr std::uint32_t kVersion = 1;

[[noreturn]] void run();

}  // namespace sotto::firmware
