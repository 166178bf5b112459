// SPDX-License-Identifier: Apache-2.0
// The part of SqliteStore that is about the keys of legacy devices.
#include <utility>

#include "cloud/store_sqlite/account_tables.hpp"
#include "cloud/store_sqlite/device_reader.hpp"
#include "cloud/store_sqlite/key_tables.hpp"
#include "cloud/store_sqlite/sqlite_store.hpp"
#include "cloud/store_sqlite/typed_operation.hpp"

namespace sotto::cloud::store_sqlite {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary
using store::Done;

void SqliteStore::provision_device(DeviceKey key, AccountId account, Done<OpenDeviceRecord> done) {
    submit(kWrites, std::move(done), [key = std::move(key), account](Database& database) {
        return tables::provision_device(database, key, account);
    });
}

void SqliteStore::set_device_key(DeviceKey key, Done<void> done) {
    submit(kWrites, std::move(done), [key = std::move(key)](Database& database) {
        return tables::set_device_key(database, key);
    });
}

void SqliteStore::add_device_key(DeviceKey key, std::size_t count_max, Done<void> done) {
    submit(kWrites, std::move(done), [key = std::move(key), count_max](Database& database) {
        return tables::add_device_key(database, key, count_max);
    });
}

void SqliteStore::find_device_key(const DeviceId& device, Done<std::optional<DeviceKey>> done) {
    submit(kReads, std::move(done), [device](Database& database) {
        return tables::find_device_key(database, device);
    });
}

std::unique_ptr<store::DeviceReader> SqliteStore::make_device_reader() {
    return std::make_unique<SqliteDeviceReader>(path_);
}

void SqliteStore::list_device_keys(Done<std::vector<DeviceKey>> done) {
    submit(kReads, std::move(done), [](Database& database) {
        return tables::list_device_keys(database);
    });
}

void SqliteStore::add_pending_key(DeviceKey key, Done<void> done) {
    submit(kWrites, std::move(done), [key = std::move(key)](Database& database) {
        return tables::add_pending_key(database, key);
    });
}

void SqliteStore::list_pending_keys(Done<std::vector<DeviceKey>> done) {
    submit(kReads, std::move(done), [](Database& database) {
        return tables::list_pending_keys(database);
    });
}

void SqliteStore::erase_device_key(const DeviceId& device, Done<void> done) {
    submit(kWrites, std::move(done), [device](Database& database) {
        return tables::erase_device_key(database, device);
    });
}

}  // namespace sotto::cloud::store_sqlite
