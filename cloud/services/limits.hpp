// SPDX-License-Identifier: Apache-2.0
// Every limit of the relay, in one table, with what happens at it. The cloud's memory is bounded by
// sums of these.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cloud/store/limits.hpp"
#include "core/base/token_bucket.hpp"
#include "core/framing/limits.hpp"

namespace sotto::cloud::services {

// Connections. Beyond them: refused, the rest goes on.
inline constexpr std::size_t kGatewaysMax = 1'024;       // signed in; then REFUSED full
inline constexpr std::size_t kGatewayStrangersMax = 64;  // not signed in; the oldest makes room
inline constexpr std::size_t kAppsMax = 4'096;           // channels; then 503
inline constexpr std::size_t kLinksPerGatewayMax = 256;  // then RELEASE
inline constexpr std::size_t kClaimantsPerDeviceMax =
    8;  // links that say they are one device; then RELEASE

// The uplink.
inline constexpr Duration kHelloTimeMax = seconds(5);
inline constexpr Duration kPingInterval = seconds(20);
inline constexpr int kSilentIntervalsMax = 3;
inline constexpr std::uint16_t kLinkCredit = 32;  // messages on their way, each direction
inline constexpr std::uint16_t kLinkCreditGrant =
    16;  // given back at once, so that few records carry it
static_assert(kLinkCreditGrant * 2 <= kLinkCredit);
inline constexpr std::uint32_t kLinkCreditMax = 4'096;  // a gateway that grants more is broken

// What waits for a link without credit; then the outcome is `mailbox full`.
inline constexpr std::size_t kLinkQueueCountMax = 64;
inline constexpr std::size_t kLinkQueueBytesMax = 32'768;

// What waits for a socket; then it is closed: its reader is too slow.
inline constexpr std::size_t kGatewayOutputBytesMax = 1'048'576;
inline constexpr std::size_t kAppOutputBytesMax = 262'144;
static_assert(kLinkCredit * framing::kUplinkBytesMax < kGatewayOutputBytesMax);
// How long a socket may take for what was taken from the router; then it is closed.
inline constexpr Duration kWriteTimeMax = seconds(30);

// SENDs of one app that wait for the store; then `rate limited`.
inline constexpr std::size_t kWaitingSendsPerAppMax = 64;

// A device that has not proved itself: messages in each direction.
inline constexpr Rate kStrangerRate{.burst = 32, .refill = seconds(1)};
// How long an app may go on with a device that it paired and that is not attached yet.
inline constexpr Duration kTalkTime = minutes(2);
inline constexpr std::size_t kTalkersPerDeviceMax = 16;       // the one silent longest makes room
inline constexpr std::size_t kDevicesWithoutLinkMax = 1'024;  // remembered for kTalkTime

// Mailboxes.
inline constexpr model::MailboxLimits kDeviceMailbox{.count_max = 64, .bytes_max = 65'536};
inline constexpr Duration kDeviceLetterLifeMax = days(7);  // a longer lifetime is cut to this
inline constexpr Duration kAppLetterLife = days(7);
inline constexpr Duration kStrangerLetterLife = minutes(2);  // from a device that is not attached
// What is not sealed by OSCORE belongs to a handshake, which is forgotten by then (session.md).
inline constexpr Duration kUnsealedLetterLife = minutes(2);
inline constexpr std::size_t kLettersPerPage = 16;
inline constexpr Duration kPurgeInterval = seconds(10);
inline constexpr Duration kRetryInterval = seconds(1);  // after the store failed

// Claims.
inline constexpr Duration kClaimLife = minutes(60);
inline constexpr std::size_t kOpenClaimsPerAccountMax = 32;

// Events of open devices and users: kept for streams that read on or come back; the oldest go.
inline constexpr std::size_t kEventsPerAccountMax = 1'024;
inline constexpr std::size_t kEventBytesPerAccountMax = 1'048'576;
inline constexpr std::size_t kEventBytesMax = 67'108'864;  // of all accounts
inline constexpr std::size_t kTalliesMax = 65'536;         // of devices; then all are counted anew
inline constexpr std::size_t kWaitingEventsMax = 16;       // of a device, until its owner is known

// Updates of the firmware of open devices.
inline constexpr std::size_t kUpdatesMax = 4'096;           // under way; then 503
inline constexpr std::size_t kUpdateBytesMax = 67'108'864;  // of all their images; then 503
inline constexpr int kUpdateTriesMax = 3;                   // connections; then failed
inline constexpr Duration kUpdateReturnTime = minutes(5);   // for a lost device; then failed
inline constexpr Duration kUpdateAnswerTime = seconds(20);  // until REST says that it has begun

// Releases of firmware to products: so many devices at once at first, so many more for each that
// succeeded, and so many at most. Of so many of the last updates this share may fail; with so many
// failures beyond it the release is stopped.
inline constexpr std::size_t kRolloutFirst = 3;
inline constexpr std::size_t kRolloutGrowth = 2;
inline constexpr std::size_t kRolloutAtOnceMax = 32;
inline constexpr std::size_t kRolloutWindow = 20;
inline constexpr std::size_t kRolloutFailuresMin = 3;
inline constexpr std::size_t kRolloutFailedPercentMax = 25;
// A device whose update failed rests before it is tried with the same version again: so long at
// first, four times as long each time, at most so long; after so many failures it is left alone
// until its user says otherwise.
inline constexpr Duration kUpdateRetryFirst = minutes(10);
inline constexpr Duration kUpdateRetryMax = minutes(24 * 60);
inline constexpr std::uint16_t kUpdateFailuresMax = 4;
inline constexpr Duration kUpdateBusyPause = seconds(30);  // where there was no time for it
inline constexpr std::size_t kWhySizeMax = 256;            // of a reason that is kept; it is cut

// What is opened of a sealed device, as text; and a name in it, as devices bound them.
inline constexpr std::size_t kScopeSizeMax = 512;
inline constexpr std::size_t kMemberNameSizeMax = 32;

}  // namespace sotto::cloud::services
