// SPDX-License-Identifier: Apache-2.0
// As account_tables.hpp: the keys of the tags of sealed devices.
#pragma once

#include <vector>

#include "cloud/model/tags.hpp"
#include "cloud/store_sqlite/database.hpp"

namespace sotto::cloud::store_sqlite::tables {

Status set_tag_key(Database& database, const model::TagKey& key);
Result<std::vector<model::TagKey>> list_tag_keys(Database& database, model::AccountId account);
Status erase_tag_key(Database& database, model::AccountId account, const model::DeviceId& device);
// The device is of this account now.
Status erase_tag_key_of_others(Database& database,
                               const model::DeviceId& device,
                               model::AccountId account);

}  // namespace sotto::cloud::store_sqlite::tables
