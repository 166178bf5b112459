// SPDX-License-Identifier: Apache-2.0
// The part of SqliteStore that is about accounts as an administrator sees them, programs of
// products and environment variables.
#include <utility>

#include "cloud/store_sqlite/people_tables.hpp"
#include "cloud/store_sqlite/sqlite_store.hpp"
#include "cloud/store_sqlite/typed_operation.hpp"

namespace sotto::cloud::store_sqlite {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary
using store::Done;

void SqliteStore::list_accounts(Done<std::vector<AccountInfo>> done) {
    submit(kReads, std::move(done), [](Database& database) {
        return tables::list_accounts(database);
    });
}

void SqliteStore::update_account(AccountId account, AccountChanges changes, Done<void> done) {
    submit(kWrites, std::move(done), [account, changes](Database& database) {
        return tables::update_account(database, account, changes);
    });
}

void SqliteStore::erase_account(AccountId account, Done<void> done) {
    submit(kWrites, std::move(done), [account](Database& database) {
        return tables::erase_account(database, account);
    });
}

void SqliteStore::list_api_users(AccountId account,
                                 ProductId product,
                                 Done<std::vector<TokenInfo>> done) {
    submit(kReads, std::move(done), [account, product](Database& database) {
        return tables::list_api_users(database, account, product);
    });
}

void SqliteStore::renew_api_user(Token token, Instant now, Done<void> done) {
    submit(kWrites, std::move(done), [token = std::move(token), now](Database& database) {
        return tables::renew_api_user(database, token, now);
    });
}

void SqliteStore::update_api_user(Token token, Done<void> done) {
    submit(kWrites, std::move(done), [token = std::move(token)](Database& database) {
        return tables::update_api_user(database, token);
    });
}

void SqliteStore::erase_api_user(AccountId account,
                                 ProductId product,
                                 std::string name,
                                 Done<void> done) {
    submit(
        kWrites, std::move(done), [account, product, name = std::move(name)](Database& database) {
            return tables::erase_api_user(database, account, product, name);
        });
}

void SqliteStore::find_environment(AccountId account,
                                   ProductId product,
                                   std::optional<DeviceId> device,
                                   Done<EnvironmentRecord> done) {
    submit(kReads, std::move(done), [account, product, device](Database& database) {
        return tables::find_environment(database, account, product, device);
    });
}

void SqliteStore::save_environment(EnvironmentRecord record, Done<void> done) {
    submit(kWrites, std::move(done), [record = std::move(record)](Database& database) {
        return tables::save_environment(database, record);
    });
}

}  // namespace sotto::cloud::store_sqlite
