// SPDX-License-Identifier: Apache-2.0
// The part of SqliteStore that is about products and programs.
#include <utility>

#include "cloud/store_sqlite/product_tables.hpp"
#include "cloud/store_sqlite/sqlite_store.hpp"
#include "cloud/store_sqlite/typed_operation.hpp"

namespace sotto::cloud::store_sqlite {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary
using store::Done;

void SqliteStore::add_product(ProductRecord product, Done<void> done) {
    submit(kWrites, std::move(done), [product = std::move(product)](Database& database) {
        return tables::add_product(database, product);
    });
}

void SqliteStore::update_product(ProductRecord product, Done<void> done) {
    submit(kWrites, std::move(done), [product = std::move(product)](Database& database) {
        return tables::update_product(database, product);
    });
}

void SqliteStore::erase_product(AccountId account, ProductId product, Done<void> done) {
    submit(kWrites, std::move(done), [account, product](Database& database) {
        return tables::erase_product(database, account, product);
    });
}

void SqliteStore::list_products(Done<std::vector<ProductRecord>> done) {
    submit(kReads, std::move(done), [](Database& database) {
        return tables::list_products(database);
    });
}

void SqliteStore::add_group(AccountId account, GroupRecord group, Done<void> done) {
    submit(kWrites, std::move(done), [account, group = std::move(group)](Database& database) {
        return tables::add_group(database, account, group);
    });
}

void SqliteStore::update_group(AccountId account,
                               std::string name,
                               GroupRecord group,
                               Done<void> done) {
    submit(kWrites,
           std::move(done),
           [account, name = std::move(name), group = std::move(group)](Database& database) {
               return tables::update_group(database, account, name, group);
           });
}

void SqliteStore::erase_group(AccountId account,
                              ProductId product,
                              std::string name,
                              Done<void> done) {
    submit(
        kWrites, std::move(done), [account, product, name = std::move(name)](Database& database) {
            return tables::erase_group(database, account, product, name);
        });
}

void SqliteStore::list_groups(Done<std::vector<GroupRecord>> done) {
    submit(
        kReads, std::move(done), [](Database& database) { return tables::list_groups(database); });
}

void SqliteStore::add_product_device(AccountId account,
                                     ProductDevice device,
                                     Done<ProductDevice> done) {
    submit(kWrites, std::move(done), [account, device = std::move(device)](Database& database) {
        return tables::add_product_device(database, account, device);
    });
}

void SqliteStore::update_product_device(AccountId account,
                                        ProductId product,
                                        DeviceId device,
                                        ProductDeviceChanges changes,
                                        Done<ProductDevice> done) {
    submit(kWrites,
           std::move(done),
           [account, product, device, changes = std::move(changes)](Database& database) {
               return tables::update_product_device(database, account, product, device, changes);
           });
}

void SqliteStore::erase_product_device(AccountId account,
                                       ProductId product,
                                       DeviceId device,
                                       Done<void> done) {
    submit(kWrites, std::move(done), [account, product, device](Database& database) {
        return tables::erase_product_device(database, account, product, device);
    });
}

void SqliteStore::list_product_devices(Done<std::vector<ProductDevice>> done) {
    submit(kReads, std::move(done), [](Database& database) {
        return tables::list_product_devices(database);
    });
}

void SqliteStore::add_firmware(AccountId account,
                               FirmwareRecord firmware,
                               std::vector<std::uint8_t> image,
                               Done<void> done) {
    submit(kWrites,
           std::move(done),
           [account, firmware = std::move(firmware), image = std::move(image)](Database& database) {
               return tables::add_firmware(database, account, firmware, image);
           });
}

void SqliteStore::update_firmware(AccountId account, FirmwareRecord firmware, Done<void> done) {
    submit(kWrites, std::move(done), [account, firmware = std::move(firmware)](Database& database) {
        return tables::update_firmware(database, account, firmware);
    });
}

void SqliteStore::erase_firmware(AccountId account,
                                 ProductId product,
                                 FirmwareVersion version,
                                 Done<void> done) {
    submit(kWrites, std::move(done), [account, product, version](Database& database) {
        return tables::erase_firmware(database, account, product, version);
    });
}

void SqliteStore::load_firmware(AccountId account,
                                ProductId product,
                                FirmwareVersion version,
                                Done<std::vector<std::uint8_t>> done) {
    submit(kReads, std::move(done), [account, product, version](Database& database) {
        return tables::load_firmware(database, account, product, version);
    });
}

void SqliteStore::list_firmware(Done<std::vector<FirmwareRecord>> done) {
    submit(kReads, std::move(done), [](Database& database) {
        return tables::list_firmware(database);
    });
}

void SqliteStore::add_release(AccountId account, ReleaseRecord release, Done<ReleaseRecord> done) {
    submit(kWrites, std::move(done), [account, release = std::move(release)](Database& database) {
        return tables::add_release(database, account, release);
    });
}

void SqliteStore::update_release(AccountId account, ReleaseRecord release, Done<void> done) {
    submit(kWrites, std::move(done), [account, release = std::move(release)](Database& database) {
        return tables::update_release(database, account, release);
    });
}

void SqliteStore::list_releases(Done<std::vector<ReleaseRecord>> done) {
    submit(kReads, std::move(done), [](Database& database) {
        return tables::list_releases(database);
    });
}

void SqliteStore::add_client(ClientRecord client, Done<void> done) {
    submit(kWrites, std::move(done), [client = std::move(client)](Database& database) {
        return tables::add_client(database, client);
    });
}

void SqliteStore::update_client(ClientRecord client, Done<void> done) {
    submit(kWrites, std::move(done), [client = std::move(client)](Database& database) {
        return tables::update_client(database, client);
    });
}

void SqliteStore::erase_client(AccountId account, std::string id, Done<void> done) {
    submit(kWrites, std::move(done), [account, id = std::move(id)](Database& database) {
        return tables::erase_client(database, account, id);
    });
}

void SqliteStore::find_client(std::string id, Done<ClientRecord> done) {
    submit(kReads, std::move(done), [id = std::move(id)](Database& database) {
        return tables::find_client(database, id);
    });
}

void SqliteStore::list_clients(AccountId account, Done<std::vector<ClientRecord>> done) {
    submit(kReads, std::move(done), [account](Database& database) {
        return tables::list_clients(database, account);
    });
}

}  // namespace sotto::cloud::store_sqlite
