// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/schema.hpp"

#include <array>

namespace sotto::cloud::store_sqlite {

namespace {

constexpr const char* kVersion1 = R"sql(
CREATE TABLE accounts (
    account    INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE tokens (
    hash       BLOB PRIMARY KEY,
    kind       INTEGER NOT NULL,
    account    INTEGER NOT NULL REFERENCES accounts,
    name       TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    UNIQUE (account, kind, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE devices (
    device        BLOB PRIMARY KEY,
    credential    BLOB NOT NULL,
    account       INTEGER NOT NULL REFERENCES accounts,
    registered_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_by_account ON devices (account, device);
CREATE TABLE claims (
    claim      BLOB PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES accounts,
    expires_ms INTEGER NOT NULL,
    device     BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_by_account ON claims (account, expires_ms);
CREATE TABLE labels (
    allocation INTEGER PRIMARY KEY AUTOINCREMENT,
    device     BLOB NOT NULL,
    label      INTEGER NOT NULL,
    account    INTEGER NOT NULL,
    app        BLOB NOT NULL,
    UNIQUE (device, label),
    UNIQUE (device, account, app)
) STRICT;
CREATE INDEX labels_by_age ON labels (device, allocation);
CREATE TABLE letters (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox    BLOB NOT NULL,
    device     BLOB NOT NULL,
    account    INTEGER NOT NULL,
    app        BLOB NOT NULL,
    stored_ms  INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    size       INTEGER NOT NULL,
    message    BLOB NOT NULL
) STRICT;
CREATE INDEX letters_by_mailbox ON letters (mailbox, sequence, expires_ms, size);
CREATE INDEX letters_by_expiry ON letters (expires_ms);
CREATE TABLE link_contexts (
    device  BLOB PRIMARY KEY,
    context BLOB NOT NULL
) STRICT;
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::array<const char*, 1> kMigrations = {kVersion1};

Failure damaged(const std::string& path, const std::string& what) {
    return {.code = Error::Malformed,
            .detail = path + " is damaged (" + what +
                      "); nothing was changed: keep a copy of it and restore a backup"};
}

Failure failure(const Database& database, const std::string& path, Error code) {
    if (code == Error::Malformed) return damaged(path, database.last_message());
    if (code == Error::Busy) {
        return {.code = code,
                .detail = "another program holds " + path + " locked; end it and try again"};
    }
    return {.code = code, .detail = path + ": " + database.last_message()};
}

Result<std::int64_t> number_of(Database& database, const std::string& sql) {
    SOTTO_TRY_ASSIGN(const std::string text, database.text_of(sql));
    return std::int64_t{std::stoll(text)};
}

Status configure(Database& database) {
    // FULL with WAL: a commit that has returned survives a power cut.
    SOTTO_TRY(
        database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                         "PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 16777216;"
                         "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"));
    return {};
}

Result<void, Failure> check_ours(Database& database, const std::string& path) {
    const auto application = number_of(database, "PRAGMA application_id");
    if (!application) return failure(database, path, application.error());
    const auto object_count = number_of(database, "SELECT count(*) FROM sqlite_schema");
    if (!object_count) return failure(database, path, object_count.error());
    const bool is_new = *application == 0 && *object_count == 0;
    if (is_new || *application == kApplicationId) return {};
    return Failure{.code = Error::Unsupported,
                   .detail = path + " is a database of another program; name another folder"};
}

Result<void, Failure> check_whole(Database& database, const std::string& path) {
    const auto verdict = database.text_of("PRAGMA quick_check(1)");
    if (!verdict) return failure(database, path, verdict.error());
    if (*verdict == "ok") return {};
    return damaged(path, *verdict);
}

Status migrate_step(Database& database, std::size_t version, const char* sql) {
    const std::string script = "BEGIN IMMEDIATE;" + std::string{sql} +
                               "PRAGMA application_id = " + std::to_string(kApplicationId) +
                               "; PRAGMA user_version = " + std::to_string(version) + "; COMMIT;";
    const Status status = database.execute(script);
    // Where the script failed before BEGIN there is nothing to undo, and this says so.
    if (!status) static_cast<void>(database.execute("ROLLBACK").has_value());
    return status;
}

}  // namespace

std::span<const char* const> migrations() { return kMigrations; }

Result<void, Failure> prepare(Database& database,
                              const std::string& path,
                              std::span<const char* const> steps) {
    SOTTO_TRY(check_ours(database, path));
    const auto version = number_of(database, "PRAGMA user_version");
    if (!version) return failure(database, path, version.error());
    if (*version > static_cast<std::int64_t>(steps.size())) {
        return Failure{.code = Error::Unsupported,
                       .detail = path + " was written by a newer version (schema " +
                                 std::to_string(*version) + ", known here up to " +
                                 std::to_string(steps.size()) + "); install that version"};
    }
    SOTTO_TRY(check_whole(database, path));
    if (const Status status = configure(database); !status) {
        return failure(database, path, status.error());
    }
    for (auto next = static_cast<std::size_t>(*version); next < steps.size(); next++) {
        const Status status = migrate_step(database, next + 1, steps[next]);
        if (!status) return failure(database, path, status.error());
    }
    return {};
}

}  // namespace sotto::cloud::store_sqlite
