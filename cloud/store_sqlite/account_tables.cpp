// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/account_tables.hpp"

#include <algorithm>

#include "cloud/store/limits.hpp"
#include "cloud/store_sqlite/key_tables.hpp"

namespace sotto::cloud::store_sqlite::tables {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

namespace {

std::optional<Instant> instant_or_none(const Query& query, int column) {
    if (query.is_null(column)) return std::nullopt;
    return Instant{query.integer(column)};
}

// Columns: account, name of the account, kind, client, scopes, expires_ms, administrator, product.
Access access_in(const Query& query) {
    return {.account = AccountId{query.integer(0)},
            .user = std::string{query.text(1)},
            .kind = static_cast<TokenKind>(query.integer(2)),
            .client = std::string{query.text(3)},
            .scopes = static_cast<Scopes>(query.integer(4)),
            .expires_at = instant_or_none(query, 5),
            .is_administrator = query.integer(6) != 0,
            .product = static_cast<std::uint16_t>(query.integer(7))};
}

}  // namespace

Result<Login> find_login(Database& database, const std::string& name) {
    Query query = database.query(
        "SELECT account, password, otp_secret, disabled FROM accounts WHERE name = ?");
    SOTTO_TRY_ASSIGN(const bool has_row, query.bind(name).step());
    if (!has_row) return Error::NotFound;
    const Bytes secret = query.blob(2);
    return Login{.account = AccountId{query.integer(0)},
                 .password = std::string{query.text(1)},
                 .otp_secret = {secret.begin(), secret.end()},
                 .is_disabled = query.integer(3) != 0};
}

Status set_otp_secret(Database& database, AccountId account, Bytes secret) {
    Query query =
        database.query("UPDATE accounts SET otp_secret = ?, otp_step = -1 WHERE account = ?");
    SOTTO_TRY(query.bind(secret).bind(account.value()).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Status use_otp(Database& database, AccountId account, std::int64_t step) {
    Query known = database.query("SELECT 1 FROM accounts WHERE account = ?");
    SOTTO_TRY_ASSIGN(const bool is_known, known.bind(account.value()).step());
    if (!is_known) return Error::NotFound;
    Query query =
        database.query("UPDATE accounts SET otp_step = ?1 WHERE account = ?2 AND otp_step < ?1");
    SOTTO_TRY(query.bind(step).bind(account.value()).run());
    if (database.changes() == 0) return Error::Refused;
    return {};
}

Status set_password(Database& database, AccountId account, const std::string& password) {
    Query query = database.query("UPDATE accounts SET password = ? WHERE account = ?");
    SOTTO_TRY(query.bind(password).bind(account.value()).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Status renew_password(Database& database,
                      AccountId account,
                      const std::string& old,
                      const std::string& renewed) {
    Query query =
        database.query("UPDATE accounts SET password = ? WHERE account = ? AND password = ?");
    SOTTO_TRY(query.bind(renewed).bind(account.value()).bind(old).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Status make_room_for_token(Database& database, const Token& token, Instant now) {
    if (token.kind != TokenKind::Access && token.kind != TokenKind::Refresh) return {};
    Query expired = database.query(
        "DELETE FROM tokens WHERE account = ? AND kind IN (3, 4) AND expires_ms <= ?");
    SOTTO_TRY(expired.bind(token.account.value()).bind(now).run());
    Query oldest = database.query(
        "DELETE FROM tokens WHERE hash IN (SELECT hash FROM tokens WHERE account = ? AND kind IN "
        "(3, 4) "
        "ORDER BY created_ms DESC, hash LIMIT -1 OFFSET ?)");
    oldest.bind(token.account.value());
    return oldest.bind(std::int64_t{store::kTokensPerAccountMax - 1}).run();
}

Result<Access> find_access(Database& database, const TokenHash& hash, Instant now) {
    Query query = database.query(
        "SELECT t.account, a.name, t.kind, t.client, t.scopes, t.expires_ms, "
        "a.administrator, t.product "
        "FROM tokens t JOIN accounts a USING (account) "
        "WHERE t.hash = ? AND t.kind IN (1, 3, 5) AND a.disabled = 0 AND (t.expires_ms IS NULL OR "
        "t.expires_ms > ?)");
    SOTTO_TRY_ASSIGN(const bool has_row, query.bind(Bytes{hash.bytes}).bind(now).step());
    if (!has_row) return Error::NotFound;
    return access_in(query);
}

Result<Access> take_refresh(Database& database, const TokenHash& hash, Instant now) {
    Access access;
    {
        Query query = database.query(
            "SELECT t.account, a.name, t.kind, t.client, t.scopes, t.expires_ms, "
            "a.administrator, t.product "
            "FROM tokens t JOIN accounts a USING (account) "
            "WHERE t.hash = ? AND t.kind = 4 AND a.disabled = 0 AND (t.expires_ms IS NULL OR "
            "t.expires_ms > ?)");
        SOTTO_TRY_ASSIGN(const bool has_row, query.bind(Bytes{hash.bytes}).bind(now).step());
        if (!has_row) return Error::NotFound;
        access = access_in(query);
    }
    SOTTO_TRY(erase_token(database, hash, access.account));
    return access;
}

Result<std::vector<TokenInfo>> list_tokens(Database& database, AccountId account, Instant now) {
    Query query = database.query(
        "SELECT hash, kind, name, client, scopes, created_ms, expires_ms FROM tokens "
        "WHERE account = ? AND kind NOT IN (2, 5) AND (expires_ms IS NULL OR expires_ms > ?) "
        "ORDER BY created_ms, hash");
    query.bind(account.value()).bind(now);
    std::vector<TokenInfo> tokens;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return tokens;
        SOTTO_TRY_ASSIGN(const TokenHash hash, TokenHash::from(query.blob(0)));
        tokens.push_back({.hash = hash,
                          .kind = static_cast<TokenKind>(query.integer(1)),
                          .name = std::string{query.text(2)},
                          .client = std::string{query.text(3)},
                          .scopes = static_cast<Scopes>(query.integer(4)),
                          .created_at = Instant{query.integer(5)},
                          .expires_at = instant_or_none(query, 6)});
    }
}

Status erase_token(Database& database, const TokenHash& hash, std::optional<AccountId> account) {
    Query query = database.query(
        "DELETE FROM tokens WHERE hash = ? AND kind <> 2 AND (? = 0 OR account = ?)");
    query.bind(Bytes{hash.bytes}).bind(std::int64_t{account.has_value()});
    SOTTO_TRY(query.bind(account.value_or(AccountId{}).value()).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Result<std::size_t> erase_tokens(Database& database, AccountId account) {
    Query query = database.query("DELETE FROM tokens WHERE account = ? AND kind IN (3, 4)");
    SOTTO_TRY(query.bind(account.value()).run());
    return static_cast<std::size_t>(database.changes());
}

namespace {

constexpr const char* kFindOpenDevice =
    "SELECT device, account, name, notes, claimed_ms, heard_ms, connected_ms, address, platform, "
    "product, firmware_version, system_version FROM open_devices WHERE device = ?";

Result<OpenDeviceRecord> open_device_in(const Query& query) {
    const Bytes id = query.blob(0);
    if (id.size() != kDeviceIdSize) return Error::Malformed;
    OpenDeviceRecord record{
        .account = AccountId{query.integer(1)},
        .name = std::string{query.text(2)},
        .notes = std::string{query.text(3)},
        .claimed_at = Instant{query.integer(4)},
        .traces = {.heard_at = Instant{query.integer(5)},
                   .connected_at = Instant{query.integer(6)},
                   .address = std::string{query.text(7)},
                   .platform_id = static_cast<std::uint16_t>(query.integer(8)),
                   .product_id = static_cast<std::uint16_t>(query.integer(9)),
                   .firmware_version = static_cast<std::uint16_t>(query.integer(10)),
                   .system_version = std::string{query.text(11)}}};
    std::ranges::copy(id, record.device.begin());
    return record;
}

Result<bool> is_sealed(Database& database, const DeviceId& device) {
    Query query = database.query("SELECT 1 FROM devices WHERE device = ?");
    return query.bind(Bytes{device}).step();
}

Result<bool> has_room_for_device(Database& database, AccountId account) {
    Query query = database.query("SELECT count(*) FROM open_devices WHERE account = ?");
    SOTTO_TRY(query.bind(account.value()).step());
    return query.integer(0) < std::int64_t{store::kOpenDevicesPerAccountMax};
}

template <std::size_t N>
Status fill(Bytes bytes, std::array<std::uint8_t, N>& out) {
    if (bytes.size() != N) return Error::Malformed;
    std::ranges::copy(bytes, out.begin());
    return {};
}

Result<OpenDeviceRecord> give(Database& database,
                              const DeviceId& device,
                              AccountId account,
                              Instant now) {
    Query query = database.query(
        "INSERT INTO open_devices (device, account, name, claimed_ms) VALUES (?, ?, '', ?) "
        "ON CONFLICT (device) DO UPDATE SET account = excluded.account, name = '', notes = '', "
        "claimed_ms = excluded.claimed_ms");
    SOTTO_TRY(query.bind(Bytes{device}).bind(account.value()).bind(now).run());
    SOTTO_TRY_ASSIGN(const auto given, find_open_device(database, device));
    if (!given) return Error::StorageFailed;
    return *given;
}

}  // namespace

Result<OpenDeviceRecord> claim_open_device(Database& database,
                                           const DeviceId& device,
                                           AccountId account,
                                           Instant now) {
    SOTTO_TRY_ASSIGN(const auto known, find_open_device(database, device));
    if (known && known->account != account) return Error::Refused;
    if (known) return *known;
    SOTTO_TRY_ASSIGN(const bool is_no_open_one, is_sealed(database, device));
    if (is_no_open_one) return Error::Refused;
    return give(database, device, account, now);
}

Status create_claim_code(Database& database,
                         const OpenClaim& claim,
                         std::size_t open_max,
                         Instant now) {
    Query expired = database.query("DELETE FROM claim_codes WHERE account = ? AND expires_ms <= ?");
    SOTTO_TRY(expired.bind(claim.account.value()).bind(now).run());
    Query count = database.query("SELECT count(*) FROM claim_codes WHERE account = ?");
    SOTTO_TRY(count.bind(claim.account.value()).step());
    if (count.integer(0) >= static_cast<std::int64_t>(open_max)) return Error::NoSpace;
    Query query =
        database.query("INSERT INTO claim_codes (hash, account, expires_ms) VALUES (?, ?, ?)");
    return query.bind(Bytes{claim.hash.bytes})
        .bind(claim.account.value())
        .bind(claim.expires_at)
        .run();
}

Result<OpenDeviceRecord> redeem_claim_code(Database& database,
                                           const TokenHash& hash,
                                           const DeviceId& device,
                                           Instant now) {
    AccountId account;
    {
        Query query =
            database.query("SELECT account FROM claim_codes WHERE hash = ? AND expires_ms > ?");
        SOTTO_TRY_ASSIGN(const bool has_row, query.bind(Bytes{hash.bytes}).bind(now).step());
        if (!has_row) return Error::NotFound;
        account = AccountId{query.integer(0)};
    }
    SOTTO_TRY_ASSIGN(const bool is_no_open_one, is_sealed(database, device));
    if (is_no_open_one) return Error::Refused;
    Query query = database.query("DELETE FROM claim_codes WHERE hash = ?");
    SOTTO_TRY(query.bind(Bytes{hash.bytes}).run());
    SOTTO_TRY_ASSIGN(const auto known, find_open_device(database, device));
    if (known && known->account == account) return *known;
    return give(database, device, account, now);
}

Result<std::optional<OpenDeviceRecord>> find_open_device(Database& database,
                                                         const DeviceId& device) {
    Query query = database.query(kFindOpenDevice);
    SOTTO_TRY_ASSIGN(const bool has_row, query.bind(Bytes{device}).step());
    if (!has_row) return std::optional<OpenDeviceRecord>{};
    SOTTO_TRY_ASSIGN(OpenDeviceRecord record, open_device_in(query));
    return std::optional{std::move(record)};
}

Result<std::vector<OpenDeviceRecord>> list_open_devices(Database& database, AccountId account) {
    Query query = database.query(
        "SELECT device, account, name, notes, claimed_ms, heard_ms, connected_ms, address, "
        "platform, product, firmware_version, system_version FROM open_devices WHERE account = ? "
        "ORDER BY device");
    query.bind(account.value());
    std::vector<OpenDeviceRecord> records;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return records;
        SOTTO_TRY_ASSIGN(OpenDeviceRecord record, open_device_in(query));
        records.push_back(std::move(record));
    }
}

Result<OpenDeviceRecord> update_open_device(Database& database,
                                            AccountId account,
                                            const DeviceId& device,
                                            const DeviceChanges& changes) {
    SOTTO_TRY_ASSIGN(auto known, find_open_device(database, device));
    if (!known || known->account != account) return Error::NotFound;
    if (changes.name) known->name = *changes.name;
    if (changes.notes) known->notes = *changes.notes;
    Query query = database.query(
        "UPDATE open_devices SET name = ?, notes = ? WHERE device = ? AND account = ?");
    query.bind(known->name).bind(known->notes).bind(Bytes{device}).bind(account.value());
    SOTTO_TRY(query.run());
    return *std::move(known);
}

Status release_open_device(Database& database, AccountId account, const DeviceId& device) {
    Query query = database.query("DELETE FROM open_devices WHERE device = ? AND account = ?");
    SOTTO_TRY(query.bind(Bytes{device}).bind(account.value()).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Result<Opening> set_opening(Database& database, const Opening& opening, Instant now) {
    Query registered =
        database.query("SELECT credential FROM devices WHERE device = ? AND account = ?");
    registered.bind(Bytes{opening.device}).bind(opening.account.value());
    SOTTO_TRY_ASSIGN(const bool is_registered, registered.step());
    if (!is_registered) return Error::NotFound;
    Opening result = opening;
    SOTTO_TRY(fill(registered.blob(0), result.credential));
    SOTTO_TRY_ASSIGN(const auto known, find_open_device(database, opening.device));
    if (!known) {
        SOTTO_TRY_ASSIGN(const bool has_room, has_room_for_device(database, opening.account));
        if (!has_room) return Error::NoSpace;
    }
    Query query = database.query(
        "INSERT INTO open_devices (device, account, name, claimed_ms, token, scope) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device) DO UPDATE SET account = excluded.account, "
        "name = excluded.name, claimed_ms = excluded.claimed_ms, token = excluded.token, "
        "scope = excluded.scope");
    query.bind(Bytes{opening.device}).bind(opening.account.value()).bind(opening.name).bind(now);
    SOTTO_TRY(query.bind(Bytes{opening.token}).bind(opening.scope).run());
    return result;
}

Result<std::vector<Opening>> list_openings(Database& database) {
    Query query = database.query(
        "SELECT o.device, o.account, o.name, o.token, o.scope, d.credential FROM open_devices AS o "
        "JOIN devices AS d ON d.device = o.device AND d.account = o.account "
        "WHERE o.token IS NOT NULL ORDER BY o.device");
    std::vector<Opening> openings;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return openings;
        const Bytes token = query.blob(3);
        Opening opening{.account = AccountId{query.integer(1)},
                        .name = std::string{query.text(2)},
                        .token = {token.begin(), token.end()},
                        .scope = std::string{query.text(4)}};
        SOTTO_TRY(fill(query.blob(0), opening.device));
        SOTTO_TRY(fill(query.blob(5), opening.credential));
        openings.push_back(std::move(opening));
    }
}

Status erase_opening(Database& database, AccountId account, const DeviceId& device) {
    Query query = database.query(
        "DELETE FROM open_devices WHERE device = ? AND account = ? AND token IS NOT NULL");
    SOTTO_TRY(query.bind(Bytes{device}).bind(account.value()).run());
    if (database.changes() == 0) return Error::NotFound;
    return {};
}

Status erase_opening_of_others(Database& database, const DeviceId& device, AccountId account) {
    Query query = database.query(
        "DELETE FROM open_devices WHERE device = ? AND account <> ? AND token IS NOT NULL");
    return query.bind(Bytes{device}).bind(account.value()).run();
}

Status save_traces(Database& database, const DeviceId& device, const DeviceTraces& traces) {
    Query query = database.query(
        "UPDATE open_devices SET heard_ms = ?, connected_ms = ?, address = ?, platform = ?, "
        "product = ?, firmware_version = ?, system_version = ? WHERE device = ?");
    query.bind(traces.heard_at).bind(traces.connected_at).bind(traces.address);
    query.bind(std::int64_t{traces.platform_id}).bind(std::int64_t{traces.product_id});
    query.bind(std::int64_t{traces.firmware_version}).bind(traces.system_version);
    return query.bind(Bytes{device}).run();
}

Result<OpenDeviceRecord> provision_device(Database& database,
                                          const DeviceKey& key,
                                          AccountId account) {
    SOTTO_TRY_ASSIGN(const auto known, find_open_device(database, key.device));
    SOTTO_TRY_ASSIGN(const auto old_key, find_device_key(database, key.device));
    SOTTO_TRY_ASSIGN(const bool is_no_open_one, is_sealed(database, key.device));
    if (known ? known->account != account : old_key.has_value()) return Error::Refused;
    if (is_no_open_one) return Error::Refused;
    if (!known) {
        SOTTO_TRY_ASSIGN(const bool has_room, has_room_for_device(database, account));
        if (!has_room) return Error::NoSpace;
    }
    SOTTO_TRY(set_device_key(database, key));
    if (known) return *known;
    return give(database, key.device, account, key.stored_at);
}

Status add_audit(Database& database, const AuditEntry& entry) {
    Query query = database.query(
        "INSERT INTO audit (at_ms, account, address, action, subject, outcome) "
        "VALUES (?, nullif(?, 0), ?, ?, ?, ?)");
    query.bind(entry.at).bind(entry.account.value_or(AccountId{}).value()).bind(entry.address);
    SOTTO_TRY(query.bind(entry.action).bind(entry.subject).bind(entry.outcome).run());
    const std::int64_t last = database.last_row_id();
    Query old = database.query("DELETE FROM audit WHERE entry <= ?");
    SOTTO_TRY(old.bind(last - std::int64_t{store::kAuditEntriesMax}).run());
    Query old_of_account = database.query(
        "DELETE FROM audit WHERE account IS nullif(?1, 0) AND entry <= (SELECT entry FROM audit "
        "WHERE account IS nullif(?1, 0) ORDER BY entry DESC LIMIT 1 OFFSET ?2)");
    return old_of_account.bind(entry.account.value_or(AccountId{}).value())
        .bind(std::int64_t{store::kAuditEntriesPerAccountMax})
        .run();
}

Result<std::vector<AuditEntry>> list_audit(Database& database,
                                           std::optional<AccountId> account,
                                           std::size_t count_max) {
    Query query = database.query(
        "SELECT at_ms, account, address, action, subject, outcome FROM audit "
        "WHERE ? = 0 OR account = ? ORDER BY entry DESC LIMIT ?");
    query.bind(std::int64_t{account.has_value()}).bind(account.value_or(AccountId{}).value());
    query.bind(static_cast<std::int64_t>(count_max));
    std::vector<AuditEntry> entries;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return entries;
        AuditEntry entry{.at = Instant{query.integer(0)},
                         .address = std::string{query.text(2)},
                         .action = std::string{query.text(3)},
                         .subject = std::string{query.text(4)},
                         .outcome = std::string{query.text(5)}};
        if (!query.is_null(1)) entry.account = AccountId{query.integer(1)};
        entries.push_back(std::move(entry));
    }
}

}  // namespace sotto::cloud::store_sqlite::tables
