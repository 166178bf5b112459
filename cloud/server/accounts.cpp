// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/accounts.hpp"

#include <algorithm>
#include <vector>

#include "cloud/http/fields.hpp"
#include "cloud/http/limits.hpp"
#include "cloud/server/blocking_store.hpp"
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
