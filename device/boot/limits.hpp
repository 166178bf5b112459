// SPDX-License-Identifier: Apache-2.0
// The limits of the boot program, in one table (docs/formats/update.md).
#pragma once

#include <cstdint>

namespace sotto::boot {

// An image on trial is started so often without its owner's confirmation, then no more.
inline constexpr std::uint8_t kTrialBoots = 3;
// And is reset if it is silent for so long: it hangs.
inline constexpr std::uint32_t kTrialSilenceSeconds = 60;

}  // namespace sotto::boot
