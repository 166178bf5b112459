// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/schema.hpp"

#include <array>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

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

// Notices, and what the letters of an account take, counted as they come and go.
constexpr const char* kVersion2 = R"sql(
ALTER TABLE letters ADD COLUMN reference INTEGER NOT NULL DEFAULT 0;
ALTER TABLE letters ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
CREATE TABLE mail_usage (
    account INTEGER PRIMARY KEY,
    count   INTEGER NOT NULL,
    bytes   INTEGER NOT NULL
) STRICT;
INSERT INTO mail_usage (account, count, bytes)
    SELECT account, count(*), sum(size) FROM letters GROUP BY account;
CREATE TRIGGER letters_come AFTER INSERT ON letters BEGIN
    INSERT INTO mail_usage (account, count, bytes) VALUES (NEW.account, 1, NEW.size)
        ON CONFLICT (account) DO UPDATE SET count = count + 1, bytes = bytes + NEW.size;
END;
CREATE TRIGGER letters_go AFTER DELETE ON letters BEGIN
    UPDATE mail_usage SET count = count - 1, bytes = bytes - OLD.size
        WHERE account = OLD.account;
END;
)sql";

// Users with passwords, tokens for their programs, open devices, and who did what.
constexpr const char* kVersion3 = R"sql(
ALTER TABLE accounts ADD COLUMN password TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN client TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN scopes INTEGER NOT NULL DEFAULT 255;
ALTER TABLE tokens ADD COLUMN expires_ms INTEGER;
CREATE TABLE open_devices (
    device           BLOB PRIMARY KEY,
    account          INTEGER NOT NULL REFERENCES accounts,
    name             TEXT NOT NULL,
    notes            TEXT NOT NULL DEFAULT '',
    claimed_ms       INTEGER NOT NULL,
    heard_ms         INTEGER NOT NULL DEFAULT 0,
    connected_ms     INTEGER NOT NULL DEFAULT 0,
    address          TEXT NOT NULL DEFAULT '',
    platform         INTEGER NOT NULL DEFAULT 0,
    product          INTEGER NOT NULL DEFAULT 0,
    firmware_version INTEGER NOT NULL DEFAULT 0,
    system_version   TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX open_devices_by_account ON open_devices (account, device);
CREATE TABLE claim_codes (
    hash       BLOB PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES accounts,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_codes_by_account ON claim_codes (account, expires_ms);
CREATE TABLE audit (
    entry   INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms   INTEGER NOT NULL,
    account INTEGER,
    address TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_account ON audit (account, entry);
)sql";

// What legacy devices are known by.
constexpr const char* kVersion4 = R"sql(
CREATE TABLE device_keys (
    device    BLOB PRIMARY KEY,
    key       BLOB NOT NULL,
    stored_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// What owners open of their sealed devices. In one that is open by nature both are NULL.
constexpr const char* kVersion5 = R"sql(
ALTER TABLE open_devices ADD COLUMN token BLOB;
ALTER TABLE open_devices ADD COLUMN scope TEXT;
)sql";

// Keys that legacy devices show, and nobody has approved.
constexpr const char* kVersion6 = R"sql(
CREATE TABLE pending_keys (
    device   BLOB NOT NULL,
    key      BLOB NOT NULL,
    shown_ms INTEGER NOT NULL,
    PRIMARY KEY (device, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_keys_by_age ON pending_keys (shown_ms);
)sql";

// Integrations, which there is a scope for: tokens that were good for everything are good for it.
constexpr const char* kVersion7 = R"sql(
CREATE TABLE integrations (
    place      INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    account    INTEGER NOT NULL REFERENCES accounts,
    definition TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX integrations_by_account ON integrations (account);
UPDATE tokens SET scopes = 511 WHERE scopes = 255;
)sql";

// One-time passwords; NULL: the account logs in without.
constexpr const char* kVersion8 = R"sql(
ALTER TABLE accounts ADD COLUMN otp_secret BLOB;
ALTER TABLE accounts ADD COLUMN otp_step INTEGER NOT NULL DEFAULT -1;
)sql";

// Products, and programs with secrets of their own; there are scopes for products, and tokens that
// were good for everything are good for them.
constexpr const char* kVersion9 = R"sql(
CREATE TABLE products (
    product     INTEGER PRIMARY KEY,
    account     INTEGER NOT NULL REFERENCES accounts,
    slug        TEXT NOT NULL,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    platform    INTEGER NOT NULL,
    created_ms  INTEGER NOT NULL,
    UNIQUE (account, slug)
) STRICT;
CREATE TABLE product_groups (
    product     INTEGER NOT NULL REFERENCES products,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    color       TEXT NOT NULL,
    created_ms  INTEGER NOT NULL,
    PRIMARY KEY (product, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE product_devices (
    product         INTEGER NOT NULL REFERENCES products,
    device          BLOB NOT NULL,
    membership      INTEGER NOT NULL,
    development     INTEGER NOT NULL DEFAULT 0,
    desired_version INTEGER,
    groups          TEXT NOT NULL DEFAULT '',
    added_ms        INTEGER NOT NULL,
    failed_version  INTEGER NOT NULL DEFAULT 0,
    failures        INTEGER NOT NULL DEFAULT 0,
    retry_ms        INTEGER NOT NULL DEFAULT 0,
    why             TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (product, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX product_devices_by_device ON product_devices (device, membership);
CREATE TABLE product_firmware (
    firmware    INTEGER PRIMARY KEY,
    product     INTEGER NOT NULL REFERENCES products,
    version     INTEGER NOT NULL,
    title       TEXT NOT NULL,
    description TEXT NOT NULL,
    file_name   TEXT NOT NULL,
    size        INTEGER NOT NULL,
    uploaded_ms INTEGER NOT NULL,
    image       BLOB NOT NULL,
    UNIQUE (product, version)
) STRICT;
CREATE TABLE product_releases (
    release     INTEGER PRIMARY KEY AUTOINCREMENT,
    product     INTEGER NOT NULL REFERENCES products,
    version     INTEGER NOT NULL,
    is_default  INTEGER NOT NULL,
    groups      TEXT NOT NULL,
    immediate   INTEGER NOT NULL,
    released_ms INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    succeeded   INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    recent      TEXT NOT NULL,
    why         TEXT NOT NULL
) STRICT;
CREATE INDEX product_releases_by_product ON product_releases (product, release);
CREATE TABLE oauth_clients (
    place        INTEGER PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    account      INTEGER NOT NULL REFERENCES accounts,
    product      INTEGER NOT NULL,
    name         TEXT NOT NULL,
    type         TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    scope        TEXT NOT NULL,
    secret       BLOB NOT NULL,
    created_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX oauth_clients_by_account ON oauth_clients (account);
ALTER TABLE integrations ADD COLUMN product INTEGER NOT NULL DEFAULT 0;
UPDATE tokens SET scopes = 2047 WHERE scopes = 511;
)sql";

// Administrators, users who are locked out, programs that users make for a product, environment
// variables, and the scopes for them: tokens that were good for everything are good for it.
constexpr const char* kVersion10 = R"sql(
ALTER TABLE accounts ADD COLUMN administrator INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN product INTEGER NOT NULL DEFAULT 0;
CREATE TABLE environments (
    account    INTEGER NOT NULL REFERENCES accounts,
    product    INTEGER NOT NULL,
    device     BLOB NOT NULL,
    revision   INTEGER NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (account, product, device)
) STRICT, WITHOUT ROWID;
UPDATE tokens SET scopes = 8191 WHERE scopes = 2047;
)sql";

// The keys of the tags of sealed devices, as far as their owners give them.
constexpr const char* kVersion11 = R"sql(
CREATE TABLE tag_keys (
    device  BLOB PRIMARY KEY NOT NULL,
    account INTEGER NOT NULL REFERENCES accounts,
    key     BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_keys_by_account ON tag_keys (account, device);
)sql";

constexpr std::array kMigrations = {kVersion1,
                                    kVersion2,
                                    kVersion3,
                                    kVersion4,
                                    kVersion5,
                                    kVersion6,
                                    kVersion7,
                                    kVersion8,
                                    kVersion9,
                                    kVersion10,
                                    kVersion11};

Failure damaged(const std::string& path, const std::string& what) {
    return {.code = Error::Malformed,
            .detail = path + " is damaged (" + what +
                      "); nothing was changed: keep a copy of it and restore a backup"};
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

Status migrate_step(Database& database, std::size_t version, const char* sql) {
    const std::string script = "BEGIN IMMEDIATE;" + std::string{sql} +
                               "PRAGMA application_id = " + std::to_string(kApplicationId) +
                               "; PRAGMA user_version = " + std::to_string(version) + "; COMMIT;";
    const Status status = database.execute(script);
    // Where the script failed before BEGIN there is nothing to undo, and this says so.
    if (!status) static_cast<void>(database.execute("ROLLBACK").has_value());
    return status;
}

// Of a finished copy nothing is lost by what comes after it.
Status make_durable(const std::string& path) {
    for (const std::string& name : {path, std::filesystem::path{path}.parent_path().string()}) {
        const int descriptor = ::open(name.empty() ? "." : name.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor < 0) return Error::StorageFailed;
        const bool is_done = ::fsync(descriptor) == 0;
        ::close(descriptor);
        if (!is_done) return Error::StorageFailed;
    }
    return {};
}

Status keep_old(Database& database, const std::string& copy) {
    const std::string temporary = copy + ".new";
    std::error_code error;
    std::filesystem::remove(temporary, error);
    {
        const auto target = Database::open(temporary, Database::Mode::Create, Duration{});
        if (!target) return target.error().code;
        SOTTO_TRY(database.copy_to(**target));
        // Not a file with a journal beside it, which might be left behind.
        SOTTO_TRY((*target)->execute("PRAGMA journal_mode = DELETE"));
    }
    std::filesystem::permissions(temporary, std::filesystem::perms{0600}, error);
    if (!error) std::filesystem::rename(temporary, copy, error);
    if (error) return Error::StorageFailed;
    return make_durable(copy);
}

}  // namespace

std::span<const char* const> migrations() { return kMigrations; }

Failure explain(const Database& database, const std::string& path, Error code) {
    if (code == Error::Malformed) return damaged(path, database.last_message());
    if (code == Error::Busy) {
        return {.code = code,
                .detail = "another program holds " + path + " locked; end it and try again"};
    }
    return {.code = code, .detail = path + ": " + database.last_message()};
}

std::string old_copy_of(const std::string& path, std::int64_t version) {
    return path + ".version" + std::to_string(version);
}

Result<std::int64_t, Failure> version_of(Database& database, const std::string& path) {
    const auto version = number_of(database, "PRAGMA user_version");
    if (!version) return explain(database, path, version.error());
    return *version;
}

Result<void, Failure> check(Database& database, const std::string& path, std::int32_t application) {
    const auto mark = number_of(database, "PRAGMA application_id");
    if (!mark) return explain(database, path, mark.error());
    const auto object_count = number_of(database, "SELECT count(*) FROM sqlite_schema");
    if (!object_count) return explain(database, path, object_count.error());
    const bool is_new = *mark == 0 && *object_count == 0 && application == kApplicationId;
    if (!is_new && *mark != application)
        return Failure{.code = Error::Unsupported,
                       .detail = path + " is a database of another program; name another folder"};
    const auto verdict = database.text_of("PRAGMA quick_check(1)");
    if (!verdict) return explain(database, path, verdict.error());
    if (*verdict == "ok") return {};
    return damaged(path, *verdict);
}

Result<void, Failure> prepare(Database& database,
                              const std::string& path,
                              std::span<const char* const> steps) {
    SOTTO_TRY(check(database, path));
    SOTTO_TRY_ASSIGN(const std::int64_t version, version_of(database, path));
    if (version > static_cast<std::int64_t>(steps.size())) {
        return Failure{.code = Error::Unsupported,
                       .detail = path + " was written by a newer version (schema " +
                                 std::to_string(version) + ", known here up to " +
                                 std::to_string(steps.size()) + "); install that version"};
    }
    if (const Status status = configure(database); !status) {
        return explain(database, path, status.error());
    }
    const bool is_old = version > 0 && version < static_cast<std::int64_t>(steps.size());
    if (is_old && !keep_old(database, old_copy_of(path, version)))
        return Failure{.code = Error::StorageFailed,
                       .detail = path + " is of an older version and cannot be copied to " +
                                 old_copy_of(path, version) +
                                 " before it is changed; nothing was changed: make room"};
    for (auto next = static_cast<std::size_t>(version); next < steps.size(); next++) {
        const Status status = migrate_step(database, next + 1, steps[next]);
        if (!status) return explain(database, path, status.error());
    }
    return {};
}

}  // namespace sotto::cloud::store_sqlite
