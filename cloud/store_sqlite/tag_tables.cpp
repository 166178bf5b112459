// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/tag_tables.hpp"

#include <algorithm>
#include <utility>

#include "cloud/store/limits.hpp"
#include "cloud/store_sqlite/sqlite_store.hpp"
#include "cloud/store_sqlite/typed_operation.hpp"

namespace sotto::cloud::store_sqlite {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary
using store::Done;

namespace tables {

Status set_tag_key(Database& database, const TagKey& key) {
    Query registered = database.query("SELECT 1 FROM devices WHERE device = ? AND account = ?");
    registered.bind(Bytes{key.device}).bind(key.account.value());
    SOTTO_TRY_ASSIGN(const bool is_registered, registered.step());
    if (!is_registered) return Error::NotFound;
    Query others =
        database.query("SELECT count(*) FROM tag_keys WHERE account = ? AND device <> ?");
    SOTTO_TRY(others.bind(key.account.value()).bind(Bytes{key.device}).step());
    if (others.integer(0) >= std::int64_t{store::kTagKeysPerAccountMax}) return Error::NoSpace;
    Query query = database.query(
        "INSERT INTO tag_keys (device, account, key) VALUES (?, ?, ?) ON CONFLICT (device) DO "
        "UPDATE SET account = excluded.account, key = excluded.key");
    query.bind(Bytes{key.device}).bind(key.account.value());
    return query.bind(Bytes{key.key.expose()}).run();
}

Result<std::vector<TagKey>> list_tag_keys(Database& database, AccountId account) {
    Query query =
        database.query("SELECT device, key FROM tag_keys WHERE account = ? ORDER BY device");
    query.bind(account.value());
    std::vector<TagKey> keys;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return keys;
        TagKey key;
        key.account = account;
        const Bytes device = query.blob(0);
        const Bytes bytes = query.blob(1);
        if (device.size() != key.device.size() || bytes.size() != TagKey::Key::kSize)
            return Error::Malformed;
        std::copy(device.begin(), device.end(), key.device.begin());
        key.key = TagKey::Key{bytes.first<TagKey::Key::kSize>()};
        keys.push_back(std::move(key));
    }
}

Status erase_tag_key(Database& database, AccountId account, const DeviceId& device) {
    Query query = database.query("DELETE FROM tag_keys WHERE device = ? AND account = ?");
    SOTTO_TRY(query.bind(Bytes{device}).bind(account.value()).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Status erase_tag_key_of_others(Database& database, const DeviceId& device, AccountId account) {
    Query query = database.query("DELETE FROM tag_keys WHERE device = ? AND account <> ?");
    return query.bind(Bytes{device}).bind(account.value()).run();
}

}  // namespace tables

void SqliteStore::set_tag_key(TagKey key, Done<void> done) {
    submit(kWrites, std::move(done), [key = std::move(key)](Database& database) {
        return tables::set_tag_key(database, key);
    });
}

void SqliteStore::list_tag_keys(AccountId account, Done<std::vector<TagKey>> done) {
    submit(kReads, std::move(done), [account](Database& database) {
        return tables::list_tag_keys(database, account);
    });
}

void SqliteStore::erase_tag_key(AccountId account, const DeviceId& device, Done<void> done) {
    submit(kWrites, std::move(done), [account, device](Database& database) {
        return tables::erase_tag_key(database, account, device);
    });
}

}  // namespace sotto::cloud::store_sqlite
