// SPDX-License-Identifier: Apache-2.0
// The database in one file with the keys beside it (docs/formats/cloud_backup.md). Without the
// cloud's sessions with devices: whoever goes on with old sequence numbers would use a nonce twice.
// Allocates; blocks on the disk.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cloud/store_sqlite/database.hpp"

namespace sotto::cloud::store_sqlite {

// "SOTB": marks a file as a backup (PRAGMA application_id).
inline constexpr std::int32_t kBackupId = 0x534f5442;

// What is not in the database, by name: opaque here.
using Keys = std::map<std::string, std::vector<std::uint8_t>>;

// Fills `backup`, which is new, from the database at `path`, which may be in use. Errors of
// prepare(); nothing is changed at `path`.
Result<void, Failure> fill_backup(const std::string& path, const Keys& keys, Database& backup);

// Makes the database `path`, which is new, from a backup, and gives the keys. Error::Unsupported:
// `backup` is none, or a newer program's; Error::Malformed: it is damaged; Error::StorageFailed.
// `name` is the backup's, for complaints.
Result<Keys, Failure> restore_backup(Database& backup,
                                     const std::string& name,
                                     const std::string& path);

}  // namespace sotto::cloud::store_sqlite
