// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/device_reader.hpp"

#include "cloud/store_sqlite/key_tables.hpp"

namespace sotto::cloud::store_sqlite {

namespace {

constexpr Duration kBusyTimeout = seconds(1);
// What is read is not read again soon: the cache of the system is enough.
constexpr const char* kSmallCache = "PRAGMA cache_size = -256";  // KiB

}  // namespace

Result<model::KnownDevice> SqliteDeviceReader::find(const model::DeviceId& device) {
    if (!database_) {
        auto opened = Database::open(path_, Database::Mode::OpenToRead, kBusyTimeout);
        if (!opened) return opened.error().code;
        SOTTO_TRY((*opened)->execute(kSmallCache));
        database_ = *std::move(opened);
    }
    auto known = tables::find_known_device(*database_, device);
    if (!known) database_.reset();
    return known;
}

}  // namespace sotto::cloud::store_sqlite
