// SPDX-License-Identifier: Apache-2.0
// The pins of a board. These are the micro:bit's, which is what QEMU emulates; a board of another
// kind changes them here.
#pragma once

#include <cstdint>

namespace sotto::firmware::board {

inline constexpr std::uint32_t kUartTx = 24;
inline constexpr std::uint32_t kUartRx = 25;
inline constexpr std::uint32_t kButton = 17;  // low while it is pressed
inline constexpr std::uint32_t kLamp = 13;    // LED matrix, row 1; column 1 is kGround
inline constexpr std::uint32_t kGround = 4;
inline constexpr std::uint32_t kStatus = 14;  // LED matrix, row 2

}  // namespace sotto::firmware::board
