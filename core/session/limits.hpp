// SPDX-License-Identifier: Apache-2.0
// Every limit of the sealed channel, in one table. The values are choices of ours (docs/protocol).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/time.hpp"

namespace sotto::session {

// Handshakes in flight on a device: one slot is kept for the direct air.
inline constexpr std::size_t kHalfOpenSlots = 2;
inline constexpr Duration kHalfOpenLifetimeAir = seconds(30);
inline constexpr Duration kHalfOpenLifetimeRelay = seconds(120);

// Handshakes that a device begins, per path: a bucket of so many, refilled at this rate.
inline constexpr std::uint32_t kHandshakeBurst = 8;
inline constexpr Duration kHandshakeRefill = seconds(2);

// How long a press of the button admits the pairing of a labelled device.
inline constexpr Duration kButtonWindow = minutes(2);

// Freshness of live commands.
inline constexpr Duration kEchoLifetime = seconds(30);
inline constexpr std::size_t kEchoSize = 12;

// Answers of executed requests that are kept for a byte-identical repetition.
inline constexpr std::size_t kAnswerCacheCount = 4;
inline constexpr std::size_t kAnswerSizeMax = 192;

// How long a device tries a cloud that its owner has not confirmed.
inline constexpr Duration kCloudTrial = minutes(10);

// Lifetime of a session's keys.
inline constexpr std::uint32_t kSessionMessageCountMax = 1U << 20;
inline constexpr std::uint32_t kSessionFailureCountMax = 1U << 14;
inline constexpr std::uint32_t kSessionLifetimeSeconds = 30U * 86'400U;

// Partial IVs and failure counts are stored ahead in steps of so many.
inline constexpr std::uint32_t kReservationStep = 64;

// Stored sessions: of the owner, of the cloud, of others. Further ones of others live in RAM only.
inline constexpr std::size_t kOwnerSessions = 4;
inline constexpr std::size_t kCloudSessions = 1;
inline constexpr std::size_t kOtherStoredSessions = 4;
inline constexpr std::size_t kStoredSessions =
    kOwnerSessions + kCloudSessions + kOtherStoredSessions;

// Observations and events that wait for their turn.
inline constexpr std::size_t kObservations = 8;
inline constexpr std::size_t kPendingEvents = 4;
inline constexpr std::size_t kEventSizeMax = 128;
inline constexpr Duration kObservationLifetime = minutes(10);

// Arguments and results in blocks: so many transfers at a time, one in each session; what stays of
// one that does not go on; when somebody who found no room is to ask again.
inline constexpr std::size_t kTransfers = 2;
inline constexpr Duration kTransferLifetime = minutes(2);
inline constexpr std::uint32_t kTransferBusyMaxAge = 2;  // seconds

// Bytes.
inline constexpr std::size_t kMessageSizeMax = 1'280;     // one CoAP message on a host
inline constexpr std::size_t kHandshakeMessageMax = 256;  // one EDHOC message with EAD
inline constexpr std::size_t kNameSizeMax = 32;           // a function, variable or event
inline constexpr std::size_t kPayloadSizeMax = 1'024;     // of them in one message, and a block
inline constexpr std::size_t kBodySizeMax = 65'536;       // an argument, result or value in blocks
inline constexpr std::size_t kEnvelopeSizeMax = 160;      // what stands around a payload

// The client's side.
inline constexpr Duration kRetransmitFirst = seconds(2);  // RFC 7252 ACK_TIMEOUT, then doubled
inline constexpr std::uint8_t kRetransmitMax = 4;         // MAX_RETRANSMIT
inline constexpr Duration kEchoUsable = seconds(25);      // a device's Echo is offered this long
inline constexpr std::size_t kEchoSizeMax = 40;           // RFC 9175 §2.2.1
inline constexpr std::size_t kSegmentSizeMax = 64;        // of a path
inline constexpr std::size_t kClientObservations = 8;
inline constexpr Duration kObservationRenewal = seconds(60);  // a rebooted device is told anew
inline constexpr Duration kRenewalPatience = seconds(10);
inline constexpr Duration kHandshakePause = seconds(1);  // before another try
inline constexpr Duration kHandshakePauseMax = seconds(8);
inline constexpr std::uint8_t kHandshakeTryMax = 4;     // in one job
inline constexpr std::uint8_t kChallengeMax = 4;        // for one message
inline constexpr std::uint8_t kTransferRestartMax = 8;  // what changed, or was forgotten, meanwhile
inline constexpr std::uint8_t kSmallBlockExponent = 4;  // 256 bytes, if nothing larger gets through

}  // namespace sotto::session
