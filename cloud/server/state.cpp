// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/state.hpp"

#include <array>
#include <filesystem>
#include <utility>

#include "cloud/http/api.hpp"
#include "cloud/server/blocking_store.hpp"
#include "cloud/server/clock.hpp"
#include "cloud/server/keys.hpp"
#include "cloud/server/own_authority.hpp"
#include "cloud/server/particle_keys.hpp"
#include "core/base/hex.hpp"
#include "core/cose/credential.hpp"
#include "core/framing/text.hpp"
#include "core/keystore/private_key.hpp"

namespace sotto::cloud::server {

namespace fs = std::filesystem;
using model::TokenKind;
using store_sqlite::SqliteStore;

namespace {

constexpr const char* kOwnerTokenName = "owner.token";
constexpr const char* kGatewayTokenName = "gateway.token";
constexpr const char* kFirstGateway = "first";
constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kNameSizeMax = 64;

std::string path_of(const std::string& state, const char* name) { return state + "/" + name; }

Failure failed(const std::string& what) {
    return {Error::StorageFailed, what + ": check permissions and space of its disk"};
}

Failure no_randomness() {
    return {Error::EntropyFailed, "the system gives no random numbers; nothing was made"};
}

Failure to_failure(const store_sqlite::Failure& failure) { return {failure.code, failure.detail}; }

// SES-1: the subject is random, for the credential is shown to every device.
Result<keystore::Identity> make_identity(hal::Entropy& entropy) {
    std::array<std::uint8_t, 8> label{};
    SOTTO_TRY(entropy.fill(label));
    SOTTO_TRY_ASSIGN(crypto::DhPrivateKey key, keystore::draw_private_key(entropy));
    SOTTO_TRY_ASSIGN(
        const auto credential,
        cose::Credential::create("cloud-" + to_hex<std::string>(label), crypto::dh_public(key)));
    return keystore::Identity{std::move(key), keystore::CredentialBytes{credential.bytes()}};
}

Outcome<keystore::Identity> load_identity(ports::FileStorage& keys, const std::string& state) {
    auto identity = keystore::load_identity(keys);
    if (identity) return *std::move(identity);
    return Failure{identity.error(),
                   "the key of the cloud in " + state +
                       " is damaged or lost; nothing was changed: restore a backup of the folder"};
}

Outcome<> ensure_identity(ports::FileStorage& keys,
                          const std::string& state,
                          hal::Entropy& entropy) {
    const auto known = keystore::load_identity(keys);
    if (known) return {};
    if (known.error() != Error::NotFound) return load_identity(keys, state).error();
    const auto made = make_identity(entropy);
    if (!made) return no_randomness();
    if (!keystore::store_identity(keys, *made)) return failed("cannot write into " + state);
    return {};
}

Result<std::string> draw_token(hal::Entropy& entropy) {
    std::array<std::uint8_t, kTokenBytes> bytes{};
    SOTTO_TRY(entropy.fill(bytes));
    return to_hex<std::string>(bytes);
}

Status add_token(Waiter& waiter,
                 SqliteStore& store,
                 model::AccountId account,
                 TokenKind kind,
                 const std::string& name,
                 const std::string& token) {
    return waiter.wait_for<void>([&](auto done) {
        store.add_token({.hash = hash_token(token), .kind = kind, .account = account, .name = name},
                        SteadyClock{}.now(),
                        std::move(done));
    });
}

Result<model::AccountId> create_account(Waiter& waiter,
                                        SqliteStore& store,
                                        const std::string& name) {
    return waiter.wait_for<model::AccountId>(
        [&](auto done) { store.create_account(name, SteadyClock{}.now(), std::move(done)); });
}

Result<model::AccountId> find_account(Waiter& waiter, SqliteStore& store, const std::string& name) {
    return waiter.wait_for<model::AccountId>(
        [&](auto done) { store.find_account(name, std::move(done)); });
}

struct FirstTokens {
    std::string owner;
    std::string gateway;
};

Status fill_database(Waiter& waiter,
                     SqliteStore& store,
                     const InitCommand& command,
                     const FirstTokens& tokens) {
    SOTTO_TRY_ASSIGN(const auto account, create_account(waiter, store, kFirstAccount));
    SOTTO_TRY(add_token(waiter, store, account, TokenKind::Account, kFirstAccount, tokens.owner));
    SOTTO_TRY(add_token(waiter, store, account, TokenKind::Gateway, kFirstGateway, tokens.gateway));
    if (command.address.empty()) return {};
    return waiter.wait_for<void>(
        [&](auto done) { store.set_setting("address", command.address, std::move(done)); });
}

// The database under its temporary name, closed.
Outcome<> make_database(const InitCommand& command, const FirstTokens& tokens) {
    const std::string path = path_of(command.state, kDatabaseName) + ".new";
    std::error_code ignored;
    for (const char* end : {"", "-wal", "-shm", "-journal"}) fs::remove(path + end, ignored);
    Waiter waiter;
    auto store =
        SqliteStore::open(path, {.mode = store_sqlite::Database::Mode::Create}, waiter.executor());
    if (!store) return to_failure(store.error());
    if (!fill_database(waiter, **store, command, tokens)) return failed("cannot write " + path);
    return {};
}

bool has_cloud(const std::string& state) { return fs::exists(path_of(state, kDatabaseName)); }

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= kNameSizeMax && framing::is_printable_utf8(name);
}

Failure taken(const AddCommand& command) {
    const bool is_account = command.kind == AddCommand::Kind::Account;
    return {Error::AlreadyExists,
            (is_account ? "there is an account " : "there is a gateway ") + command.name +
                " already, with a token; choose another name"};
}

Outcome<model::AccountId> account_for(Waiter& waiter,
                                      SqliteStore& store,
                                      const AddCommand& command) {
    if (command.kind == AddCommand::Kind::Account) {
        // An account of this name without a token is left from a run that was cut short.
        const auto made = create_account(waiter, store, command.name);
        if (made) return *made;
        if (made.error() != Error::AlreadyExists) return failed("cannot write the database");
        const auto found = find_account(waiter, store, command.name);
        if (!found) return failed("cannot read the database");
        return *found;
    }
    const auto found = find_account(waiter, store, command.account);
    if (found) return *found;
    if (found.error() != Error::NotFound) return failed("cannot read the database");
    return Failure{Error::NotFound,
                   "there is no account " + command.account +
                       "; make it first: sotto-cloud account add " + command.account};
}

// Those that the operator names, and that of the address, without its port and brackets.
std::vector<std::string> hosts_of(const InitCommand& command) {
    std::vector<std::string> hosts = command.hosts;
    std::string host = command.address.substr(0, command.address.rfind(':'));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (ports::is_host(host)) hosts.push_back(host);
    return hosts;
}

}  // namespace

model::TokenHash hash_token(std::string_view token) {
    return {.bytes = crypto::sha256(as_bytes(token))};
}

bool is_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    return text.size() <= keystore::kAddressSizeMax && framing::is_visible_ascii(text) &&
           colon != std::string_view::npos && colon > 0 && colon + 1 < text.size();
}

Outcome<> init(const InitCommand& command, hal::Entropy& entropy) {
    const std::string& state = command.state;
    if (!command.address.empty() && !is_address(command.address))
        return Failure{Error::InvalidArgument,
                       "--address " + command.address + ": it must be HOST:PORT"};
    SOTTO_TRY_ASSIGN(const ports::File folder, ports::open_private_folder(state));
    SOTTO_TRY_ASSIGN(ports::FileStorage keys, ports::FileStorage::open(path_of(state, kKeysName)));
    if (has_cloud(state))
        return Failure{Error::AlreadyExists,
                       state +
                           " holds a cloud already, and nothing was changed; start it with: "
                           "sotto-cloud run --state " +
                           state};
    SOTTO_TRY(ensure_identity(keys, state, entropy));
    SOTTO_TRY(issue_own_certificate(state, hosts_of(command), ports::SystemClock::unix_seconds()));
    SOTTO_TRY(ensure_particle_key(state));
    const auto owner = draw_token(entropy);
    const auto gateway = draw_token(entropy);
    if (!owner || !gateway) return no_randomness();
    SOTTO_TRY(make_database(command, {.owner = *owner, .gateway = *gateway}));
    const bool are_written =
        ports::replace_file(folder, kOwnerTokenName, as_bytes(*owner + "\n")).has_value() &&
        ports::replace_file(folder, kGatewayTokenName, as_bytes(*gateway + "\n")).has_value();
    // With this name the cloud is there; before, there is nothing that anybody could use.
    if (!are_written || !ports::put_in_place(folder, kDatabaseName))
        return failed("cannot write into " + state);
    return {};
}

Outcome<> check_cloud(const std::string& path) {
    if (has_cloud(path)) return {};
    const bool is_begun = fs::exists(path_of(path, kKeysName));
    return Failure{Error::NotFound,
                   (is_begun ? "the init of " + path + " was cut short; do it again"
                             : "there is no cloud in " + path + "; make one") +
                       ": sotto-cloud init --state " + path};
}

Outcome<State> open_state(const std::string& path) {
    SOTTO_TRY(check_cloud(path));
    SOTTO_TRY_ASSIGN(ports::FileStorage keys, ports::FileStorage::open(path_of(path, kKeysName)));
    SOTTO_TRY_ASSIGN(keystore::Identity identity, load_identity(keys, path));
    return State{std::move(keys), std::move(identity)};
}

Outcome<std::string> show_certificate(const CertificateCommand& command, std::int64_t now) {
    const std::string& state = command.state;
    SOTTO_TRY(check_cloud(state));
    if (!command.hosts.empty() || !has_own_authority(state))
        SOTTO_TRY(issue_own_certificate(state, command.hosts, now));
    SOTTO_TRY_ASSIGN(const OwnCertificate own, read_own_certificate(state));
    std::string hosts;
    for (const std::string& name : own.server.names) hosts += " " + name;
    return "Fingerprint, for sotto login --pin and sotto-gateway --pin:\n  " +
           to_string(own.authority) +
           "\nCertificate of this authority, for other programs: " + own_authority_path(state) +
           "\nThe cloud's own certificate is for:" + hosts + "\n";
}

Outcome<std::unique_ptr<SqliteStore>> open_store(const std::string& path,
                                                 store::Executor executor) {
    if (!has_cloud(path)) return open_state(path).error();
    auto store = SqliteStore::open(path_of(path, kDatabaseName), {}, std::move(executor));
    if (!store) return to_failure(store.error());
    return *std::move(store);
}

Outcome<std::string> add(const AddCommand& command, hal::Entropy& entropy) {
    if (!is_name(command.name))
        return Failure{Error::InvalidArgument,
                       "this cannot be a name; take 1 to 64 printable characters"};
    SOTTO_TRY(check_cloud(command.state));
    Waiter waiter;
    SOTTO_TRY_ASSIGN(const auto store, open_store(command.state, waiter.executor()));
    SOTTO_TRY_ASSIGN(const model::AccountId account, account_for(waiter, *store, command));
    const auto token = draw_token(entropy);
    if (!token) return no_randomness();
    const bool is_account = command.kind == AddCommand::Kind::Account;
    const Status added = add_token(waiter,
                                   *store,
                                   account,
                                   is_account ? TokenKind::Account : TokenKind::Gateway,
                                   command.name,
                                   *token);
    if (added) return *token;
    return added.error() == Error::AlreadyExists ? taken(command)
                                                 : failed("cannot write the database");
}

}  // namespace sotto::cloud::server
