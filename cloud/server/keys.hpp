// SPDX-License-Identifier: Apache-2.0
// The keys in a state folder: read without its lock, while the cloud may run; and bound to the
// database, so that sessions are not resumed by one that was put back. Allocates; blocks on the
// disk.
#pragma once

#include <optional>
#include <string>

#include "core/hal/storage.hpp"
#include "core/keystore/records.hpp"
#include "ports/linux/failure.hpp"

namespace sotto::cloud::server {

inline constexpr const char* kDatabaseName = "cloud.db";
inline constexpr const char* kKeysName = "keys";

// Error::NotFound if there is none, Error::Malformed if they are damaged.
ports::Outcome<keystore::Identity> read_identity(const std::string& state);
// Whether the private key is that of the credential.
bool match(const keystore::Identity& identity);

// The key and credential that the cloud has as a guest of devices [SES-39], from those that it has
// as a cloud: always the same, and nobody can tell one from the other. Error::EntropyFailed: never.
Result<keystore::Identity> derive_guest_identity(const keystore::Identity& cloud);

// The random name of the last run, which keys and database both know; nothing before the first run
// of a version that has it. docs/formats/cloud_folder.md.
std::optional<std::string> load_run_name(hal::Storage& keys);
Status store_run_name(hal::Storage& keys, const std::string& name);

}  // namespace sotto::cloud::server
