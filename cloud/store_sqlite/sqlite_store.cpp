// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/sqlite_store.hpp"

#include <utility>

#include "cloud/store_sqlite/schema.hpp"
#include "cloud/store_sqlite/tables.hpp"
#include "cloud/store_sqlite/typed_operation.hpp"

namespace sotto::cloud::store_sqlite {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary
using store::Done;

Result<std::unique_ptr<SqliteStore>, Failure> SqliteStore::open(const std::string& path,
                                                                Options options,
                                                                store::Executor executor) {
    SOTTO_TRY_ASSIGN(std::unique_ptr<Database> database,
                     Database::open(path, options.mode, options.busy_timeout));
    SOTTO_TRY(prepare(*database, path));
    return std::unique_ptr<SqliteStore>{
        new SqliteStore{path, std::move(database), std::move(executor)}};
}

void SqliteStore::create_account(std::string name, Instant now, Done<AccountId> done) {
    submit(kWrites, std::move(done), [name = std::move(name), now](Database& database) {
        return tables::create_account(database, name, now);
    });
}

void SqliteStore::find_account(std::string name, Done<AccountId> done) {
    submit(kReads, std::move(done), [name = std::move(name)](Database& database) {
        return tables::find_account(database, name);
    });
}

void SqliteStore::add_token(Token token, Instant now, Done<void> done) {
    submit(kWrites, std::move(done), [token = std::move(token), now](Database& database) {
        return tables::add_token(database, token, now);
    });
}

void SqliteStore::find_token(const TokenHash& hash, TokenKind kind, Done<TokenHolder> done) {
    submit(kReads, std::move(done), [hash, kind](Database& database) {
        return tables::find_token(database, hash, kind);
    });
}

void SqliteStore::create_claim(Claim claim, std::size_t open_max, Instant now, Done<void> done) {
    submit(kWrites, std::move(done), [claim, open_max, now](Database& database) {
        return tables::create_claim(database, claim, open_max, now);
    });
}

void SqliteStore::redeem_claim(const ClaimCode& code,
                               const DeviceId& device,
                               const CredentialHash& credential,
                               Instant now,
                               Done<Registration> done) {
    submit(kWrites, std::move(done), [code, device, credential, now](Database& database) {
        return tables::redeem_claim(database, code, device, credential, now);
    });
}

void SqliteStore::load_device(const DeviceId& device, Done<DeviceRecord> done) {
    submit(kReads, std::move(done), [device](Database& database) {
        return tables::load_device(database, device);
    });
}

void SqliteStore::list_devices(AccountId account, Done<std::vector<Registration>> done) {
    submit(kReads, std::move(done), [account](Database& database) {
        return tables::list_devices(database, account);
    });
}

void SqliteStore::allocate_label(const DeviceId& device, const AppAddress& app, Done<Label> done) {
    submit(kWrites, std::move(done), [device, app](Database& database) {
        return tables::allocate_label(database, device, app);
    });
}

void SqliteStore::put(Letter letter, PutLimits limits, Done<Sequence> done) {
    submit(kWrites, std::move(done), [letter = std::move(letter), limits](Database& database) {
        return tables::put(database, letter, limits);
    });
}

void SqliteStore::list(const Mailbox& mailbox,
                       Sequence after,
                       std::size_t count_max,
                       Instant now,
                       Done<std::vector<StoredLetter>> done) {
    submit(kReads, std::move(done), [mailbox, after, count_max, now](Database& database) {
        return tables::list(database, mailbox, after, count_max, now);
    });
}

void SqliteStore::erase(const Mailbox& mailbox, Sequence last, Done<void> done) {
    submit(kWrites, std::move(done), [mailbox, last](Database& database) {
        return tables::erase(database, mailbox, last);
    });
}

void SqliteStore::erase_each(const Mailbox& mailbox,
                             std::vector<Sequence> sequences,
                             Done<void> done) {
    submit(
        kWrites, std::move(done), [mailbox, sequences = std::move(sequences)](Database& database) {
            return tables::erase_each(database, mailbox, sequences);
        });
}

void SqliteStore::purge(Instant now, Done<Purged> done) {
    submit(kWrites, std::move(done), [now](Database& database) {
        return tables::purge(database, now);
    });
}

void SqliteStore::save_link_context(const DeviceId& device,
                                    std::vector<std::uint8_t> context,
                                    Done<void> done) {
    submit(kWrites, std::move(done), [device, context = std::move(context)](Database& database) {
        return tables::save_link_context(database, device, context);
    });
}

void SqliteStore::load_link_context(const DeviceId& device,
                                    Done<std::optional<std::vector<std::uint8_t>>> done) {
    submit(kReads, std::move(done), [device](Database& database) {
        return tables::load_link_context(database, device);
    });
}

void SqliteStore::erase_link_context(const DeviceId& device, Done<void> done) {
    submit(kWrites, std::move(done), [device](Database& database) {
        return tables::erase_link_context(database, device);
    });
}

void SqliteStore::erase_link_contexts(Done<void> done) {
    submit(kWrites, std::move(done), [](Database& database) {
        return tables::erase_link_contexts(database);
    });
}

void SqliteStore::set_setting(std::string name, std::string value, Done<void> done) {
    submit(kWrites,
           std::move(done),
           [name = std::move(name), value = std::move(value)](Database& database) {
               return tables::set_setting(database, name, value);
           });
}

void SqliteStore::get_setting(std::string name, Done<std::optional<std::string>> done) {
    submit(kReads, std::move(done), [name = std::move(name)](Database& database) {
        return tables::get_setting(database, name);
    });
}

}  // namespace sotto::cloud::store_sqlite
