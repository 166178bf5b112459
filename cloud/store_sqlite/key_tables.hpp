// SPDX-License-Identifier: Apache-2.0
// As tables.hpp: the keys of legacy devices.
#pragma once

#include <optional>
#include <vector>

#include "cloud/model/accounts.hpp"
#include "cloud/store_sqlite/database.hpp"

namespace sotto::cloud::store_sqlite::tables {

Status set_device_key(Database& database, const model::DeviceKey& key);
Status add_device_key(Database& database, const model::DeviceKey& key, std::size_t count_max);
Result<std::optional<model::DeviceKey>> find_device_key(Database& database,
                                                        const model::DeviceId& device);
Result<model::KnownDevice> find_known_device(Database& database, const model::DeviceId& device);
Result<std::vector<model::DeviceKey>> list_device_keys(Database& database);
Status add_pending_key(Database& database, const model::DeviceKey& key);
Result<std::vector<model::DeviceKey>> list_pending_keys(Database& database);
Status erase_device_key(Database& database, const model::DeviceId& device);

}  // namespace sotto::cloud::store_sqlite::tables
