// SPDX-License-Identifier: Apache-2.0
// As tables.hpp: integrations.
#pragma once

#include <vector>

#include "cloud/model/accounts.hpp"
#include "cloud/store_sqlite/database.hpp"

namespace sotto::cloud::store_sqlite::tables {

Status add_hook(Database& database, const model::HookRecord& hook);
Status update_hook(Database& database, const model::HookRecord& hook);
Status erase_hook(Database& database, model::AccountId account, const model::HookId& id);
Result<std::vector<model::HookRecord>> list_hooks(Database& database);

}  // namespace sotto::cloud::store_sqlite::tables
