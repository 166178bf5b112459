// SPDX-License-Identifier: Apache-2.0
// The part of SqliteStore that is about integrations.
#include <utility>

#include "cloud/store_sqlite/hook_tables.hpp"
#include "cloud/store_sqlite/sqlite_store.hpp"
#include "cloud/store_sqlite/typed_operation.hpp"

namespace sotto::cloud::store_sqlite {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary
using store::Done;

void SqliteStore::add_hook(HookRecord hook, Done<void> done) {
    submit(kWrites, std::move(done), [hook = std::move(hook)](Database& database) {
        return tables::add_hook(database, hook);
    });
}

void SqliteStore::update_hook(HookRecord hook, Done<void> done) {
    submit(kWrites, std::move(done), [hook = std::move(hook)](Database& database) {
        return tables::update_hook(database, hook);
    });
}

void SqliteStore::erase_hook(AccountId account, const HookId& id, Done<void> done) {
    submit(kWrites, std::move(done), [account, id](Database& database) {
        return tables::erase_hook(database, account, id);
    });
}

void SqliteStore::list_hooks(Done<std::vector<HookRecord>> done) {
    submit(
        kReads, std::move(done), [](Database& database) { return tables::list_hooks(database); });
}

}  // namespace sotto::cloud::store_sqlite
