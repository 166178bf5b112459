// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/tables.hpp"

#include <algorithm>

#include "cloud/store_sqlite/account_tables.hpp"
#include "cloud/store_sqlite/people_tables.hpp"
#include "cloud/store_sqlite/tag_tables.hpp"

namespace sotto::cloud::store_sqlite::tables {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

namespace {

// A stored name of the wrong size means a damaged file.
template <class Name>
Result<Name> name_in(const Query& query, int column) {
    Name name{};
    const Bytes bytes = query.blob(column);
    if (bytes.size() != name.size()) return Error::Malformed;
    std::copy(bytes.begin(), bytes.end(), name.begin());
    return name;
}

Result<AppAddress> app_in(const Query& query, int account_column, int app_column) {
    SOTTO_TRY_ASSIGN(const AppId app, AppId::from(query.blob(app_column)));
    return AppAddress{.account = AccountId{query.integer(account_column)}, .app = app};
}

// Columns: device, credential, account, registered_ms.
Result<Registration> registration_in(const Query& query) {
    SOTTO_TRY_ASSIGN(const DeviceId device, name_in<DeviceId>(query, 0));
    SOTTO_TRY_ASSIGN(const CredentialHash credential, name_in<CredentialHash>(query, 1));
    return Registration{.device = device,
                        .credential = credential,
                        .account = AccountId{query.integer(2)},
                        .registered_at = Instant{query.integer(3)}};
}

Result<std::optional<Registration>> find_registration(Database& database, const DeviceId& device) {
    Query query = database.query(
        "SELECT device, credential, account, registered_ms FROM devices WHERE device = ?");
    query.bind(Bytes{device});
    SOTTO_TRY_ASSIGN(const bool has_row, query.step());
    if (!has_row) return std::optional<Registration>{};
    SOTTO_TRY_ASSIGN(const Registration registration, registration_in(query));
    return std::optional{registration};
}

// The key of a mailbox in the table: its kind, and the device's id or the account and app.
std::vector<std::uint8_t> key_of(const Mailbox& mailbox) {
    std::vector<std::uint8_t> key{static_cast<std::uint8_t>(mailbox.kind)};
    if (mailbox.kind == MailboxKind::Device) {
        key.insert(key.end(), mailbox.device.begin(), mailbox.device.end());
        return key;
    }
    const auto account = static_cast<std::uint64_t>(mailbox.app.account.value());
    for (int shift = 56; shift >= 0; shift -= 8) {
        key.push_back(static_cast<std::uint8_t>(account >> shift));
    }
    key.insert(key.end(), mailbox.app.app.bytes.begin(), mailbox.app.app.bytes.end());
    return key;
}

}  // namespace

Result<AccountId> create_account(Database& database, const std::string& name, Instant now) {
    Query query = database.query(
        "INSERT INTO accounts (name, created_ms) VALUES (?, ?) ON CONFLICT DO NOTHING");
    SOTTO_TRY(query.bind(name).bind(now).run());
    if (database.changes() == 0) return Error::AlreadyExists;
    return AccountId{database.last_row_id()};
}

Result<AccountId> find_account(Database& database, const std::string& name) {
    Query query = database.query("SELECT account FROM accounts WHERE name = ?");
    SOTTO_TRY_ASSIGN(const bool has_row, query.bind(name).step());
    if (!has_row) return Error::NotFound;
    return AccountId{query.integer(0)};
}

Status add_token(Database& database, const Token& token, Instant now) {
    Query owner = database.query("SELECT 1 FROM accounts WHERE account = ?");
    SOTTO_TRY_ASSIGN(const bool has_owner, owner.bind(token.account.value()).step());
    if (!has_owner) return Error::NotFound;
    SOTTO_TRY(check_room_for_api_user(database, token));
    SOTTO_TRY(make_room_for_token(database, token, now));
    Query query = database.query(
        "INSERT INTO tokens (hash, kind, account, name, created_ms, client, scopes, expires_ms, "
        "product) VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, -1), ?) ON CONFLICT DO NOTHING");
    query.bind(Bytes{token.hash.bytes}).bind(static_cast<std::int64_t>(token.kind));
    query.bind(token.account.value()).bind(token.name).bind(now).bind(token.client);
    query.bind(std::int64_t{token.scopes}).bind(token.expires_at.value_or(Instant{-1}));
    SOTTO_TRY(query.bind(std::int64_t{token.product}).run());
    if (database.changes() == 0) return Error::AlreadyExists;
    return {};
}

Result<TokenHolder> find_token(Database& database, const TokenHash& hash, TokenKind kind) {
    Query query = database.query(
        "SELECT t.account, t.name FROM tokens t JOIN accounts a USING (account) "
        "WHERE t.hash = ? AND t.kind = ? AND (t.kind <> 1 OR a.disabled = 0)");
    query.bind(Bytes{hash.bytes}).bind(static_cast<std::int64_t>(kind));
    SOTTO_TRY_ASSIGN(const bool has_row, query.step());
    if (!has_row) return Error::NotFound;
    return TokenHolder{.account = AccountId{query.integer(0)}, .name = std::string{query.text(1)}};
}

Status create_claim(Database& database, const Claim& claim, std::size_t open_max, Instant now) {
    Query count = database.query(
        "SELECT count(*) FROM claims WHERE account = ? AND expires_ms > ? AND device IS NULL");
    SOTTO_TRY(count.bind(claim.account.value()).bind(now).step());
    if (count.integer(0) >= static_cast<std::int64_t>(open_max)) return Error::NoSpace;
    Query query = database.query(
        "INSERT INTO claims (claim, account, expires_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
    query.bind(Bytes{claim.code.bytes}).bind(claim.account.value()).bind(claim.expires_at);
    SOTTO_TRY(query.run());
    if (database.changes() == 0) return Error::AlreadyExists;
    return {};
}

namespace {

// The account that an unused claim leads to.
Result<std::optional<AccountId>> find_open_claim(Database& database,
                                                 const ClaimCode& code,
                                                 Instant now) {
    Query query = database.query(
        "SELECT account FROM claims WHERE claim = ? AND expires_ms > ? AND device IS NULL");
    SOTTO_TRY_ASSIGN(const bool has_row, query.bind(Bytes{code.bytes}).bind(now).step());
    if (!has_row) return std::optional<AccountId>{};
    return std::optional{AccountId{query.integer(0)}};
}

Status save_registration(Database& database, const Registration& registration) {
    Query query = database.query(
        "INSERT OR REPLACE INTO devices (device, credential, account, registered_ms) "
        "VALUES (?, ?, ?, ?)");
    query.bind(Bytes{registration.device}).bind(Bytes{registration.credential});
    return query.bind(registration.account.value()).bind(registration.registered_at).run();
}

Status use_claim(Database& database, const ClaimCode& code, const DeviceId& device) {
    Query query = database.query("UPDATE claims SET device = ? WHERE claim = ?");
    return query.bind(Bytes{device}).bind(Bytes{code.bytes}).run();
}

}  // namespace

namespace {

Status empty_mailbox(Database& database, const DeviceId& device, Instant now);

}  // namespace

Result<Registration> redeem_claim(Database& database,
                                  const ClaimCode& code,
                                  const DeviceId& device,
                                  const CredentialHash& credential,
                                  Instant now) {
    SOTTO_TRY_ASSIGN(const auto known, find_registration(database, device));
    if (known && known->credential != credential) return Error::Refused;
    SOTTO_TRY_ASSIGN(const auto account, find_open_claim(database, code, now));
    if (!account && !known) return Error::NotFound;
    if (!account) return *known;
    const Registration registration{
        .device = device, .credential = credential, .account = *account, .registered_at = now};
    SOTTO_TRY(use_claim(database, code, device));
    SOTTO_TRY(save_registration(database, registration));
    SOTTO_TRY(erase_opening_of_others(database, device, *account));
    SOTTO_TRY(erase_tag_key_of_others(database, device, *account));
    if (known && known->account != *account) SOTTO_TRY(empty_mailbox(database, device, now));
    return registration;
}

Result<DeviceRecord> load_device(Database& database, const DeviceId& device) {
    DeviceRecord record;
    SOTTO_TRY_ASSIGN(record.registration, find_registration(database, device));
    Query query =
        database.query("SELECT label, account, app FROM labels WHERE device = ? ORDER BY label");
    query.bind(Bytes{device});
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return record;
        SOTTO_TRY_ASSIGN(const AppAddress app, app_in(query, 1, 2));
        const Label label{static_cast<std::uint16_t>(query.integer(0))};
        record.labels.push_back({.label = label, .app = app});
    }
}

Result<std::vector<Registration>> list_devices(Database& database, AccountId account) {
    Query query = database.query(
        "SELECT device, credential, account, registered_ms FROM devices WHERE account = ? "
        "ORDER BY device");
    query.bind(account.value());
    std::vector<Registration> registrations;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return registrations;
        SOTTO_TRY_ASSIGN(const Registration registration, registration_in(query));
        registrations.push_back(registration);
    }
}

namespace {

Result<std::optional<Label>> find_label(Database& database,
                                        const DeviceId& device,
                                        const AppAddress& app) {
    Query query =
        database.query("SELECT label FROM labels WHERE device = ? AND account = ? AND app = ?");
    query.bind(Bytes{device}).bind(app.account.value()).bind(Bytes{app.app.bytes});
    SOTTO_TRY_ASSIGN(const bool has_row, query.step());
    if (!has_row) return std::optional<Label>{};
    return std::optional{Label{static_cast<std::uint16_t>(query.integer(0))}};
}

Result<bool> is_label_taken(Database& database, const DeviceId& device, Label label) {
    Query query = database.query("SELECT 1 FROM labels WHERE device = ? AND label = ?");
    return query.bind(Bytes{device}).bind(std::int64_t{label.value()}).step();
}

// The next label after the one allocated last that is not in use.
Result<Label> find_free_label(Database& database, const DeviceId& device) {
    Query last = database.query(
        "SELECT label FROM labels WHERE device = ? ORDER BY allocation DESC LIMIT 1");
    SOTTO_TRY_ASSIGN(const bool has_last, last.bind(Bytes{device}).step());
    if (!has_last) return kLabelAppFirst;
    Label label = next_label(Label{static_cast<std::uint16_t>(last.integer(0))});
    while (true) {
        SOTTO_TRY_ASSIGN(const bool is_taken, is_label_taken(database, device, label));
        if (!is_taken) return label;
        label = next_label(label);
    }
}

Status make_room_for_label(Database& database, const DeviceId& device) {
    Query count = database.query("SELECT count(*) FROM labels WHERE device = ?");
    SOTTO_TRY(count.bind(Bytes{device}).step());
    if (count.integer(0) < std::int64_t{store::kLabelsPerDeviceMax}) return {};
    Query query = database.query(
        "DELETE FROM labels WHERE allocation = "
        "(SELECT allocation FROM labels WHERE device = ? ORDER BY allocation LIMIT 1)");
    return query.bind(Bytes{device}).run();
}

}  // namespace

Result<Label> allocate_label(Database& database, const DeviceId& device, const AppAddress& app) {
    SOTTO_TRY_ASSIGN(const auto known, find_label(database, device, app));
    if (known) return *known;
    SOTTO_TRY_ASSIGN(const Label label, find_free_label(database, device));
    SOTTO_TRY(make_room_for_label(database, device));
    Query query =
        database.query("INSERT INTO labels (device, label, account, app) VALUES (?, ?, ?, ?)");
    query.bind(Bytes{device}).bind(std::int64_t{label.value()});
    SOTTO_TRY(query.bind(app.account.value()).bind(Bytes{app.app.bytes}).run());
    return label;
}

namespace {

// Columns 0 and 1 of a row that is there: how many letters there are, and their bytes.
bool has_room(const Query& used, const Letter& letter, const MailboxLimits& limits) {
    const auto count = static_cast<std::size_t>(used.integer(0));
    const auto bytes = static_cast<std::size_t>(used.integer(1)) + letter.message.size();
    return count < limits.count_max && bytes <= limits.bytes_max;
}

Status check_room(Database& database,
                  const Letter& letter,
                  Bytes mailbox,
                  const store::Store::PutLimits& limits) {
    Query used = database.query(
        "SELECT count(*), coalesce(sum(size), 0) FROM letters WHERE mailbox = ? AND expires_ms > "
        "?");
    SOTTO_TRY(used.bind(mailbox).bind(letter.stored_at).step());
    if (!has_room(used, letter, limits.mailbox)) return Error::NoSpace;
    Query account = database.query("SELECT count, bytes FROM mail_usage WHERE account = ?");
    SOTTO_TRY_ASSIGN(const bool has_any, account.bind(letter.app.account.value()).step());
    if (has_any && !has_room(account, letter, limits.account)) return Error::NoSpace;
    return {};
}

Status check_owner(Database& database, const Letter& letter) {
    Query query = database.query("SELECT account FROM devices WHERE device = ?");
    SOTTO_TRY_ASSIGN(const bool has_row, query.bind(Bytes{letter.device}).step());
    if (!has_row || query.integer(0) != letter.app.account.value()) return Error::Refused;
    return {};
}

Result<Sequence> insert(Database& database, const Letter& letter, Bytes mailbox) {
    Query query = database.query(
        "INSERT INTO letters (mailbox, device, account, app, stored_ms, expires_ms, size, message, "
        "reference, kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query.bind(mailbox).bind(Bytes{letter.device}).bind(letter.app.account.value());
    query.bind(Bytes{letter.app.app.bytes}).bind(letter.stored_at).bind(letter.expires_at);
    query.bind(static_cast<std::int64_t>(letter.message.size())).bind(Bytes{letter.message});
    query.bind(std::int64_t{letter.reference}).bind(static_cast<std::int64_t>(letter.kind));
    SOTTO_TRY(query.run());
    return Sequence{static_cast<std::uint64_t>(database.last_row_id())};
}

// A letter to a device that could not be handed on: its sender is told, if there is room.
Result<bool> tell_sender(Database& database, const Letter& lost, LetterKind kind, Instant now) {
    if (lost.to != MailboxKind::Device) return false;
    const Letter notice{.to = MailboxKind::App,
                        .device = lost.device,
                        .app = lost.app,
                        .stored_at = now,
                        .expires_at = now + store::kNoticeLife,
                        .message = {},
                        .reference = lost.reference,
                        .kind = kind};
    const std::vector<std::uint8_t> mailbox = key_of(Mailbox::of(notice));
    const Status room = check_room(database, notice, mailbox, {.mailbox = store::kAppMailbox});
    if (!room && room.error() == Error::NoSpace) return false;
    SOTTO_TRY(room);
    SOTTO_TRY(insert(database, notice, mailbox));
    return true;
}

}  // namespace

Result<Sequence> put(Database& database,
                     const Letter& letter,
                     const store::Store::PutLimits& limits) {
    if (letter.to == MailboxKind::Device) SOTTO_TRY(check_owner(database, letter));
    const std::vector<std::uint8_t> mailbox = key_of(Mailbox::of(letter));
    SOTTO_TRY(check_room(database, letter, mailbox, limits));
    return insert(database, letter, mailbox);
}

namespace {

// Columns: sequence, device, account, app, stored_ms, expires_ms, message, reference, kind.
Result<StoredLetter> letter_in(const Query& query, MailboxKind kind) {
    StoredLetter stored;
    stored.sequence = Sequence{static_cast<std::uint64_t>(query.integer(0))};
    stored.letter.to = kind;
    SOTTO_TRY_ASSIGN(stored.letter.device, name_in<DeviceId>(query, 1));
    SOTTO_TRY_ASSIGN(stored.letter.app, app_in(query, 2, 3));
    stored.letter.stored_at = Instant{query.integer(4)};
    stored.letter.expires_at = Instant{query.integer(5)};
    const Bytes message = query.blob(6);
    stored.letter.message.assign(message.begin(), message.end());
    stored.letter.reference = static_cast<std::uint32_t>(query.integer(7));
    stored.letter.kind = static_cast<LetterKind>(query.integer(8));
    return stored;
}

Status erase_one(Database& database, Sequence sequence) {
    Query query = database.query("DELETE FROM letters WHERE sequence = ?");
    return query.bind(static_cast<std::int64_t>(sequence.value())).run();
}

// Of a device that goes to another account.
Status empty_mailbox(Database& database, const DeviceId& device, Instant now) {
    const Mailbox mailbox = Mailbox::of_device(device);
    SOTTO_TRY_ASSIGN(const auto letters, list(database, mailbox, {}, SIZE_MAX / 2, Instant{0}));
    for (const StoredLetter& stored : letters) {
        SOTTO_TRY(erase_one(database, stored.sequence));
        SOTTO_TRY(tell_sender(database, stored.letter, LetterKind::Dropped, now));
    }
    return {};
}

}  // namespace

Result<std::vector<StoredLetter>> list(Database& database,
                                       const Mailbox& mailbox,
                                       Sequence after,
                                       std::size_t count_max,
                                       Instant now) {
    const std::vector<std::uint8_t> key = key_of(mailbox);
    Query query = database.query(
        "SELECT sequence, device, account, app, stored_ms, expires_ms, message, reference, kind "
        "FROM letters WHERE mailbox = ? AND sequence > ? AND expires_ms > ? ORDER BY sequence "
        "LIMIT ?");
    query.bind(Bytes{key}).bind(static_cast<std::int64_t>(after.value()));
    query.bind(now).bind(static_cast<std::int64_t>(count_max));
    std::vector<StoredLetter> letters;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return letters;
        SOTTO_TRY_ASSIGN(StoredLetter letter, letter_in(query, mailbox.kind));
        letters.push_back(std::move(letter));
    }
}

Status erase(Database& database, const Mailbox& mailbox, Sequence last) {
    const std::vector<std::uint8_t> key = key_of(mailbox);
    // A peer names `last`; what no row can have means all of them.
    const auto bound = static_cast<std::int64_t>(std::min<std::uint64_t>(last.value(), INT64_MAX));
    Query query = database.query("DELETE FROM letters WHERE mailbox = ? AND sequence <= ?");
    return query.bind(Bytes{key}).bind(bound).run();
}

Status erase_each(Database& database,
                  const Mailbox& mailbox,
                  const std::vector<Sequence>& sequences) {
    const std::vector<std::uint8_t> key = key_of(mailbox);
    for (const Sequence sequence : sequences) {
        Query query = database.query("DELETE FROM letters WHERE sequence = ? AND mailbox = ?");
        query.bind(static_cast<std::int64_t>(sequence.value()));
        SOTTO_TRY(query.bind(Bytes{key}).run());
    }
    return {};
}

namespace {

Result<std::vector<StoredLetter>> list_expired(Database& database, Instant now) {
    Query query = database.query(
        "SELECT sequence, device, account, app, stored_ms, expires_ms, message, reference, kind, "
        "mailbox FROM letters WHERE expires_ms <= ? ORDER BY expires_ms, sequence LIMIT ?");
    query.bind(now).bind(std::int64_t{store::kPurgeCountMax});
    std::vector<StoredLetter> letters;
    while (true) {
        SOTTO_TRY_ASSIGN(const bool has_row, query.step());
        if (!has_row) return letters;
        const Bytes mailbox = query.blob(9);
        if (mailbox.empty()) return Error::Malformed;
        SOTTO_TRY_ASSIGN(StoredLetter letter,
                         letter_in(query, static_cast<MailboxKind>(mailbox.front())));
        letters.push_back(std::move(letter));
    }
}

}  // namespace

Result<Purged> purge(Database& database, Instant now) {
    Query claims = database.query("DELETE FROM claims WHERE expires_ms <= ?");
    SOTTO_TRY(claims.bind(now).run());
    SOTTO_TRY_ASSIGN(const auto letters, list_expired(database, now));
    Purged purged{.count = letters.size(), .told = {}};
    for (const StoredLetter& stored : letters) {
        SOTTO_TRY(erase_one(database, stored.sequence));
        SOTTO_TRY_ASSIGN(const bool is_told,
                         tell_sender(database, stored.letter, LetterKind::Expired, now));
        if (is_told) purged.told.push_back(stored.letter.app);
    }
    return purged;
}

Status save_link_context(Database& database, const DeviceId& device, Bytes context) {
    Query query =
        database.query("INSERT OR REPLACE INTO link_contexts (device, context) VALUES (?, ?)");
    return query.bind(Bytes{device}).bind(context).run();
}

Result<std::optional<std::vector<std::uint8_t>>> load_link_context(Database& database,
                                                                   const DeviceId& device) {
    using Context = std::vector<std::uint8_t>;
    Query query = database.query("SELECT context FROM link_contexts WHERE device = ?");
    SOTTO_TRY_ASSIGN(const bool has_row, query.bind(Bytes{device}).step());
    if (!has_row) return std::optional<Context>{};
    const Bytes context = query.blob(0);
    return std::optional{Context{context.begin(), context.end()}};
}

Status erase_link_context(Database& database, const DeviceId& device) {
    Query query = database.query("DELETE FROM link_contexts WHERE device = ?");
    return query.bind(Bytes{device}).run();
}

Status erase_link_contexts(Database& database) {
    return database.query("DELETE FROM link_contexts").run();
}

Status set_setting(Database& database, const std::string& name, const std::string& value) {
    Query query = database.query("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)");
    return query.bind(name).bind(value).run();
}

Result<std::optional<std::string>> get_setting(Database& database, const std::string& name) {
    Query query = database.query("SELECT value FROM settings WHERE name = ?");
    SOTTO_TRY_ASSIGN(const bool has_row, query.bind(name).step());
    if (!has_row) return std::optional<std::string>{};
    return std::optional{std::string{query.text(0)}};
}

}  // namespace sotto::cloud::store_sqlite::tables
