// SPDX-License-Identifier: Apache-2.0
// What an app keeps on hal::Storage beside the records of core/keystore
// (docs/formats/app_state.md). Allocates.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/keystore/records.hpp"
#include "core/session/tag_key.hpp"

namespace sotto::app {

// Records with a number from here on belong to one session, the others to the app or a device.
inline constexpr hal::RecordId kFirstSessionRecord{0x0100};

// A login at a cloud.
struct Account {
    std::string url;
    std::string token;
    bool allow_clear = false;
    std::vector<std::uint8_t> credential;  // the cloud's CCS
    std::string address;                   // "host:port" that gateways dial
    // SHA-256 of the certificate by which the cloud is known.
    std::optional<std::array<std::uint8_t, 32>> pin{};

    friend bool operator==(const Account&, const Account&) = default;
};

// Each load: Error::NotFound, StorageFailed, Malformed. Each store: Error::StorageFailed, NoSpace;
// Error::TooLarge for what the format cannot hold.
Result<Account> load_account(hal::Storage& storage);
Status store_account(hal::Storage& storage, const Account& account);

// What the user calls a device.
Result<std::string> load_name(hal::Storage& storage);
Status store_name(hal::Storage& storage, const std::string& name);

// The key that is to take the place of the owner's present one, from before the device is told
// until all is in its place [SES-27].
struct Heir {
    keystore::Identity identity;
    keystore::TokenKey token_key;
};
Result<Heir> load_heir(hal::Storage& storage);
Status store_heir(hal::Storage& storage, const Heir& heir);
Status erase_heir(hal::Storage& storage);

// The key of the tags of another's device, who has let us in.
Result<session::TagKey> load_tag_key(hal::Storage& storage);
Status store_tag_key(hal::Storage& storage, const session::TagKey& key);
Status erase_tag_key(hal::Storage& storage);

// Names one session of an app to the cloud.
using AppId = std::array<std::uint8_t, 16>;
Result<AppId> load_app_id(hal::Storage& storage);
Status store_app_id(hal::Storage& storage, const AppId& id);

}  // namespace sotto::app
