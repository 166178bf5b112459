// SPDX-License-Identifier: Apache-2.0
// As tables.hpp: products with their devices, groups, firmware and releases, and programs.
#pragma once

#include <string>
#include <vector>

#include "cloud/model/products.hpp"
#include "cloud/store_sqlite/database.hpp"

namespace sotto::cloud::store_sqlite::tables {

// Error::NotFound if it is none of the account.
Status check_product(Database& database, model::AccountId account, model::ProductId product);

Status add_product(Database& database, const model::ProductRecord& product);
Status update_product(Database& database, const model::ProductRecord& product);
Status erase_product(Database& database, model::AccountId account, model::ProductId product);
Result<std::vector<model::ProductRecord>> list_products(Database& database);

Status add_group(Database& database, model::AccountId account, const model::GroupRecord& group);
Status update_group(Database& database,
                    model::AccountId account,
                    const std::string& name,
                    const model::GroupRecord& group);
Status erase_group(Database& database,
                   model::AccountId account,
                   model::ProductId product,
                   const std::string& name);
Result<std::vector<model::GroupRecord>> list_groups(Database& database);

Result<model::ProductDevice> add_product_device(Database& database,
                                                model::AccountId account,
                                                const model::ProductDevice& device);
Result<model::ProductDevice> update_product_device(Database& database,
                                                   model::AccountId account,
                                                   model::ProductId product,
                                                   const model::DeviceId& device,
                                                   const model::ProductDeviceChanges& changes);
Status erase_product_device(Database& database,
                            model::AccountId account,
                            model::ProductId product,
                            const model::DeviceId& device);
Result<std::vector<model::ProductDevice>> list_product_devices(Database& database);

Status add_firmware(Database& database,
                    model::AccountId account,
                    const model::FirmwareRecord& firmware,
                    Bytes image);
Status update_firmware(Database& database,
                       model::AccountId account,
                       const model::FirmwareRecord& firmware);
Status erase_firmware(Database& database,
                      model::AccountId account,
                      model::ProductId product,
                      model::FirmwareVersion version);
Result<std::vector<std::uint8_t>> load_firmware(Database& database,
                                                model::AccountId account,
                                                model::ProductId product,
                                                model::FirmwareVersion version);
Result<std::vector<model::FirmwareRecord>> list_firmware(Database& database);

Result<model::ReleaseRecord> add_release(Database& database,
                                         model::AccountId account,
                                         const model::ReleaseRecord& release);
Status update_release(Database& database,
                      model::AccountId account,
                      const model::ReleaseRecord& release);
Result<std::vector<model::ReleaseRecord>> list_releases(Database& database);

Status add_client(Database& database, const model::ClientRecord& client);
Status update_client(Database& database, const model::ClientRecord& client);
Status erase_client(Database& database, model::AccountId account, const std::string& id);
Result<model::ClientRecord> find_client(Database& database, const std::string& id);
Result<std::vector<model::ClientRecord>> list_clients(Database& database, model::AccountId account);

}  // namespace sotto::cloud::store_sqlite::tables
