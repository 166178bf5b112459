// SPDX-License-Identifier: Apache-2.0
// The limits of an update's manifest, in one table (docs/formats/update.md).
#pragma once

#include <cstddef>

namespace sotto::update {

inline constexpr std::size_t kManifestSizeMax = 256;  // signed: it fits one message of a chip
inline constexpr std::size_t kHardwareSizeMax = 32;   // of the hardware's name

}  // namespace sotto::update
