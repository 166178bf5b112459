// SPDX-License-Identifier: Apache-2.0
// Every size of the air, the uplink and the app channel, in one table. The wire formats are in
// docs/protocol/air.md, uplink.md and channel.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sotto::framing {

inline constexpr std::size_t kDeviceIdSize = 12;
inline constexpr std::size_t kCredentialHashSize = 32;  // SHA-256 of a CCS
inline constexpr std::size_t kAddressSizeMax = 255;     // "host:port" of a cloud
inline constexpr std::size_t kNameSizeMax = 32;         // of a device, in its advertisement
inline constexpr std::size_t kDeviceTagSize = 8;        // of a device with an owner, likewise
inline constexpr std::size_t kTagNameSize = 1 + 2 * kDeviceTagSize;
inline constexpr std::size_t kTokenSizeMax = 256;  // of a gateway, in HELLO

// A frame is what segmentation carries: a type and a body. A message is the CoAP message in it.
inline constexpr std::size_t kFrameSizeMax = 1'280;
inline constexpr std::size_t kFrameSizeMaxChip = 512;
inline constexpr std::size_t kMessageHeaderSize = 3;  // type, label
inline constexpr std::size_t kMessageSizeMax = kFrameSizeMax - kMessageHeaderSize;
inline constexpr std::size_t kMessageSizeMaxChip = kFrameSizeMaxChip - kMessageHeaderSize;

// version, flags, device id, address size, address, hash of the cloud's credential
inline constexpr std::size_t kAttachBodySizeMax =
    1 + 1 + kDeviceIdSize + 1 + kAddressSizeMax + kCredentialHashSize;
static_assert(1 + kAttachBodySizeMax <= kFrameSizeMaxChip);

// A value is what one GATT write or notification carries: a segment header and a part of a frame.
inline constexpr std::size_t kValueSizeDefault = 20;  // ATT_MTU 23; nobody may offer less
inline constexpr std::size_t kValueSizeMax = 512;     // the largest attribute value of ATT
inline constexpr std::size_t kSegmentHeaderSize = 1;

// The virtual air: operation, value, CRC; then COBS, which adds a byte for each 254 begun.
inline constexpr std::size_t kAirOperationSizeMax = 1 + kValueSizeMax + 2;
inline constexpr std::size_t cobs_size_max(std::size_t size) { return size + size / 254 + 1; }
inline constexpr std::size_t kAirCodeSizeMax = cobs_size_max(kAirOperationSizeMax);
inline constexpr std::size_t kAirBytesMax = kAirCodeSizeMax + 1;  // the 0x00 at the end

// The uplink: records of type and body, each after its size.
inline constexpr std::size_t kUplinkRecordSizeMax = 2'048;
inline constexpr std::size_t kUplinkSizeSize = 2;
inline constexpr std::uint16_t kUplinkCreditMax = 256;  // of one link in one direction
inline constexpr std::size_t kUplinkBytesMax = kUplinkSizeSize + kUplinkRecordSizeMax;
static_assert(1 + 4 + 2 + kMessageSizeMax <= kUplinkRecordSizeMax);
static_assert(1 + 4 + kAttachBodySizeMax <= kUplinkRecordSizeMax);
static_assert(1 + 1 + kTokenSizeMax <= kUplinkRecordSizeMax);
inline constexpr std::size_t kTagsPerRecordMax = 254;
static_assert(1 + 1 + 4 + 4 + kTagsPerRecordMax * kDeviceTagSize <= kUplinkRecordSizeMax);

// The app channel: one record is one binary WebSocket message. type, sequence, device id, message
inline constexpr std::size_t kChannelRecordSizeMax = 1 + 8 + kDeviceIdSize + kMessageSizeMax;

}  // namespace sotto::framing
