// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/accounts.hpp"

#include <algorithm>
#include <vector>

#include "cloud/http/fields.hpp"
#include "cloud/http/limits.hpp"
#include "cloud/server/blocking_store.hpp"
#include "cloud/server/clock.hpp"
#include "ports/linux/file.hpp"
#include "ports/openssl/password.hpp"

namespace sotto::cloud::server {

namespace {

constexpr std::size_t kPasswordFileMax = 4'096;  // then refused as no such file

Outcome<std::string> read_password(const std::string& path) {
    const auto file = ports::read_file(path, kPasswordFileMax);
    if (!file) return Failure{file.error().code, "--password-file: " + file.error().detail};
    std::string password{as_text(*file)};
    password.resize(std::min(password.find_first_of("\r\n"), password.size()));
    const bool is_good =
        password.size() >= http::kPasswordSizeMin && password.size() <= http::kPasswordSizeMax;
    if (is_good) return password;
    return Failure{Error::InvalidArgument,
                   "--password-file " + path + ": a password has 8 to 256 bytes"};
}

Failure database_failure(Error error) {
    return {error, "the database cannot be used; run sotto-cloud doctor"};
}

Outcome<model::AccountId> find_account(Waiter& waiter,
                                       store::Store& store,
                                       const std::string& name) {
    const auto account = waiter.wait_for<model::AccountId>(
        [&](auto done) { store.find_account(name, std::move(done)); });
    if (account) return *account;
    if (account.error() != Error::NotFound) return database_failure(account.error());
    return Failure{
        Error::NotFound,
        "there is no account " + name + "; make it first: sotto-cloud account add " + name};
}

std::string line_of(const model::AuditEntry& entry) {
    const std::string account =
        entry.account ? std::to_string(entry.account->value()) : std::string{"-"};
    const std::string address = entry.address.empty() ? "-" : entry.address;
    std::string line = http::to_iso(entry.at.ms) + " " + address + " account=" + account + " " +
                       entry.action + " " + entry.outcome + " ";
    // What strangers wrote cannot look like another line.
    for (const char c : entry.subject) line.push_back(c >= ' ' && c <= '~' ? c : '?');
    return line + "\n";
}

Outcome<std::string> list_accounts(Waiter& waiter, store::Store& store) {
    using Accounts = std::vector<model::AccountInfo>;
    const auto accounts =
        waiter.wait_for<Accounts>([&](auto done) { store.list_accounts(std::move(done)); });
    if (!accounts) return database_failure(accounts.error());
    std::string text;
    for (const model::AccountInfo& account : *accounts) {
        text += account.name + "  " + std::to_string(account.device_count) + " devices" +
                (account.is_administrator ? "  administrator" : "") +
                (account.has_password ? "" : "  no password") +
                (account.has_second_factor ? "  second factor" : "") +
                (account.is_disabled ? "  disabled" : "") + "\n";
    }
    return text;
}

Outcome<> change_account(Waiter& waiter,
                         store::Store& store,
                         model::AccountId account,
                         AccountCommand::What what) {
    using What = AccountCommand::What;
    model::AccountChanges changes;
    if (what == What::Promote || what == What::Demote)
        changes.is_administrator = what == What::Promote;
    if (what == What::Disable || what == What::Enable) changes.is_disabled = what == What::Disable;
    const Status done = waiter.wait_for<void>([&](auto answer) {
        if (what == What::Remove) return store.erase_account(account, std::move(answer));
        store.update_account(account, changes, std::move(answer));
    });
    return done ? Outcome<>{} : Outcome<>{database_failure(done.error())};
}

const char* words_for(AccountCommand::What what) {
    using What = AccountCommand::What;
    switch (what) {
        case What::Promote:
            return "is an administrator";
        case What::Demote:
            return "is a user like others";
        case What::Disable:
            return "is disabled: nobody has access as this user, in 5 s at the latest; apps that "
                   "are connected are so until they go";
        case What::Enable:
            return "is enabled";
        case What::Remove:
            return "is removed, and all that was its own";
        case What::List:
            break;
    }
    return "";
}

void note_change(Waiter& waiter, store::Store& store, const AccountCommand& command) {
    constexpr const char* kActions[] = {"", "promote", "demote", "disable", "enable", "remove"};
    static_cast<void>(waiter.wait_for<void>([&](auto done) {
        store.add_audit(
            {.at = SteadyClock{}.now(),
             .address = {},
             .action = std::string{"account-"} + kActions[static_cast<std::size_t>(command.what)],
             .subject = command.name,
             .outcome = "done"},
            std::move(done));
    }));
}

}  // namespace

Outcome<> set_password(const PasswordCommand& command, hal::Entropy& entropy) {
    SOTTO_TRY_ASSIGN(const std::string password, read_password(command.password_file));
    Waiter waiter;
    SOTTO_TRY_ASSIGN(const auto store, open_store(command.state, waiter.executor()));
    SOTTO_TRY_ASSIGN(const model::AccountId account, find_account(waiter, *store, command.name));
    const auto line = ports::hash_password(password, entropy);
    if (!line) return Failure{line.error(), "the password cannot be hashed: memory is missing"};
    const Status set = waiter.wait_for<void>(
        [&](auto done) { store->set_password(account, *line, std::move(done)); });
    if (!set) return database_failure(set.error());
    if (command.forgets_second_factor) {
        const Status reset = waiter.wait_for<void>(
            [&](auto done) { store->set_otp_secret(account, {}, std::move(done)); });
        if (!reset) return database_failure(reset.error());
    }
    const auto erased = waiter.wait_for<std::size_t>(
        [&](auto done) { store->erase_tokens(account, std::move(done)); });
    if (!erased) return database_failure(erased.error());
    return {};
}

Outcome<std::string> manage_account(const AccountCommand& command) {
    using What = AccountCommand::What;
    std::optional<State> held;
    if (command.what == What::Remove) {
        auto state = open_state(command.state);
        if (!state && state.error().code == Error::Busy)
            return Failure{Error::Busy,
                           "the cloud is running: stop it first, or let an administrator do it "
                           "(DELETE /v1/users/" +
                               command.name + ")"};
        if (!state) return state.error();
        held.emplace(*std::move(state));
    }
    Waiter waiter;
    SOTTO_TRY_ASSIGN(const auto store, open_store(command.state, waiter.executor()));
    if (command.what == What::List) return list_accounts(waiter, *store);
    SOTTO_TRY_ASSIGN(const model::AccountId account, find_account(waiter, *store, command.name));
    SOTTO_TRY(change_account(waiter, *store, account, command.what));
    note_change(waiter, *store, command);
    return command.name + " " + words_for(command.what) + ".\n";
}

Outcome<std::string> read_audit(const AuditCommand& command) {
    Waiter waiter;
    SOTTO_TRY_ASSIGN(const auto store, open_store(command.state, waiter.executor()));
    std::optional<model::AccountId> account;
    if (!command.account.empty()) {
        SOTTO_TRY_ASSIGN(account, find_account(waiter, *store, command.account));
    }
    using Entries = std::vector<model::AuditEntry>;
    const auto entries = waiter.wait_for<Entries>(
        [&](auto done) { store->list_audit(account, command.count, std::move(done)); });
    if (!entries) return database_failure(entries.error());
    std::string text;
    for (const model::AuditEntry& entry : *entries) text += line_of(entry);
    return text;
}

}  // namespace sotto::cloud::server
