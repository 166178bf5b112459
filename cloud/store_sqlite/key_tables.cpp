// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/key_tables.hpp"

#include "cloud/store/limits.hpp"

namespace sotto::cloud::store_sqlite::tables {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

namespace {

// Columns: device, key, stored_ms.
Result<DeviceKey> key_in(const Query& query) {
    const Bytes device = query.blob(0);
    const Bytes key = query.blob(1);
    if (device.size() != kDeviceIdSize) return Error::Malformed;
    DeviceKey record{.key = {key.begin(), key.end()}, .stored_at = Instant{query.integer(2)}};
    std::copy(device.begin(), device.end(), record.device.begin());
    return record;
}

Result<std::vector<DeviceKey>> all_of(Query query) {
    std::vector<DeviceKey> keys;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return keys;
        SOTTO_TRY_ASSIGN(DeviceKey key, key_in(query));
        keys.push_back(std::move(key));
    }
}

}  // namespace

Status set_device_key(Database& database, const DeviceKey& key) {
    Query pending = database.query("DELETE FROM pending_keys WHERE device = ?");
    SOTTO_TRY(pending.bind(Bytes{key.device}).run());
    Query query = database.query(
        "INSERT OR REPLACE INTO device_keys (device, key, stored_ms) VALUES (?, ?, ?)");
    return query.bind(Bytes{key.device}).bind(Bytes{key.key}).bind(key.stored_at).run();
}

Status add_device_key(Database& database, const DeviceKey& key, std::size_t count_max) {
    SOTTO_TRY_ASSIGN(const auto known, find_device_key(database, key.device));
    if (known) return Error::AlreadyExists;
    Query count = database.query("SELECT count(*) FROM device_keys");
    SOTTO_TRY(count.step());
    if (count.integer(0) >= static_cast<std::int64_t>(count_max)) return Error::NoSpace;
    return set_device_key(database, key);
}

Result<std::optional<DeviceKey>> find_device_key(Database& database, const DeviceId& device) {
    Query query = database.query("SELECT device, key, stored_ms FROM device_keys WHERE device = ?");
    SOTTO_TRY_ASSIGN(const bool has_row, query.bind(Bytes{device}).step());
    if (!has_row) return std::optional<DeviceKey>{};
    SOTTO_TRY_ASSIGN(DeviceKey key, key_in(query));
    return std::optional{std::move(key)};
}

Result<KnownDevice> find_known_device(Database& database, const DeviceId& device) {
    Query query = database.query(
        "SELECT (SELECT key FROM device_keys WHERE device = ?1), "
        "(SELECT account FROM open_devices WHERE device = ?1)");
    SOTTO_TRY(query.bind(Bytes{device}).step());
    KnownDevice known;
    if (const Bytes key = query.blob(0); !key.empty()) known.key.emplace(key.begin(), key.end());
    if (!query.is_null(1)) known.owner = AccountId{query.integer(1)};
    return known;
}

Result<std::vector<DeviceKey>> list_device_keys(Database& database) {
    return all_of(database.query("SELECT device, key, stored_ms FROM device_keys ORDER BY device"));
}

Status add_pending_key(Database& database, const DeviceKey& key) {
    Query query = database.query(
        "INSERT OR REPLACE INTO pending_keys (device, key, shown_ms) VALUES (?, ?, ?)");
    SOTTO_TRY(query.bind(Bytes{key.device}).bind(Bytes{key.key}).bind(key.stored_at).run());
    Query of_device = database.query(
        "DELETE FROM pending_keys WHERE device = ?1 AND key NOT IN (SELECT key FROM pending_keys "
        "WHERE device = ?1 ORDER BY shown_ms DESC LIMIT ?2)");
    SOTTO_TRY(of_device.bind(Bytes{key.device})
                  .bind(std::int64_t{store::kPendingKeysPerDeviceMax})
                  .run());
    Query count = database.query("SELECT count(*) FROM pending_keys");
    SOTTO_TRY(count.step());
    if (count.integer(0) <= std::int64_t{store::kPendingKeysMax}) return {};
    Query oldest = database.query(
        "DELETE FROM pending_keys WHERE (device, key) IN "
        "(SELECT device, key FROM pending_keys ORDER BY shown_ms LIMIT 1)");
    return oldest.run();
}

Result<std::vector<DeviceKey>> list_pending_keys(Database& database) {
    return all_of(database.query(
        "SELECT device, key, shown_ms FROM pending_keys ORDER BY device, shown_ms DESC"));
}

Status erase_device_key(Database& database, const DeviceId& device) {
    Query query = database.query("DELETE FROM device_keys WHERE device = ?");
    SOTTO_TRY(query.bind(Bytes{device}).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

}  // namespace sotto::cloud::store_sqlite::tables
