// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/hook_tables.hpp"

#include "cloud/store/limits.hpp"

namespace sotto::cloud::store_sqlite::tables {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

namespace {

// Whether the account has room for it beside its others.
Result<bool> has_room_for(Database& database, const HookRecord& hook) {
    Query query = database.query(
        "SELECT count(*), coalesce(sum(length(CAST(definition AS BLOB))), 0) FROM integrations "
        "WHERE account = ? AND id <> ?");
    SOTTO_TRY(query.bind(hook.account.value()).bind(Bytes{hook.id.bytes}).step());
    return query.integer(0) < static_cast<std::int64_t>(store::kHooksPerAccountMax) &&
           query.integer(1) + static_cast<std::int64_t>(hook.definition.size()) <=
               static_cast<std::int64_t>(store::kHookBytesPerAccountMax);
}

}  // namespace

Status add_hook(Database& database, const HookRecord& hook) {
    SOTTO_TRY_ASSIGN(const bool has_room, has_room_for(database, hook));
    if (!has_room) return Error::NoSpace;
    Query query = database.query(
        "INSERT INTO integrations (id, account, definition, created_ms, updated_ms, product) "
        "VALUES (?, ?, ?, ?, ?, ?)");
    query.bind(Bytes{hook.id.bytes}).bind(hook.account.value()).bind(hook.definition);
    query.bind(hook.created_at).bind(hook.updated_at);
    return query.bind(std::int64_t{hook.product}).run();
}

Status update_hook(Database& database, const HookRecord& hook) {
    Query known = database.query("SELECT 1 FROM integrations WHERE id = ? AND account = ?");
    SOTTO_TRY_ASSIGN(const bool is_known,
                     known.bind(Bytes{hook.id.bytes}).bind(hook.account.value()).step());
    if (!is_known) return Error::NotFound;
    SOTTO_TRY_ASSIGN(const bool has_room, has_room_for(database, hook));
    if (!has_room) return Error::NoSpace;
    Query query = database.query(
        "UPDATE integrations SET definition = ?, updated_ms = ? WHERE id = ? AND account = ?");
    query.bind(hook.definition).bind(hook.updated_at);
    return query.bind(Bytes{hook.id.bytes}).bind(hook.account.value()).run();
}

Status erase_hook(Database& database, AccountId account, const HookId& id) {
    Query query = database.query("DELETE FROM integrations WHERE id = ? AND account = ?");
    SOTTO_TRY(query.bind(Bytes{id.bytes}).bind(account.value()).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Result<std::vector<HookRecord>> list_hooks(Database& database) {
    Query query = database.query(
        "SELECT id, account, definition, created_ms, updated_ms, product FROM integrations "
        "ORDER BY place");
    std::vector<HookRecord> hooks;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return hooks;
        SOTTO_TRY_ASSIGN(const HookId id, HookId::from(query.blob(0)));
        hooks.push_back({.id = id,
                         .account = AccountId{query.integer(1)},
                         .definition = std::string{query.text(2)},
                         .created_at = Instant{query.integer(3)},
                         .updated_at = Instant{query.integer(4)},
                         .product = static_cast<std::uint16_t>(query.integer(5))});
    }
}

}  // namespace sotto::cloud::store_sqlite::tables
