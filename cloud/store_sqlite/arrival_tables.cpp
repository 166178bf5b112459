// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/arrival_tables.hpp"

#include <optional>

#include "cloud/store/limits.hpp"
#include "cloud/store_sqlite/account_tables.hpp"
#include "cloud/store_sqlite/hook_tables.hpp"
#include "cloud/store_sqlite/key_tables.hpp"
#include "cloud/store_sqlite/tables.hpp"

namespace sotto::cloud::store_sqlite::tables {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary
using store::Arrival;
using store::Arrivals;
using store::Arrived;
using store::ArrivedUser;
using store::ArrivingUser;

namespace {

Result<bool> is_sealed(Database& database, const DeviceId& device) {
    Query query = database.query("SELECT 1 FROM devices WHERE device = ?");
    return query.bind(Bytes{device}).step();
}

Result<Arrival> take_key(Database& database, const DeviceKey& key) {
    SOTTO_TRY_ASSIGN(const bool is_of_sealed, is_sealed(database, key.device));
    if (is_of_sealed) return Arrival::Sealed;
    SOTTO_TRY_ASSIGN(const auto known, find_device_key(database, key.device));
    if (known) return known->key == key.key ? Arrival::Known : Arrival::OfAnother;
    SOTTO_TRY(set_device_key(database, key));
    return Arrival::Taken;
}

Result<Arrival> take_token(Database& database, Token token, AccountId account, Instant now) {
    Query known = database.query("SELECT account FROM tokens WHERE hash = ?");
    SOTTO_TRY_ASSIGN(const bool is_known, known.bind(Bytes{token.hash.bytes}).step());
    if (is_known) return known.integer(0) == account.value() ? Arrival::Known : Arrival::OfAnother;
    Query count =
        database.query("SELECT count(*) FROM tokens WHERE account = ? AND kind IN (3, 4)");
    SOTTO_TRY(count.bind(account.value()).step());
    if (count.integer(0) >= std::int64_t{store::kTokensPerAccountMax}) return Arrival::NoRoom;
    token.account = account;
    SOTTO_TRY(add_token(database, token, now));
    return Arrival::Taken;
}

Result<Arrival> take_device(Database& database, const OpenDeviceRecord& device, AccountId account) {
    SOTTO_TRY_ASSIGN(const bool is_of_sealed, is_sealed(database, device.device));
    if (is_of_sealed) return Arrival::Sealed;
    SOTTO_TRY_ASSIGN(const auto known, find_open_device(database, device.device));
    if (known) return known->account == account ? Arrival::Known : Arrival::OfAnother;
    Query count = database.query("SELECT count(*) FROM open_devices WHERE account = ?");
    SOTTO_TRY(count.bind(account.value()).step());
    if (count.integer(0) >= std::int64_t{store::kOpenDevicesPerAccountMax}) return Arrival::NoRoom;
    SOTTO_TRY(claim_open_device(database, device.device, account, device.claimed_at));
    const DeviceChanges changes{.name = device.name, .notes = device.notes};
    SOTTO_TRY(update_open_device(database, account, device.device, changes));
    SOTTO_TRY(save_traces(database, device.device, device.traces));
    return Arrival::Taken;
}

Result<Arrival> take_hook(Database& database, HookRecord hook, AccountId account) {
    Query known = database.query("SELECT account FROM integrations WHERE id = ?");
    SOTTO_TRY_ASSIGN(const bool is_known, known.bind(Bytes{hook.id.bytes}).step());
    if (is_known) return known.integer(0) == account.value() ? Arrival::Known : Arrival::OfAnother;
    hook.account = account;
    const Status added = add_hook(database, hook);
    if (added) return Arrival::Taken;
    if (added.error() == Error::NoSpace) return Arrival::NoRoom;
    return added.error();
}

Result<ArrivedUser> take_user(Database& database, const ArrivingUser& user, Instant now) {
    ArrivedUser arrived{.tokens = std::vector(user.tokens.size(), Arrival::LeftAlone),
                        .devices = std::vector(user.devices.size(), Arrival::LeftAlone),
                        .hooks = std::vector(user.hooks.size(), Arrival::LeftAlone)};
    auto account = create_account(database, user.name, now);
    if (account) {
        SOTTO_TRY(set_password(database, *account, user.password));
        arrived.account = Arrival::Taken;
    } else if (account.error() != Error::AlreadyExists) {
        return account.error();
    } else if (!user.is_same_as_here) {
        return arrived;
    } else {
        SOTTO_TRY_ASSIGN(account, find_account(database, user.name));
        arrived.account = Arrival::Known;
    }
    for (std::size_t i = 0; i < user.tokens.size(); ++i) {
        SOTTO_TRY_ASSIGN(arrived.tokens[i], take_token(database, user.tokens[i], *account, now));
    }
    for (std::size_t i = 0; i < user.devices.size(); ++i) {
        SOTTO_TRY_ASSIGN(arrived.devices[i], take_device(database, user.devices[i], *account));
    }
    for (std::size_t i = 0; i < user.hooks.size(); ++i) {
        SOTTO_TRY_ASSIGN(arrived.hooks[i], take_hook(database, user.hooks[i], *account));
    }
    return arrived;
}

Result<Arrived> take_all(Database& database, const Arrivals& arrivals) {
    Arrived arrived;
    for (const DeviceKey& key : arrivals.keys) {
        SOTTO_TRY_ASSIGN(const Arrival outcome, take_key(database, key));
        arrived.keys.push_back(outcome);
    }
    for (const ArrivingUser& user : arrivals.users) {
        SOTTO_TRY_ASSIGN(ArrivedUser outcome, take_user(database, user, arrivals.now));
        arrived.users.push_back(std::move(outcome));
    }
    return arrived;
}

}  // namespace

Result<Arrived> take(Database& database, const Arrivals& arrivals, bool is_trial) {
    if (is_trial) SOTTO_TRY(database.execute("SAVEPOINT trial"));
    auto arrived = take_all(database, arrivals);
    // Something was written: that is undone, whatever the error says.
    if (!arrived) return Error::StorageFailed;
    if (is_trial) SOTTO_TRY(database.execute("ROLLBACK TO trial; RELEASE trial"));
    return arrived;
}

}  // namespace sotto::cloud::store_sqlite::tables
