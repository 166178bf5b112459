// SPDX-License-Identifier: Apache-2.0
// As tables.hpp: the operations on users, tokens of programs, open devices and the audit log.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cloud/model/accounts.hpp"
#include "cloud/store_sqlite/database.hpp"

namespace sotto::cloud::store_sqlite::tables {

Result<model::Login> find_login(Database& database, const std::string& name);
Status set_otp_secret(Database& database, model::AccountId account, Bytes secret);
Status use_otp(Database& database, model::AccountId account, std::int64_t step);
Status set_password(Database& database, model::AccountId account, const std::string& password);
Status renew_password(Database& database,
                      model::AccountId account,
                      const std::string& old,
                      const std::string& renewed);
Status make_room_for_token(Database& database, const model::Token& token, Instant now);
Result<model::Access> find_access(Database& database, const model::TokenHash& hash, Instant now);
Result<model::Access> take_refresh(Database& database, const model::TokenHash& hash, Instant now);
Result<std::vector<model::TokenInfo>> list_tokens(Database& database,
                                                  model::AccountId account,
                                                  Instant now);
Status erase_token(Database& database,
                   const model::TokenHash& hash,
                   std::optional<model::AccountId> account);
Result<std::size_t> erase_tokens(Database& database, model::AccountId account);

Result<model::OpenDeviceRecord> claim_open_device(Database& database,
                                                  const model::DeviceId& device,
                                                  model::AccountId account,
                                                  Instant now);
Status create_claim_code(Database& database,
                         const model::OpenClaim& claim,
                         std::size_t open_max,
                         Instant now);
Result<model::OpenDeviceRecord> redeem_claim_code(Database& database,
                                                  const model::TokenHash& hash,
                                                  const model::DeviceId& device,
                                                  Instant now);
Result<std::optional<model::OpenDeviceRecord>> find_open_device(Database& database,
                                                                const model::DeviceId& device);
Result<std::vector<model::OpenDeviceRecord>> list_open_devices(Database& database,
                                                               model::AccountId account);
Result<model::OpenDeviceRecord> update_open_device(Database& database,
                                                   model::AccountId account,
                                                   const model::DeviceId& device,
                                                   const model::DeviceChanges& changes);
Status release_open_device(Database& database,
                           model::AccountId account,
                           const model::DeviceId& device);
Result<model::Opening> set_opening(Database& database, const model::Opening& opening, Instant now);
Result<std::vector<model::Opening>> list_openings(Database& database);
Status erase_opening(Database& database, model::AccountId account, const model::DeviceId& device);
// The device belongs to this account now.
Status erase_opening_of_others(Database& database,
                               const model::DeviceId& device,
                               model::AccountId account);
Status save_traces(Database& database,
                   const model::DeviceId& device,
                   const model::DeviceTraces& traces);

Result<model::OpenDeviceRecord> provision_device(Database& database,
                                                 const model::DeviceKey& key,
                                                 model::AccountId account);

Status add_audit(Database& database, const model::AuditEntry& entry);
Result<std::vector<model::AuditEntry>> list_audit(Database& database,
                                                  std::optional<model::AccountId> account,
                                                  std::size_t count_max);

}  // namespace sotto::cloud::store_sqlite::tables
