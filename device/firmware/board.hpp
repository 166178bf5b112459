// SPDX-License-Identifier: Apache-2.0
// The pins of a board. These are the micro:bit's, which is what QEMU emulates; a board of another
// kind changes them here.
#pragma once

#include <cstdint>
#include <string_view>

namespace sotto::firmware::board {

// An update is for one kind of hardware, which it names.
inline constexpr std::string_view kHardware = "sotto-microbit";

inline constexpr std::uint32_t kUartTx = 24;
inline constexpr std::uint32_t kUartRx = 25;
inline constexpr std::uint32_t kButton = 17;  // low while it is pressed
inline constexpr std::uint32_t kLamp = 13;    // LED matrix, row 1; column 1 is kGround
inline constexpr std::uint32_t kGround = 4;
inline constexpr std::uint32_t kStatus = 14;  // LED matrix, row 2

}  // namespace sotto::firmware::board
