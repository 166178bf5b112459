// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/people_tables.hpp"

#include "cloud/store/limits.hpp"
#include "cloud/store_sqlite/product_tables.hpp"

namespace sotto::cloud::store_sqlite::tables {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

namespace {

std::int64_t number(ProductId product) { return product.value(); }

// The key of an environment: no bytes where it is of no device.
Bytes key_of(const std::optional<DeviceId>& device) { return device ? Bytes{*device} : Bytes{}; }

Status erase_all(Database& database, const char* sql, AccountId account) {
    Query query = database.query(sql);
    return query.bind(account.value()).run();
}

Result<std::vector<ProductId>> products_of(Database& database, AccountId account) {
    Query query = database.query("SELECT product FROM products WHERE account = ?");
    query.bind(account.value());
    std::vector<ProductId> products;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return products;
        products.emplace_back(static_cast<std::uint16_t>(query.integer(0)));
    }
}

}  // namespace

Result<std::vector<AccountInfo>> list_accounts(Database& database) {
    Query query = database.query(
        "SELECT a.account, a.name, a.created_ms, a.administrator, a.disabled, a.password <> '', "
        "a.otp_secret IS NOT NULL AND length(a.otp_secret) > 0, "
        "(SELECT count(*) FROM open_devices o WHERE o.account = a.account AND o.token IS NULL) + "
        "(SELECT count(*) FROM devices d WHERE d.account = a.account) "
        "FROM accounts a ORDER BY a.name");
    std::vector<AccountInfo> list;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return list;
        list.push_back({.account = AccountId{query.integer(0)},
                        .name = std::string{query.text(1)},
                        .created_at = Instant{query.integer(2)},
                        .is_administrator = query.integer(3) != 0,
                        .is_disabled = query.integer(4) != 0,
                        .has_password = query.integer(5) != 0,
                        .has_second_factor = query.integer(6) != 0,
                        .device_count = static_cast<std::size_t>(query.integer(7))});
    }
}

Status update_account(Database& database, AccountId account, const AccountChanges& changes) {
    Query query = database.query(
        "UPDATE accounts SET administrator = coalesce(nullif(?, -1), administrator), "
        "disabled = coalesce(nullif(?, -1), disabled) WHERE account = ?");
    const auto bit = [](const std::optional<bool>& value) {
        return value ? std::int64_t{*value} : std::int64_t{-1};
    };
    query.bind(bit(changes.is_administrator)).bind(bit(changes.is_disabled));
    SOTTO_TRY(query.bind(account.value()).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Status erase_account(Database& database, AccountId account) {
    Query known = database.query("SELECT 1 FROM accounts WHERE account = ?");
    SOTTO_TRY_ASSIGN(const bool is_known, known.bind(account.value()).step());
    if (!is_known) return Error::NotFound;
    SOTTO_TRY_ASSIGN(const auto products, products_of(database, account));
    for (const ProductId product : products) SOTTO_TRY(erase_product(database, account, product));
    for (const char* const sql : {"DELETE FROM tokens WHERE account = ?",
                                  "DELETE FROM open_devices WHERE account = ?",
                                  "DELETE FROM claim_codes WHERE account = ?",
                                  "DELETE FROM claims WHERE account = ?",
                                  "DELETE FROM integrations WHERE account = ?",
                                  "DELETE FROM oauth_clients WHERE account = ?",
                                  "DELETE FROM environments WHERE account = ?",
                                  "DELETE FROM tag_keys WHERE account = ?",
                                  "DELETE FROM link_contexts WHERE device IN (SELECT device FROM "
                                  "devices WHERE account = ?)",
                                  "DELETE FROM devices WHERE account = ?",
                                  "DELETE FROM labels WHERE account = ?",
                                  "DELETE FROM letters WHERE account = ?",
                                  "DELETE FROM mail_usage WHERE account = ?",
                                  "DELETE FROM accounts WHERE account = ?"})
        SOTTO_TRY(erase_all(database, sql, account));
    return {};
}

Status check_room_for_api_user(Database& database, const Token& token) {
    if (token.kind != TokenKind::ApiUser) return {};
    Query count = database.query("SELECT count(*) FROM tokens WHERE kind = 5 AND product = ?");
    SOTTO_TRY(count.bind(std::int64_t{token.product}).step());
    if (count.integer(0) >= std::int64_t{store::kApiUsersPerProductMax}) return Error::NoSpace;
    return {};
}

Result<std::vector<TokenInfo>> list_api_users(Database& database,
                                              AccountId account,
                                              ProductId product) {
    Query query = database.query(
        "SELECT hash, name, client, scopes, created_ms FROM tokens "
        "WHERE account = ? AND product = ? AND kind = 5 ORDER BY name");
    query.bind(account.value()).bind(number(product));
    std::vector<TokenInfo> list;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return list;
        SOTTO_TRY_ASSIGN(const TokenHash hash, TokenHash::from(query.blob(0)));
        list.push_back({.hash = hash,
                        .kind = TokenKind::ApiUser,
                        .name = std::string{query.text(1)},
                        .client = std::string{query.text(2)},
                        .scopes = static_cast<Scopes>(query.integer(3)),
                        .created_at = Instant{query.integer(4)},
                        .expires_at = {}});
    }
}

Status renew_api_user(Database& database, const Token& token, Instant now) {
    Query query = database.query(
        "UPDATE tokens SET hash = ?, created_ms = ?, scopes = ?, client = ? "
        "WHERE account = ? AND product = ? AND name = ? AND kind = 5");
    query.bind(Bytes{token.hash.bytes}).bind(now).bind(std::int64_t{token.scopes});
    query.bind(token.client).bind(token.account.value()).bind(std::int64_t{token.product});
    SOTTO_TRY(query.bind(token.name).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Status update_api_user(Database& database, const Token& token) {
    Query query = database.query(
        "UPDATE tokens SET scopes = ?, client = ? "
        "WHERE account = ? AND product = ? AND name = ? AND kind = 5");
    query.bind(std::int64_t{token.scopes}).bind(token.client).bind(token.account.value());
    SOTTO_TRY(query.bind(std::int64_t{token.product}).bind(token.name).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Status erase_api_user(Database& database,
                      AccountId account,
                      ProductId product,
                      const std::string& name) {
    Query query = database.query(
        "DELETE FROM tokens WHERE account = ? AND product = ? AND name = ? AND kind = 5");
    SOTTO_TRY(query.bind(account.value()).bind(number(product)).bind(name).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Result<EnvironmentRecord> find_environment(Database& database,
                                           AccountId account,
                                           ProductId product,
                                           const std::optional<DeviceId>& device) {
    Query query = database.query(
        "SELECT revision, definition FROM environments "
        "WHERE account = ? AND product = ? AND device = ?");
    query.bind(account.value()).bind(number(product)).bind(key_of(device));
    EnvironmentRecord record{.account = account, .product = product, .device = device};
    SOTTO_TRY_ASSIGN(const bool has_row, query.step());
    if (!has_row) return record;
    record.revision = query.integer(0);
    record.definition = query.text(1);
    return record;
}

Status save_environment(Database& database, const EnvironmentRecord& record) {
    SOTTO_TRY_ASSIGN(const auto known,
                     find_environment(database, record.account, record.product, record.device));
    if (record.revision != known.revision + 1) return Error::Refused;
    if (known.revision == 0) {
        Query count = database.query("SELECT count(*) FROM environments WHERE account = ?");
        SOTTO_TRY(count.bind(record.account.value()).step());
        if (count.integer(0) >= std::int64_t{store::kEnvironmentsPerAccountMax})
            return Error::NoSpace;
    }
    Query query = database.query(
        "INSERT INTO environments (account, product, device, revision, definition) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (account, product, device) DO UPDATE SET "
        "revision = excluded.revision, definition = excluded.definition");
    query.bind(record.account.value()).bind(number(record.product)).bind(key_of(record.device));
    return query.bind(record.revision).bind(record.definition).run();
}

}  // namespace sotto::cloud::store_sqlite::tables
