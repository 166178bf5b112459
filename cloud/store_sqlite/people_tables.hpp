// SPDX-License-Identifier: Apache-2.0
// As tables.hpp: accounts as an administrator sees them, programs of products, environment
// variables.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cloud/model/people.hpp"
#include "cloud/store_sqlite/database.hpp"

namespace sotto::cloud::store_sqlite::tables {

Result<std::vector<model::AccountInfo>> list_accounts(Database& database);
Status update_account(Database& database,
                      model::AccountId account,
                      const model::AccountChanges& changes);
Status erase_account(Database& database, model::AccountId account);

Status check_room_for_api_user(Database& database, const model::Token& token);
Result<std::vector<model::TokenInfo>> list_api_users(Database& database,
                                                     model::AccountId account,
                                                     model::ProductId product);
Status renew_api_user(Database& database, const model::Token& token, Instant now);
Status update_api_user(Database& database, const model::Token& token);
Status erase_api_user(Database& database,
                      model::AccountId account,
                      model::ProductId product,
                      const std::string& name);

Result<model::EnvironmentRecord> find_environment(Database& database,
                                                  model::AccountId account,
                                                  model::ProductId product,
                                                  const std::optional<model::DeviceId>& device);
Status save_environment(Database& database, const model::EnvironmentRecord& record);

}  // namespace sotto::cloud::store_sqlite::tables
