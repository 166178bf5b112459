// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/product_tables.hpp"

#include <algorithm>

#include "cloud/model/product_changes.hpp"
#include "cloud/store/limits.hpp"
#include "cloud/store_sqlite/names.hpp"

namespace sotto::cloud::store_sqlite::tables {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

namespace {

std::int64_t number(ProductId product) { return product.value(); }

Status fill(Bytes bytes, DeviceId& out) {
    if (bytes.size() != out.size()) return Error::Malformed;
    std::ranges::copy(bytes, out.begin());
    return {};
}

template <class T, class Read>
Result<std::vector<T>> read_all(Query& query, const Read& read) {
    std::vector<T> records;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return records;
        SOTTO_TRY_ASSIGN(T record, read(query));
        records.push_back(std::move(record));
    }
}

}  // namespace

Status check_product(Database& database, AccountId account, ProductId product) {
    Query query = database.query("SELECT 1 FROM products WHERE product = ? AND account = ?");
    SOTTO_TRY_ASSIGN(const bool is_known, query.bind(number(product)).bind(account.value()).step());
    if (!is_known) return Error::NotFound;
    return {};
}

namespace {

Status check_slug(Database& database, const ProductRecord& product) {
    Query query =
        database.query("SELECT 1 FROM products WHERE account = ? AND slug = ? AND product <> ?");
    query.bind(product.account.value()).bind(product.slug).bind(number(product.id));
    SOTTO_TRY_ASSIGN(const bool is_taken, query.step());
    if (is_taken) return Error::AlreadyExists;
    return {};
}

// Everything that the product has of one kind.
Status erase_all(Database& database, const char* sql, ProductId product) {
    Query query = database.query(sql);
    return query.bind(number(product)).run();
}

}  // namespace

Status add_product(Database& database, const ProductRecord& product) {
    Query taken = database.query("SELECT 1 FROM products WHERE product = ?");
    SOTTO_TRY_ASSIGN(const bool is_taken, taken.bind(number(product.id)).step());
    if (is_taken) return Error::AlreadyExists;
    SOTTO_TRY(check_slug(database, product));
    Query count = database.query("SELECT count(*) FROM products WHERE account = ?");
    SOTTO_TRY(count.bind(product.account.value()).step());
    if (count.integer(0) >= std::int64_t{store::kProductsPerAccountMax}) return Error::NoSpace;
    Query query = database.query(
        "INSERT INTO products (product, account, slug, name, description, platform, created_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)");
    query.bind(number(product.id)).bind(product.account.value()).bind(product.slug);
    query.bind(product.name).bind(product.description).bind(std::int64_t{product.platform});
    return query.bind(product.created_at).run();
}

Status update_product(Database& database, const ProductRecord& product) {
    SOTTO_TRY(check_product(database, product.account, product.id));
    SOTTO_TRY(check_slug(database, product));
    Query query = database.query(
        "UPDATE products SET slug = ?, name = ?, description = ? WHERE product = ? AND account = "
        "?");
    query.bind(product.slug).bind(product.name).bind(product.description);
    return query.bind(number(product.id)).bind(product.account.value()).run();
}

Status erase_product(Database& database, AccountId account, ProductId product) {
    SOTTO_TRY(check_product(database, account, product));
    for (const char* const sql : {"DELETE FROM product_groups WHERE product = ?",
                                  "DELETE FROM product_devices WHERE product = ?",
                                  "DELETE FROM product_firmware WHERE product = ?",
                                  "DELETE FROM product_releases WHERE product = ?",
                                  "DELETE FROM oauth_clients WHERE product = ?",
                                  "DELETE FROM integrations WHERE product = ?",
                                  "DELETE FROM tokens WHERE product = ?",
                                  "DELETE FROM environments WHERE product = ?",
                                  "DELETE FROM products WHERE product = ?"})
        SOTTO_TRY(erase_all(database, sql, product));
    return {};
}

Result<std::vector<ProductRecord>> list_products(Database& database) {
    Query query = database.query(
        "SELECT product, account, slug, name, description, platform, created_ms FROM products "
        "ORDER BY product");
    return read_all<ProductRecord>(query, [](const Query& row) -> Result<ProductRecord> {
        return ProductRecord{.id = ProductId{static_cast<std::uint16_t>(row.integer(0))},
                             .account = AccountId{row.integer(1)},
                             .slug = std::string{row.text(2)},
                             .name = std::string{row.text(3)},
                             .description = std::string{row.text(4)},
                             .platform = static_cast<std::uint16_t>(row.integer(5)),
                             .created_at = Instant{row.integer(6)}};
    });
}

// Groups.

namespace {

Status check_group(Database& database, ProductId product, const std::string& name) {
    Query query = database.query("SELECT 1 FROM product_groups WHERE product = ? AND name = ?");
    SOTTO_TRY_ASSIGN(const bool is_known, query.bind(number(product)).bind(name).step());
    if (!is_known) return Error::NotFound;
    return {};
}

struct Holder {
    std::vector<std::uint8_t> key;  // a device
    std::int64_t number = 0;        // or a release
    std::vector<std::string> groups;
};

// Devices and releases have the group under another name from now on, or no more.
Status rename_in_devices(Database& database,
                         ProductId product,
                         const std::string& from,
                         const std::string& to) {
    std::vector<Holder> changed;
    {
        Query query = database.query(
            "SELECT device, groups FROM product_devices WHERE product = ? AND groups <> ''");
        query.bind(number(product));
        while (true) {
            SOTTO_TRY_ASSIGN(const bool has_row, query.step());
            if (!has_row) break;
            Holder holder{.key = {}, .groups = split_names(query.text(1))};
            if (!rename_group(holder.groups, from, to)) continue;
            const Bytes device = query.blob(0);
            holder.key.assign(device.begin(), device.end());
            changed.push_back(std::move(holder));
        }
    }
    for (const Holder& holder : changed) {
        Query query = database.query(
            "UPDATE product_devices SET groups = ? WHERE product = ? AND device = ?");
        const std::string text = join_names(holder.groups);
        SOTTO_TRY(query.bind(text).bind(number(product)).bind(Bytes{holder.key}).run());
    }
    return {};
}

Status rename_in_releases(Database& database,
                          ProductId product,
                          const std::string& from,
                          const std::string& to) {
    std::vector<Holder> changed;
    {
        Query query = database.query(
            "SELECT release, groups FROM product_releases WHERE product = ? AND groups <> ''");
        query.bind(number(product));
        while (true) {
            SOTTO_TRY_ASSIGN(const bool has_row, query.step());
            if (!has_row) break;
            Holder holder{
                .key = {}, .number = query.integer(0), .groups = split_names(query.text(1))};
            if (rename_group(holder.groups, from, to)) changed.push_back(std::move(holder));
        }
    }
    for (const Holder& holder : changed) {
        Query query = database.query("UPDATE product_releases SET groups = ? WHERE release = ?");
        const std::string text = join_names(holder.groups);
        SOTTO_TRY(query.bind(text).bind(holder.number).run());
    }
    return {};
}

}  // namespace

Status add_group(Database& database, AccountId account, const GroupRecord& group) {
    SOTTO_TRY(check_product(database, account, group.product));
    if (check_group(database, group.product, group.name)) return Error::AlreadyExists;
    Query count = database.query("SELECT count(*) FROM product_groups WHERE product = ?");
    SOTTO_TRY(count.bind(number(group.product)).step());
    if (count.integer(0) >= std::int64_t{store::kGroupsPerProductMax}) return Error::NoSpace;
    Query query = database.query(
        "INSERT INTO product_groups (product, name, description, color, created_ms) "
        "VALUES (?, ?, ?, ?, ?)");
    query.bind(number(group.product)).bind(group.name).bind(group.description).bind(group.color);
    return query.bind(group.created_at).run();
}

Status update_group(Database& database,
                    AccountId account,
                    const std::string& name,
                    const GroupRecord& group) {
    SOTTO_TRY(check_product(database, account, group.product));
    SOTTO_TRY(check_group(database, group.product, name));
    if (group.name != name && check_group(database, group.product, group.name))
        return Error::AlreadyExists;
    Query query = database.query(
        "UPDATE product_groups SET name = ?, description = ?, color = ? "
        "WHERE product = ? AND name = ?");
    query.bind(group.name).bind(group.description).bind(group.color);
    SOTTO_TRY(query.bind(number(group.product)).bind(name).run());
    if (group.name == name) return {};
    SOTTO_TRY(rename_in_devices(database, group.product, name, group.name));
    return rename_in_releases(database, group.product, name, group.name);
}

Status erase_group(Database& database,
                   AccountId account,
                   ProductId product,
                   const std::string& name) {
    SOTTO_TRY(check_product(database, account, product));
    SOTTO_TRY(check_group(database, product, name));
    Query query = database.query("DELETE FROM product_groups WHERE product = ? AND name = ?");
    SOTTO_TRY(query.bind(number(product)).bind(name).run());
    SOTTO_TRY(rename_in_devices(database, product, name, {}));
    return rename_in_releases(database, product, name, {});
}

Result<std::vector<GroupRecord>> list_groups(Database& database) {
    Query query = database.query(
        "SELECT product, name, description, color, created_ms FROM product_groups "
        "ORDER BY product, name");
    return read_all<GroupRecord>(query, [](const Query& row) -> Result<GroupRecord> {
        return GroupRecord{.product = ProductId{static_cast<std::uint16_t>(row.integer(0))},
                           .name = std::string{row.text(1)},
                           .description = std::string{row.text(2)},
                           .color = std::string{row.text(3)},
                           .created_at = Instant{row.integer(4)}};
    });
}

// Devices.

namespace {

Result<ProductDevice> product_device_in(const Query& row) {
    ProductDevice device{.product = ProductId{static_cast<std::uint16_t>(row.integer(0))},
                         .membership = static_cast<Membership>(row.integer(2)),
                         .is_development = row.integer(3) != 0,
                         .groups = split_names(row.text(5)),
                         .added_at = Instant{row.integer(6)},
                         .trouble = {.version = static_cast<FirmwareVersion>(row.integer(7)),
                                     .failures = static_cast<std::uint16_t>(row.integer(8)),
                                     .retry_at = Instant{row.integer(9)},
                                     .why = std::string{row.text(10)}}};
    SOTTO_TRY(fill(row.blob(1), device.device));
    if (!row.is_null(4)) device.desired_version = static_cast<FirmwareVersion>(row.integer(4));
    return device;
}

Result<std::optional<ProductDevice>> find_product_device(Database& database,
                                                         ProductId product,
                                                         const DeviceId& device) {
    Query query = database.query(
        "SELECT product, device, membership, development, desired_version, groups, added_ms, "
        "failed_version, failures, retry_ms, why FROM product_devices "
        "WHERE product = ? AND device = ?");
    SOTTO_TRY_ASSIGN(const bool has_row, query.bind(number(product)).bind(Bytes{device}).step());
    if (!has_row) return std::optional<ProductDevice>{};
    SOTTO_TRY_ASSIGN(ProductDevice found, product_device_in(query));
    return std::optional{std::move(found)};
}

// All of it but its product, its id and when it came.
Status write(Database& database, const ProductDevice& device) {
    Query query = database.query(
        "UPDATE product_devices SET membership = ?, development = ?, desired_version = nullif(?, "
        "-1), groups = ?, failed_version = ?, failures = ?, retry_ms = ?, why = ? "
        "WHERE product = ? AND device = ?");
    const std::string groups = join_names(device.groups);
    query.bind(static_cast<std::int64_t>(device.membership));
    query.bind(std::int64_t{device.is_development});
    query.bind(device.desired_version ? std::int64_t{*device.desired_version} : std::int64_t{-1});
    query.bind(groups).bind(std::int64_t{device.trouble.version});
    query.bind(std::int64_t{device.trouble.failures}).bind(device.trouble.retry_at);
    query.bind(device.trouble.why).bind(number(device.product));
    return query.bind(Bytes{device.device}).run();
}

// In the list of another product of the account.
Result<bool> is_of_another(Database& database, AccountId account, const ProductDevice& device) {
    Query query = database.query(
        "SELECT 1 FROM product_devices d JOIN products p USING (product) "
        "WHERE d.device = ? AND d.membership = 0 AND d.product <> ? AND p.account = ?");
    query.bind(Bytes{device.device}).bind(number(device.product)).bind(account.value());
    return query.step();
}

Result<bool> has_room_for(Database& database, const ProductDevice& device) {
    const bool is_member = device.membership == Membership::Member;
    Query query = database.query(
        "SELECT count(*) FROM product_devices WHERE product = ? AND (membership = 0) = ?");
    SOTTO_TRY(query.bind(number(device.product)).bind(std::int64_t{is_member}).step());
    return query.integer(0) < static_cast<std::int64_t>(is_member ? store::kProductDevicesMax
                                                                  : store::kQuarantinedMax);
}

}  // namespace

Result<ProductDevice> add_product_device(Database& database,
                                         AccountId account,
                                         const ProductDevice& device) {
    SOTTO_TRY(check_product(database, account, device.product));
    SOTTO_TRY_ASSIGN(auto known, find_product_device(database, device.product, device.device));
    const bool is_member = device.membership == Membership::Member;
    if (known && (known->membership == Membership::Member || !is_member)) return *known;
    if (is_member) {
        SOTTO_TRY_ASSIGN(const bool is_taken, is_of_another(database, account, device));
        if (is_taken) return Error::Refused;
    }
    SOTTO_TRY_ASSIGN(const bool has_room, has_room_for(database, device));
    if (!has_room) return Error::NoSpace;
    Query query = database.query(
        "INSERT INTO product_devices (product, device, membership, added_ms) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (product, device) DO UPDATE SET added_ms = excluded.added_ms");
    query.bind(number(device.product)).bind(Bytes{device.device});
    query.bind(static_cast<std::int64_t>(device.membership)).bind(device.added_at);
    SOTTO_TRY(query.run());
    SOTTO_TRY(write(database, device));
    return device;
}

Result<ProductDevice> update_product_device(Database& database,
                                            AccountId account,
                                            ProductId product,
                                            const DeviceId& device,
                                            const ProductDeviceChanges& changes) {
    SOTTO_TRY(check_product(database, account, product));
    SOTTO_TRY_ASSIGN(auto known, find_product_device(database, product, device));
    if (!known) return Error::NotFound;
    apply(changes, *known);
    SOTTO_TRY(write(database, *known));
    return *std::move(known);
}

Status erase_product_device(Database& database,
                            AccountId account,
                            ProductId product,
                            const DeviceId& device) {
    SOTTO_TRY(check_product(database, account, product));
    Query query = database.query("DELETE FROM product_devices WHERE product = ? AND device = ?");
    SOTTO_TRY(query.bind(number(product)).bind(Bytes{device}).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Result<std::vector<ProductDevice>> list_product_devices(Database& database) {
    Query query = database.query(
        "SELECT product, device, membership, development, desired_version, groups, added_ms, "
        "failed_version, failures, retry_ms, why FROM product_devices ORDER BY product, device");
    return read_all<ProductDevice>(query, product_device_in);
}

}  // namespace sotto::cloud::store_sqlite::tables
