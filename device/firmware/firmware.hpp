// SPDX-License-Identifier: Apache-2.0
// The device on the chip: the sketch and the server of the sealed channel over flash and radio. All
// of it is in static memory.
#pragma once

namespace sotto::firmware {

[[noreturn]] void run();

}  // namespace sotto::firmware
