// SPDX-License-Identifier: Apache-2.0
// The limits that a store keeps by itself.
#pragma once

#include "cloud/model/records.hpp"

namespace sotto::cloud::store {

// How many labels a device has. The one allocated longest ago makes room for a new one.
inline constexpr std::size_t kLabelsPerDeviceMax = 1'024;

// All mailboxes of one account together; then `mailbox full`.
inline constexpr model::MailboxLimits kAccountMail{.count_max = 16'384, .bytes_max = 16'777'216};
// The mailbox of an app, notices included: what finds no room is lost.
inline constexpr model::MailboxLimits kAppMailbox{.count_max = 256, .bytes_max = 262'144};
// How long an app can learn what became of its messages.
inline constexpr Duration kNoticeLife = days(7);
inline constexpr std::size_t kPurgeCountMax = 256;  // letters erased at once; then again

// Open devices of one account that it may have by giving their keys; then Error::NoSpace.
inline constexpr std::size_t kOpenDevicesPerAccountMax = 4'096;
inline constexpr std::size_t kPendingKeysMax = 1'024;       // then the oldest makes room
inline constexpr std::size_t kPendingKeysPerDeviceMax = 4;  // then the oldest makes room
// Given to the programs of one account, refresh tokens included; the oldest makes room.
inline constexpr std::size_t kTokensPerAccountMax = 256;
// Integrations of one account, and their definitions together; then Error::NoSpace.
inline constexpr std::size_t kHooksPerAccountMax = 1'024;
inline constexpr std::size_t kHookBytesPerAccountMax = 2'097'152;
// Products of one account; of each product its groups, the devices in its list, those that wait to
// be approved or were denied, its firmware and the releases that are remembered; then
// Error::NoSpace, but that the oldest release makes room.
inline constexpr std::size_t kProductsPerAccountMax = 64;
inline constexpr std::size_t kGroupsPerProductMax = 256;
inline constexpr std::size_t kProductDevicesMax = 4'096;
inline constexpr std::size_t kQuarantinedMax = 1'024;
inline constexpr std::size_t kFirmwaresPerProductMax = 64;
inline constexpr std::size_t kFirmwareBytesPerAccountMax = 134'217'728;
inline constexpr std::size_t kReleasesPerProductMax = 64;
// Devices of one account whose tags its gateways are given; then Error::NoSpace.
inline constexpr std::size_t kTagKeysPerAccountMax = 1'024;
// Programs of one account with secrets of their own; then Error::NoSpace.
inline constexpr std::size_t kClientsPerAccountMax = 64;
// Programs that a user makes for one product; then Error::NoSpace.
inline constexpr std::size_t kApiUsersPerProductMax = 64;
// Environments with variables of one account; then Error::NoSpace.
inline constexpr std::size_t kEnvironmentsPerAccountMax = 8'192;
inline constexpr std::size_t kAuditEntriesMax = 65'536;  // then the oldest make room
// Of one account, or of none: who does much hides nothing that others did. Then its oldest go.
inline constexpr std::size_t kAuditEntriesPerAccountMax = 4'096;

}  // namespace sotto::cloud::store
