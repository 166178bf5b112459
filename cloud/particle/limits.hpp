// SPDX-License-Identifier: Apache-2.0
// Every limit of the cloud's side of the legacy Particle protocol, in one table, with what happens
// at it. What is a number of the protocol itself stands where it is used.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/time.hpp"

namespace sotto::cloud::particle {

// Handshakes.
inline constexpr Duration kKeyMessageTime = seconds(10);  // for its 256 bytes; then closed
inline constexpr Duration kHelloTime = seconds(30);       // for the first message; then closed
inline constexpr Duration kRefusalTime = seconds(1);      // after the 256 bytes, whatever was wrong

// Frames.
inline constexpr std::size_t kFrameSizeMax = 2'048;  // of a device: ciphertext; then closed
inline constexpr std::size_t kWireWindow =
    760;  // bytes that a device has not answered yet; then waits

// Messages of a device.
inline constexpr std::size_t kOptionCountMax = 40;    // then no message
inline constexpr std::uint16_t kIdGapMax = 256;       // ids that a device leaves out; then closed
inline constexpr std::size_t kEventNameSizeMax = 64;  // then dropped
inline constexpr std::size_t kEventDataSizeMax = 1'024;        // then dropped
inline constexpr std::uint32_t kEventBurst = 64;               // then dropped
inline constexpr Duration kEventRefill = milliseconds(50);     // for one event
inline constexpr std::size_t kEventsWaitingMax = 128;          // that nobody takes; then dropped
inline constexpr std::size_t kSubscriptionCountMax = 16;       // then the oldest makes room
inline constexpr std::size_t kSubscriptionPrefixSizeMax = 64;  // then not noted
inline constexpr std::size_t kSubscriptionDeviceSizeMax = 24;  // then not noted

// Descriptions.
inline constexpr std::size_t kDescriptionSizeMax = 8'192;  // of all its blocks; then not taken
inline constexpr std::size_t kFunctionCountMax = 64;       // the others are left out
inline constexpr std::size_t kVariableCountMax = 64;       // the others are left out
inline constexpr std::size_t kMemberNameSizeMax = 64;      // of one of them; left out
inline constexpr std::size_t kModuleCountMax = 16;         // the others are left out
inline constexpr std::size_t kModuleNeedsMax = 4;          // of one of them; likewise

// Requests to a device.
inline constexpr std::size_t kRequestCountMax = 32;    // that wait or are under way; then Busy
inline constexpr Duration kRequestTime = seconds(30);  // for an answer; then Timeout
inline constexpr std::size_t kQueueSizeMax = 8'192;  // bytes that wait for the window; then NoSpace
inline constexpr std::size_t kOutputSizeMax = 8'192;  // that the socket does not take; then closed

// Updates.
inline constexpr std::size_t kImageSizeMax = 2'097'152;  // of a firmware; then TooLarge
inline constexpr std::size_t kChunkSizeDefault = 256;    // for a device that says nothing of it
inline constexpr std::size_t kChunkSizeMin = 64;         // if a device says less
inline constexpr std::size_t kChunkSizeMax = 594;        // if a device says more
inline constexpr std::size_t kFastChunksMax = 8;         // on their way; then waits
inline constexpr std::size_t kChunkTriesMax = 5;         // of a chunk that is refused; then ends
inline constexpr std::size_t kMissedListsMax = 128;      // of chunks to send anew; then ends
inline constexpr Duration kReadyTime = seconds(90);    // to make room, its memory erased; then ends
inline constexpr Duration kChunkTime = seconds(30);    // to take a chunk; then ends
inline constexpr Duration kVerifyTime = seconds(60);   // to look at the whole; then ends
inline constexpr Duration kRestartTime = seconds(30);  // until it is taken for one that stays

// What the oldest devices take; sizes of the names are those of the description.
inline constexpr std::size_t kSmallArgumentSizeMax = 63;    // then TooLarge
inline constexpr std::size_t kSmallEventDataSizeMax = 255;  // then TooLarge
inline constexpr std::size_t kArgumentSizeMax = 622;        // of the others; then TooLarge

// Silence.
inline constexpr Duration kSilenceMax = seconds(60);  // then pinged
inline constexpr Duration kPingTime = seconds(30);    // for the answer; then closed

static_assert(kArgumentSizeMax + 100 < kWireWindow);
static_assert(kChunkSizeMax + 64 < kWireWindow);
static_assert(kFastChunksMax * (kChunkSizeMax + 64) < kOutputSizeMax);
static_assert(kImageSizeMax / kChunkSizeMin <= 0xffff);

}  // namespace sotto::cloud::particle
