// SPDX-License-Identifier: Apache-2.0
// The tables of the cloud's database (docs/formats/database.md) and how an older file becomes a
// current one. Blocks on the disk.
#pragma once

#include <span>
#include <string>

#include "cloud/store_sqlite/database.hpp"

namespace sotto::cloud::store_sqlite {

// "SOTO": marks a file as ours (PRAGMA application_id).
inline constexpr std::int32_t kApplicationId = 0x534f544f;

// Each entry brings a database from the schema version that is its index to the next. Entries are
// only ever added.
std::span<const char* const> migrations();

// Sets the durability of the connection, checks that the file is whole and ours, and migrates it,
// each step in a transaction, after a copy of it as it was is in old_copy_of(path). Error::Busy:
// another program holds it locked; Error::Malformed: it is
// damaged; Error::Unsupported: it is not ours, or newer than this program.
Result<void, Failure> prepare(Database& database,
                              const std::string& path,
                              std::span<const char* const> steps = migrations());

// Where the database is kept as it was before it was brought forward from this version.
std::string old_copy_of(const std::string& path, std::int64_t version);

// Whether the file is whole and ours: `application` is what it must be marked with. Changes
// nothing. Errors of prepare().
Result<void, Failure> check(Database& database,
                            const std::string& path,
                            std::int32_t application = kApplicationId);
Result<std::int64_t, Failure> version_of(Database& database, const std::string& path);

// What SQLite's error means for the user of the file.
Failure explain(const Database& database, const std::string& path, Error code);

}  // namespace sotto::cloud::store_sqlite
