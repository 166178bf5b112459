// SPDX-License-Identifier: Apache-2.0
// Of product_tables.hpp: firmware, releases and programs.
#include <algorithm>

#include "cloud/store/limits.hpp"
#include "cloud/store_sqlite/names.hpp"
#include "cloud/store_sqlite/product_tables.hpp"

namespace sotto::cloud::store_sqlite::tables {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

namespace {

std::int64_t number(ProductId product) { return product.value(); }

Result<bool> has_room_for(Database& database, AccountId account, const FirmwareRecord& firmware) {
    Query count = database.query("SELECT count(*) FROM product_firmware WHERE product = ?");
    SOTTO_TRY(count.bind(number(firmware.product)).step());
    if (count.integer(0) >= std::int64_t{store::kFirmwaresPerProductMax}) return false;
    Query size = database.query(
        "SELECT coalesce(sum(size), 0) FROM product_firmware JOIN products USING (product) "
        "WHERE account = ?");
    SOTTO_TRY(size.bind(account.value()).step());
    return size.integer(0) + static_cast<std::int64_t>(firmware.size) <=
           std::int64_t{store::kFirmwareBytesPerAccountMax};
}

}  // namespace

Status add_firmware(Database& database,
                    AccountId account,
                    const FirmwareRecord& firmware,
                    Bytes image) {
    SOTTO_TRY(check_product(database, account, firmware.product));
    {
        Query taken =
            database.query("SELECT 1 FROM product_firmware WHERE product = ? AND version = ?");
        taken.bind(number(firmware.product)).bind(std::int64_t{firmware.version});
        SOTTO_TRY_ASSIGN(const bool is_taken, taken.step());
        if (is_taken) return Error::AlreadyExists;
    }
    SOTTO_TRY_ASSIGN(const bool has_room, has_room_for(database, account, firmware));
    if (!has_room) return Error::NoSpace;
    Query query = database.query(
        "INSERT INTO product_firmware (product, version, title, description, file_name, size, "
        "uploaded_ms, image) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    query.bind(number(firmware.product)).bind(std::int64_t{firmware.version});
    query.bind(firmware.title).bind(firmware.description).bind(firmware.file_name);
    query.bind(static_cast<std::int64_t>(firmware.size)).bind(firmware.uploaded_at);
    return query.bind(image).run();
}

Status update_firmware(Database& database, AccountId account, const FirmwareRecord& firmware) {
    SOTTO_TRY(check_product(database, account, firmware.product));
    Query query = database.query(
        "UPDATE product_firmware SET title = ?, description = ? WHERE product = ? AND version = ?");
    query.bind(firmware.title).bind(firmware.description).bind(number(firmware.product));
    SOTTO_TRY(query.bind(std::int64_t{firmware.version}).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Status erase_firmware(Database& database,
                      AccountId account,
                      ProductId product,
                      FirmwareVersion version) {
    SOTTO_TRY(check_product(database, account, product));
    Query query = database.query("DELETE FROM product_firmware WHERE product = ? AND version = ?");
    SOTTO_TRY(query.bind(number(product)).bind(std::int64_t{version}).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Result<std::vector<std::uint8_t>> load_firmware(Database& database,
                                                AccountId account,
                                                ProductId product,
                                                FirmwareVersion version) {
    SOTTO_TRY(check_product(database, account, product));
    Query query =
        database.query("SELECT image FROM product_firmware WHERE product = ? AND version = ?");
    SOTTO_TRY_ASSIGN(const bool has_row,
                     query.bind(number(product)).bind(std::int64_t{version}).step());
    if (!has_row) return Error::NotFound;
    const Bytes image = query.blob(0);
    return std::vector<std::uint8_t>{image.begin(), image.end()};
}

Result<std::vector<FirmwareRecord>> list_firmware(Database& database) {
    Query query = database.query(
        "SELECT product, version, title, description, file_name, size, uploaded_ms "
        "FROM product_firmware ORDER BY product, version");
    std::vector<FirmwareRecord> records;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return records;
        records.push_back({.product = ProductId{static_cast<std::uint16_t>(query.integer(0))},
                           .version = static_cast<FirmwareVersion>(query.integer(1)),
                           .title = std::string{query.text(2)},
                           .description = std::string{query.text(3)},
                           .file_name = std::string{query.text(4)},
                           .size = static_cast<std::size_t>(query.integer(5)),
                           .uploaded_at = Instant{query.integer(6)}});
    }
}

Result<ReleaseRecord> add_release(Database& database,
                                  AccountId account,
                                  const ReleaseRecord& release) {
    SOTTO_TRY(check_product(database, account, release.product));
    Query oldest = database.query(
        "DELETE FROM product_releases WHERE release IN (SELECT release FROM product_releases "
        "WHERE product = ? ORDER BY release DESC LIMIT -1 OFFSET ?)");
    oldest.bind(number(release.product));
    SOTTO_TRY(oldest.bind(std::int64_t{store::kReleasesPerProductMax - 1}).run());
    Query query = database.query(
        "INSERT INTO product_releases (product, version, is_default, groups, immediate, "
        "released_ms, state, succeeded, failed, recent, why) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, '', '')");
    const std::string groups = join_names(release.groups);
    query.bind(number(release.product)).bind(std::int64_t{release.version});
    query.bind(std::int64_t{release.is_default}).bind(groups);
    query.bind(std::int64_t{release.is_immediate}).bind(release.released_at);
    SOTTO_TRY(query.bind(static_cast<std::int64_t>(release.state)).run());
    ReleaseRecord added = release;
    added.id = ReleaseId{database.last_row_id()};
    return added;
}

Status update_release(Database& database, AccountId account, const ReleaseRecord& release) {
    SOTTO_TRY(check_product(database, account, release.product));
    Query query = database.query(
        "UPDATE product_releases SET state = ?, succeeded = ?, failed = ?, recent = ?, why = ? "
        "WHERE release = ? AND product = ?");
    query.bind(static_cast<std::int64_t>(release.state));
    query.bind(static_cast<std::int64_t>(release.succeeded));
    query.bind(static_cast<std::int64_t>(release.failed)).bind(release.recent).bind(release.why);
    SOTTO_TRY(query.bind(release.id.value()).bind(number(release.product)).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Result<std::vector<ReleaseRecord>> list_releases(Database& database) {
    Query query = database.query(
        "SELECT release, product, version, is_default, groups, immediate, released_ms, state, "
        "succeeded, failed, recent, why FROM product_releases ORDER BY release");
    std::vector<ReleaseRecord> records;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return records;
        records.push_back({.id = ReleaseId{query.integer(0)},
                           .product = ProductId{static_cast<std::uint16_t>(query.integer(1))},
                           .version = static_cast<FirmwareVersion>(query.integer(2)),
                           .is_default = query.integer(3) != 0,
                           .groups = split_names(query.text(4)),
                           .is_immediate = query.integer(5) != 0,
                           .released_at = Instant{query.integer(6)},
                           .state = static_cast<ReleaseState>(query.integer(7)),
                           .succeeded = static_cast<std::size_t>(query.integer(8)),
                           .failed = static_cast<std::size_t>(query.integer(9)),
                           .recent = std::string{query.text(10)},
                           .why = std::string{query.text(11)}});
    }
}

// Programs.

namespace {

Result<ClientRecord> client_in(const Query& row) {
    SOTTO_TRY_ASSIGN(const TokenHash secret, TokenHash::from(row.blob(7)));
    return ClientRecord{.id = std::string{row.text(0)},
                        .account = AccountId{row.integer(1)},
                        .product = ProductId{static_cast<std::uint16_t>(row.integer(2))},
                        .name = std::string{row.text(3)},
                        .type = std::string{row.text(4)},
                        .redirect_uri = std::string{row.text(5)},
                        .scope = std::string{row.text(6)},
                        .secret = secret,
                        .created_at = Instant{row.integer(8)}};
}

}  // namespace

Status add_client(Database& database, const ClientRecord& client) {
    Query count = database.query("SELECT count(*) FROM oauth_clients WHERE account = ?");
    SOTTO_TRY(count.bind(client.account.value()).step());
    if (count.integer(0) >= std::int64_t{store::kClientsPerAccountMax}) return Error::NoSpace;
    Query query = database.query(
        "INSERT INTO oauth_clients (id, account, product, name, type, redirect_uri, scope, secret, "
        "created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query.bind(client.id).bind(client.account.value()).bind(number(client.product));
    query.bind(client.name).bind(client.type).bind(client.redirect_uri).bind(client.scope);
    return query.bind(Bytes{client.secret.bytes}).bind(client.created_at).run();
}

Status update_client(Database& database, const ClientRecord& client) {
    Query query =
        database.query("UPDATE oauth_clients SET name = ?, scope = ? WHERE id = ? AND account = ?");
    query.bind(client.name).bind(client.scope).bind(client.id);
    SOTTO_TRY(query.bind(client.account.value()).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Status erase_client(Database& database, AccountId account, const std::string& id) {
    Query query = database.query("DELETE FROM oauth_clients WHERE id = ? AND account = ?");
    SOTTO_TRY(query.bind(id).bind(account.value()).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Result<ClientRecord> find_client(Database& database, const std::string& id) {
    Query query = database.query(
        "SELECT id, account, product, name, type, redirect_uri, scope, secret, created_ms "
        "FROM oauth_clients WHERE id = ?");
    SOTTO_TRY_ASSIGN(const bool has_row, query.bind(id).step());
    if (!has_row) return Error::NotFound;
    return client_in(query);
}

Result<std::vector<ClientRecord>> list_clients(Database& database, AccountId account) {
    Query query = database.query(
        "SELECT id, account, product, name, type, redirect_uri, scope, secret, created_ms "
        "FROM oauth_clients WHERE account = ? ORDER BY place");
    query.bind(account.value());
    std::vector<ClientRecord> clients;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return clients;
        SOTTO_TRY_ASSIGN(ClientRecord client, client_in(query));
        clients.push_back(std::move(client));
    }
}

}  // namespace sotto::cloud::store_sqlite::tables
