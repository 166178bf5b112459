// SPDX-License-Identifier: Apache-2.0
// The sizes of the bluz service that both of its ends keep to (docs/protocol/bluz.md).
#pragma once

#include <cstddef>

namespace sotto::air::bluz {

inline constexpr std::size_t kValueSizeMax = 20;     // of both characteristics
inline constexpr std::size_t kFrameSizeMax = 1'024;  // that is taken; who sends keeps to less

}  // namespace sotto::air::bluz
