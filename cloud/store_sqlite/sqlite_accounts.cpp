// SPDX-License-Identifier: Apache-2.0
// The part of SqliteStore that is about users, their tokens and their open devices.
#include <utility>

#include "cloud/store_sqlite/account_tables.hpp"
#include "cloud/store_sqlite/arrival_tables.hpp"
#include "cloud/store_sqlite/sqlite_store.hpp"
#include "cloud/store_sqlite/typed_operation.hpp"

namespace sotto::cloud::store_sqlite {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary
using store::Done;

void SqliteStore::find_login(std::string name, Done<Login> done) {
    submit(kReads, std::move(done), [name = std::move(name)](Database& database) {
        return tables::find_login(database, name);
    });
}

void SqliteStore::set_password(AccountId account, std::string password, Done<void> done) {
    submit(kWrites, std::move(done), [account, password = std::move(password)](Database& database) {
        return tables::set_password(database, account, password);
    });
}

void SqliteStore::renew_password(AccountId account,
                                 std::string old,
                                 std::string renewed,
                                 Done<void> done) {
    submit(kWrites,
           std::move(done),
           [account, old = std::move(old), renewed = std::move(renewed)](Database& database) {
               return tables::renew_password(database, account, old, renewed);
           });
}

void SqliteStore::set_otp_secret(AccountId account,
                                 std::vector<std::uint8_t> secret,
                                 Done<void> done) {
    submit(kWrites, std::move(done), [account, secret = std::move(secret)](Database& database) {
        return tables::set_otp_secret(database, account, secret);
    });
}

void SqliteStore::use_otp(AccountId account, std::int64_t step, Done<void> done) {
    submit(kWrites, std::move(done), [account, step](Database& database) {
        return tables::use_otp(database, account, step);
    });
}

void SqliteStore::find_access(const TokenHash& hash, Instant now, Done<Access> done) {
    submit(kReads, std::move(done), [hash, now](Database& database) {
        return tables::find_access(database, hash, now);
    });
}

void SqliteStore::take_refresh(const TokenHash& hash, Instant now, Done<Access> done) {
    submit(kWrites, std::move(done), [hash, now](Database& database) {
        return tables::take_refresh(database, hash, now);
    });
}

void SqliteStore::list_tokens(AccountId account, Instant now, Done<std::vector<TokenInfo>> done) {
    submit(kReads, std::move(done), [account, now](Database& database) {
        return tables::list_tokens(database, account, now);
    });
}

void SqliteStore::erase_token(const TokenHash& hash,
                              std::optional<AccountId> account,
                              Done<void> done) {
    submit(kWrites, std::move(done), [hash, account](Database& database) {
        return tables::erase_token(database, hash, account);
    });
}

void SqliteStore::erase_tokens(AccountId account, Done<std::size_t> done) {
    submit(kWrites, std::move(done), [account](Database& database) {
        return tables::erase_tokens(database, account);
    });
}

void SqliteStore::claim_open_device(const DeviceId& device,
                                    AccountId account,
                                    Instant now,
                                    Done<OpenDeviceRecord> done) {
    submit(kWrites, std::move(done), [device, account, now](Database& database) {
        return tables::claim_open_device(database, device, account, now);
    });
}

void SqliteStore::create_claim_code(OpenClaim claim,
                                    std::size_t open_max,
                                    Instant now,
                                    Done<void> done) {
    submit(kWrites, std::move(done), [claim, open_max, now](Database& database) {
        return tables::create_claim_code(database, claim, open_max, now);
    });
}

void SqliteStore::redeem_claim_code(const TokenHash& hash,
                                    const DeviceId& device,
                                    Instant now,
                                    Done<OpenDeviceRecord> done) {
    submit(kWrites, std::move(done), [hash, device, now](Database& database) {
        return tables::redeem_claim_code(database, hash, device, now);
    });
}

void SqliteStore::find_open_device(const DeviceId& device,
                                   Done<std::optional<OpenDeviceRecord>> done) {
    submit(kReads, std::move(done), [device](Database& database) {
        return tables::find_open_device(database, device);
    });
}

void SqliteStore::list_open_devices(AccountId account, Done<std::vector<OpenDeviceRecord>> done) {
    submit(kReads, std::move(done), [account](Database& database) {
        return tables::list_open_devices(database, account);
    });
}

void SqliteStore::update_open_device(AccountId account,
                                     const DeviceId& device,
                                     DeviceChanges changes,
                                     Done<OpenDeviceRecord> done) {
    submit(kWrites,
           std::move(done),
           [account, device, changes = std::move(changes)](Database& database) {
               return tables::update_open_device(database, account, device, changes);
           });
}

void SqliteStore::release_open_device(AccountId account, const DeviceId& device, Done<void> done) {
    submit(kWrites, std::move(done), [account, device](Database& database) {
        return tables::release_open_device(database, account, device);
    });
}

void SqliteStore::set_opening(Opening opening, Instant now, Done<Opening> done) {
    submit(kWrites, std::move(done), [opening = std::move(opening), now](Database& database) {
        return tables::set_opening(database, opening, now);
    });
}

void SqliteStore::list_openings(Done<std::vector<Opening>> done) {
    submit(kReads, std::move(done), [](Database& database) {
        return tables::list_openings(database);
    });
}

void SqliteStore::erase_opening(AccountId account, const DeviceId& device, Done<void> done) {
    submit(kWrites, std::move(done), [account, device](Database& database) {
        return tables::erase_opening(database, account, device);
    });
}

void SqliteStore::save_traces(const DeviceId& device, DeviceTraces traces, Done<void> done) {
    submit(kWrites, std::move(done), [device, traces = std::move(traces)](Database& database) {
        return tables::save_traces(database, device, traces);
    });
}

void SqliteStore::add_audit(AuditEntry entry, Done<void> done) {
    submit(kWrites, std::move(done), [entry = std::move(entry)](Database& database) {
        return tables::add_audit(database, entry);
    });
}

void SqliteStore::list_audit(std::optional<AccountId> account,
                             std::size_t count_max,
                             Done<std::vector<AuditEntry>> done) {
    submit(kReads, std::move(done), [account, count_max](Database& database) {
        return tables::list_audit(database, account, count_max);
    });
}

void SqliteStore::take(store::Arrivals arrivals, bool is_trial, Done<store::Arrived> done) {
    submit(
        kWrites, std::move(done), [arrivals = std::move(arrivals), is_trial](Database& database) {
            return tables::take(database, arrivals, is_trial);
        });
}

}  // namespace sotto::cloud::store_sqlite
