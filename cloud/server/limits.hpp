// SPDX-License-Identifier: Apache-2.0
// Every limit of the cloud's sockets, in one table, with what happens at it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "cloud/services/limits.hpp"
#include "core/base/time.hpp"
#include "core/base/token_bucket.hpp"

namespace sotto::cloud::server {

// Requests.
inline constexpr std::uint32_t kHeaderSizeMax = 8'192;  // then 431
inline constexpr std::size_t kBodySizeMax = 16'384;     // then 413
inline constexpr std::size_t kUploadSizeMax =
    2'129'920;  // of files, where they are taken; then 413
inline constexpr std::chrono::seconds kUploadTimeMax{120};  // for all of them; then closed
inline constexpr std::size_t kBufferSizeMax = kHeaderSizeMax + kBodySizeMax;

// Passwords that wait to be checked, each a quarter of a second; then 503.
inline constexpr std::size_t kPasswordsWaitingMax = 32;

// Connections that are no channel. Beyond them the one that has been silent longest is closed.
inline constexpr std::size_t kConnectionsMax = 512;
inline constexpr std::chrono::seconds kTlsTimeMax{10};      // for its handshake; then closed
inline constexpr std::chrono::seconds kRequestTimeMax{10};  // for the whole of it; then closed
inline constexpr std::chrono::seconds kIdleTimeMax{60};     // between two requests; then closed
inline constexpr std::chrono::seconds kReplyTimeMax{10};    // to take a reply; then closed

// What is read and thrown away behind a refused request, so that its sender reads the reply.
inline constexpr std::size_t kDrainSizeMax = 16'777'216;
inline constexpr std::chrono::seconds kDrainTimeMax{2};

// Channels. A record may be larger than the format allows: its sender is told so.
inline constexpr std::size_t kChannelMessageSizeMax = 4'096;      // then closed
inline constexpr std::chrono::seconds kChannelHandshakeTime{10};  // opening and closing
inline constexpr std::chrono::seconds kChannelIdleTime{60};       // pinged at half of it

// Streams of events. A reader keeps his place in the ring; what he misses there he has missed.
inline constexpr std::size_t kStreamsMax = 8'192;               // then 503
inline constexpr std::chrono::seconds kStreamWriteTimeMax{30};  // for what was taken; then closed

// What the system keeps for a reader that is slow, beside services/limits.hpp.
inline constexpr int kAppSendBuffer = 65'536;
inline constexpr int kGatewaySendBuffer = 262'144;

// The operator's requests: on the socket in the state folder, and on the port for metrics.
inline constexpr std::size_t kAdminConnectionsMax = 32;  // beyond them closed at once

// Uplinks.
inline constexpr std::size_t kUplinkReadSize = 16'384;
inline constexpr Duration kUplinkFarewell = seconds(2);  // for the other side to close, too

// Sealed devices of which something is opened to the cloud: some 10 KB of memory each.
inline constexpr std::size_t kOpeningsMax = 8'192;         // then no more are served
inline constexpr Duration kProbeAgainAfter = seconds(60);  // where the device did not answer

// Tags of devices that a gateway is given: of so many periods of 15 minutes, that before the
// present one the first, and so often. The outbox of a gateway has room for those of a whole
// account.
inline constexpr std::uint32_t kTagPeriods = 16;
inline constexpr Duration kTagsInterval = minutes(15);
static_assert(kTagPeriods * store::kTagKeysPerAccountMax * framing::kDeviceTagSize * 2 <
              services::kGatewayOutputBytesMax);

// Legacy Particle devices.
inline constexpr std::size_t kHalfOpenMax = 4'096;  // beyond it the oldest is closed
// New connections of one network, an IPv4 address or a /64 of IPv6: that many devices behind one
// router come back at once after a power cut. Beyond it closed at once.
inline constexpr Rate kArrivalRate{.burst = 2'048, .refill = milliseconds(5)};
inline constexpr std::size_t kRsaQueueMax = 4'096;            // beyond it the oldest is dropped
inline constexpr Duration kRsaTurnAfter = milliseconds(500);  // then it is the oldest's turn
inline constexpr Duration kRsaWaitMax = seconds(2);           // then again the newest's
inline constexpr std::size_t kRsaThreadsMax = 16;             // one for each core at most
inline constexpr std::size_t kRsaDoneMax = 8;                 // operations done; then handed over
inline constexpr Rate kPendingKeyRate{.burst = 64, .refill = seconds(1)};  // more are not noted
inline constexpr std::size_t kFirstUseKeysMax = 65'536;  // keys known; then none is enrolled
inline constexpr std::size_t kParticleReadSize = 2'048;  // of one of them at a time
inline constexpr std::size_t kReadySocketsMax = 64;      // served in one round
inline constexpr int kReadyRoundsMax = 4;  // until others than devices have their turn
inline constexpr int kParticleSendBuffer = 16'384;
inline constexpr Duration kParticleTick = seconds(1);  // between two looks at all of them

// Legacy devices in safe mode.
inline constexpr std::size_t kSystemPartsMax = 64;     // the others are left out, by name
inline constexpr std::size_t kPatientsMax = 1'024;     // that wait; then they are not looked after
inline constexpr Duration kPatientTime = seconds(60);  // until its owner is known; likewise
inline constexpr int kHealTriesMax = 2;                // of one part in a row; then not sent again

// Webhooks, beside hooks/limits.hpp.
inline constexpr std::uint32_t kWebhookHeaderSizeMax = 16'384;  // of an answer; then it has failed
inline constexpr std::size_t kLookupsMax = 32;  // of names at once, each a thread; the others wait
inline constexpr std::size_t kLookupsPerAccountMax = 2;
inline constexpr int kWebhookOutputsMax = 64;  // in one round, until others have their turn

// Certificates.
inline constexpr std::chrono::seconds kCertificateLookPeriod{10};  // are files looked at again
inline constexpr Duration kCertificateLifetime = days(90);         // of one of the own authority
inline constexpr Duration kCertificateRenewal = days(30);   // of that are left: then made anew
inline constexpr std::size_t kCertificateFileMax = 65'536;  // then refused as no certificate

// From SIGTERM until the last have said good-bye; then closed.
inline constexpr std::chrono::seconds kStopTimeMax{3};

// After the system had no socket for us.
inline constexpr std::chrono::milliseconds kAcceptPause{100};
inline constexpr std::size_t kAcceptedAtOnceMax =
    16;  // of the device port; the next turn takes the others

}  // namespace sotto::cloud::server
