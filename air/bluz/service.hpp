// SPDX-License-Identifier: Apache-2.0
// What the first bytes of a frame of the bluz service say (docs/protocol/bluz.md, "Frames").
#pragma once

#include <cstddef>
#include <cstdint>

namespace sotto::air::bluz {

// The first byte: a service.
inline constexpr std::uint8_t kSocket = 1;
inline constexpr std::uint8_t kInfo = 2;
inline constexpr std::uint8_t kCustom = 4;
// The upper half of the second byte, of kSocket: a command. The lower one is the socket.
inline constexpr std::uint8_t kData = 0;
inline constexpr std::uint8_t kConnect = 1;
inline constexpr std::uint8_t kDisconnect = 2;

inline constexpr std::size_t kStreamHeaderSize = 2;   // service; command and socket
inline constexpr std::size_t kServiceHeaderSize = 1;  // of the other services

// [BLZ-6]: socket 0, always; firmware uses the byte as an index and does not look.
inline constexpr std::uint8_t kDataHeader[] = {kSocket, 0x00};
inline constexpr std::uint8_t kIdRequest[] = {kInfo, 0x00};
inline constexpr std::uint8_t kCustomHeader[] = {kCustom};

}  // namespace sotto::air::bluz
