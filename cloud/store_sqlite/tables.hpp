// SPDX-License-Identifier: Apache-2.0
// The operations of the Store on the tables, one by one and synchronous. The caller holds the
// transaction. An operation answers an error that the Store names before it writes anything; any
// other error means that the transaction must be undone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cloud/model/records.hpp"
#include "cloud/store/store.hpp"
#include "cloud/store_sqlite/database.hpp"

namespace sotto::cloud::store_sqlite::tables {

Result<model::AccountId> create_account(Database& database, const std::string& name, Instant now);
Result<model::AccountId> find_account(Database& database, const std::string& name);
Status add_token(Database& database, const model::Token& token, Instant now);
Result<model::TokenHolder> find_token(Database& database,
                                      const model::TokenHash& hash,
                                      model::TokenKind kind);

Status create_claim(Database& database,
                    const model::Claim& claim,
                    std::size_t open_max,
                    Instant now);
Result<model::Registration> redeem_claim(Database& database,
                                         const model::ClaimCode& code,
                                         const model::DeviceId& device,
                                         const model::CredentialHash& credential,
                                         Instant now);

Result<model::DeviceRecord> load_device(Database& database, const model::DeviceId& device);
Result<std::vector<model::Registration>> list_devices(Database& database, model::AccountId account);
Result<model::Label> allocate_label(Database& database,
                                    const model::DeviceId& device,
                                    const model::AppAddress& app);

Result<model::Sequence> put(Database& database,
                            const model::Letter& letter,
                            const store::Store::PutLimits& limits);
Result<std::vector<model::StoredLetter>> list(Database& database,
                                              const model::Mailbox& mailbox,
                                              model::Sequence after,
                                              std::size_t count_max,
                                              Instant now);
Status erase(Database& database, const model::Mailbox& mailbox, model::Sequence last);
Status erase_each(Database& database,
                  const model::Mailbox& mailbox,
                  const std::vector<model::Sequence>& sequences);
Result<model::Purged> purge(Database& database, Instant now);

Status save_link_context(Database& database, const model::DeviceId& device, Bytes context);
Result<std::optional<std::vector<std::uint8_t>>> load_link_context(Database& database,
                                                                   const model::DeviceId& device);
Status erase_link_context(Database& database, const model::DeviceId& device);
Status erase_link_contexts(Database& database);

Status set_setting(Database& database, const std::string& name, const std::string& value);
Result<std::optional<std::string>> get_setting(Database& database, const std::string& name);

}  // namespace sotto::cloud::store_sqlite::tables
