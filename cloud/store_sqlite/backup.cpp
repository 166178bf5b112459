// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/backup.hpp"

#include "cloud/store_sqlite/schema.hpp"

namespace sotto::cloud::store_sqlite {

namespace {

constexpr Duration kBusyTime = seconds(10);

Failure no_backup(const std::string& name) {
    return {.code = Error::Unsupported,
            .detail = name + " is no backup of a cloud: take a file that sotto-cloud backup made"};
}

Status insert_keys(Database& backup, const Keys& keys) {
    // What is erased is overwritten, and the pages that held it are left behind.
    SOTTO_TRY(backup.execute(
        "PRAGMA journal_mode = DELETE; PRAGMA secure_delete = ON;"
        "BEGIN; DELETE FROM link_contexts;"
        "CREATE TABLE backup_keys (name TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT;"));
    for (const auto& [name, content] : keys) {
        SOTTO_TRY(backup.query("INSERT INTO backup_keys (name, content) VALUES (?, ?)")
                      .bind(std::string_view{name})
                      .bind(Bytes{content})
                      .run());
    }
    return backup.execute("PRAGMA application_id = " + std::to_string(kBackupId) +
                          "; COMMIT; VACUUM;");
}

Result<Keys> take_keys(Database& backup) {
    Query query = backup.query("SELECT name, content FROM backup_keys");
    Keys keys;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool is_there, query.step());
        if (!is_there) break;
        const Bytes content = query.blob(1);
        keys[std::string{query.text(0)}] = {content.begin(), content.end()};
    }
    return keys;
}

// Everything but the keys, under a database's own mark.
Status strip(Database& database) {
    SOTTO_TRY(
        database.execute("PRAGMA journal_mode = DELETE; PRAGMA secure_delete = ON;"
                         "BEGIN; DELETE FROM link_contexts; DROP TABLE backup_keys;"));
    return database.execute("PRAGMA application_id = " + std::to_string(kApplicationId) +
                            "; COMMIT; VACUUM;");
}

}  // namespace

Result<void, Failure> fill_backup(const std::string& path, const Keys& keys, Database& backup) {
    SOTTO_TRY_ASSIGN(const auto database, Database::open(path, Database::Mode::Open, kBusyTime));
    SOTTO_TRY(check(*database, path));
    if (const Status copied = database->copy_to(backup); !copied)
        return explain(*database, path, copied.error());
    if (const Status done = insert_keys(backup, keys); !done)
        return Failure{.code = done.error(),
                       .detail = "the backup cannot be written: " + backup.last_message()};
    return {};
}

Result<Keys, Failure> restore_backup(Database& backup,
                                     const std::string& name,
                                     const std::string& path) {
    const auto checked = check(backup, name, kBackupId);
    if (!checked && checked.error().code == Error::Unsupported) return no_backup(name);
    if (!checked)
        return Failure{.code = checked.error().code,
                       .detail = name + " is damaged; take another backup"};
    SOTTO_TRY_ASSIGN(const std::int64_t version, version_of(backup, name));
    if (version > static_cast<std::int64_t>(migrations().size()))
        return Failure{.code = Error::Unsupported,
                       .detail = name + " was written by a newer version; install that version"};
    auto keys = take_keys(backup);
    if (!keys) return no_backup(name);
    SOTTO_TRY_ASSIGN(const auto database, Database::open(path, Database::Mode::Create, kBusyTime));
    Status done = backup.copy_to(*database);
    if (done) done = strip(*database);
    if (!done)
        return Failure{.code = Error::StorageFailed,
                       .detail = "cannot write " + path + ": check permissions and space"};
    return *std::move(keys);
}

}  // namespace sotto::cloud::store_sqlite
