// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/import_command.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "cloud/migration/limits.hpp"
#include "cloud/migration/spark_server.hpp"
#include "cloud/server/blocking_store.hpp"
#include "cloud/server/clock.hpp"
#include "cloud/server/limits.hpp"
#include "cloud/server/particle_keys.hpp"
#include "cloud/server/webhook_networks.hpp"
#include "core/base/hex.hpp"
#include "core/base/secret.hpp"
#include "ports/linux/file.hpp"
#include "ports/openssl/password.hpp"

namespace sotto::cloud::server {

using migration::SparkServer;
using migration::SparkServerFiles;
using migration::SparkServerTools;
using particle_openssl::ServerKey;
using store::Arrival;

namespace {

namespace fs = std::filesystem;

constexpr const char* kServerKeyFile = "default_key.pem";

// Where the parts of its data are.
struct Place {
    std::string data{};
    std::string collections{};
};

Outcome<Place> find_data(const std::string& folder) {
    for (const std::string& data : {folder, folder + "/data"}) {
        if (fs::exists(data + "/db/users.db")) return Place{data, data + "/db"};
    }
    if (fs::exists(folder + "/users.db")) return Place{folder + "/..", folder};
    const bool is_old = fs::exists(folder + "/users") || fs::exists(folder + "/core_keys");
    return Failure{Error::NotFound,
                   is_old ? folder +
                                " has files of JSON for each user, as older versions of that "
                                "server do: let it move them to its database first "
                                "(migrateFilesToDatabase); its keys alone: sotto-cloud keys import"
                          : folder + ": there is no db/users.db in it, as a spark-server has it"};
}

Outcome<std::string> read_text_file(const std::string& path) {
    auto file = ports::read_file(path, migration::kCollectionSizeMax + 1);
    if (!file && file.error().code == Error::NotFound) return std::string{};
    if (!file) return file.error();
    return std::string{as_text(*file)};
}

Outcome<SparkServerFiles> read_files(const std::string& folder) {
    SparkServerFiles files;
    SOTTO_TRY_ASSIGN(files.users, read_text_file(folder + "/users.db"));
    SOTTO_TRY_ASSIGN(files.device_attributes, read_text_file(folder + "/deviceAttributes.db"));
    SOTTO_TRY_ASSIGN(files.device_keys, read_text_file(folder + "/deviceKeys.db"));
    SOTTO_TRY_ASSIGN(files.webhooks, read_text_file(folder + "/webhooks.db"));
    SOTTO_TRY_ASSIGN(files.products, read_text_file(folder + "/products.db"));
    return files;
}

Outcome<SparkServerTools> tools_for(const ImportCommand& command) {
    SparkServerTools tools{
        .hash = hash_token,
        .read_device_key =
            [](std::string_view pem) { return particle_openssl::read_device_key(as_bytes(pem)); },
        .now = SteadyClock{}.now()};
    for (const std::string& pair : command.names) {
        const std::size_t sign = pair.rfind('=');
        if (sign == std::string::npos || sign == 0)
            return Failure{Error::InvalidArgument, "--user " + pair + ": it must be THERE=HERE"};
        tools.names[pair.substr(0, sign)] = pair.substr(sign + 1);
    }
    return tools;
}

// None: that server has none there.
Outcome<std::optional<ServerKey>> read_server_key(const std::string& path) {
    auto content = ports::read_file(path, kCertificateFileMax);
    if (!content && content.error().code == Error::NotFound) return std::optional<ServerKey>{};
    if (!content) return content.error();
    auto key = ServerKey::read(as_text(*content));
    wipe(*content);
    if (key) return std::optional{*std::move(key)};
    return Failure{Error::InvalidArgument,
                   path +
                       " is no RSA key of 2048 bits in PEM without a passphrase; take it off "
                       "with `openssl rsa -in FILE -out FILE`"};
}

// Lines of scrypt for what that server kept. Whoever has the password that everybody knows gets
// none, and so does whoever's is not kept in that way. A trial does without the work.
Outcome<> make_passwords(SparkServer& server, bool is_trial, hal::Entropy& entropy) {
    constexpr ports::ScryptCost kNoCost{.log2_n = 4, .r = 1, .p = 1};
    for (std::size_t i = 0; i < server.passwords.size(); ++i) {
        const ports::Pbkdf2Hash known{.salt = server.passwords[i].salt,
                                      .hash = server.passwords[i].hash,
                                      .iterations = migration::kSparkServerIterations};
        store::ArrivingUser& user = server.arrivals.users[i];
        const bool is_known_to_all =
            ports::is_password(migration::kSparkServerDefaultPassword, known);
        const auto line =
            ports::wrap_password_hash(known, entropy, is_trial ? kNoCost : ports::kPasswordCost);
        if (!line && line.error() != Error::InvalidArgument)
            return Failure{line.error(), "a password cannot be hashed: memory is missing"};
        if (line && !is_known_to_all) {
            user.password = *line;
            continue;
        }
        server.remarks.push_back(
            {"password",
             user.name,
             std::string{is_known_to_all ? "left out: it is the one that everybody knows"
                                         : "left out: it is not kept as that server does"} +
                 "; sotto-cloud account password gives another"});
    }
    return {};
}

const char* words_for(Arrival arrival, bool is_trial) {
    switch (arrival) {
        case Arrival::Taken:
            return is_trial ? "would come" : "came";
        case Arrival::Known:
            return "is here already";
        case Arrival::OfAnother:
            return "left out: here it is another account's, or known by another key";
        case Arrival::Sealed:
            return "left out: a sealed device has this id here";
        case Arrival::NoRoom:
            return "left out: the account has no room for more";
        case Arrival::LeftAlone:
            break;
    }
    return "left out: here is an account of this name, maybe somebody else's; --user NAME=NAME "
           "says that they are the same";
}

class Table {
  public:
    explicit Table(bool is_trial) : is_trial_(is_trial) {}

    void add(const std::string& what, const std::string& name, const std::string& outcome) {
        std::string line = what;
        line.resize(std::max<std::size_t>(line.size() + 1, 10), ' ');
        line += name;
        line.resize(std::max<std::size_t>(line.size() + 2, 40), ' ');
        text_ += line + outcome + "\n";
    }
    void add(const std::string& what, const std::string& name, Arrival arrival) {
        add(what, name, words_for(arrival, is_trial_));
    }
    std::string text() && { return std::move(text_); }

  private:
    bool is_trial_;
    std::string text_;
};

std::string tokens_text(const store::ArrivedUser& arrived, bool is_trial) {
    const auto count = [&](Arrival which) { return std::ranges::count(arrived.tokens, which); };
    const auto came = count(Arrival::Taken);
    const auto known = count(Arrival::Known);
    const auto others = static_cast<std::ptrdiff_t>(arrived.tokens.size()) - came - known;
    return std::to_string(came) + (is_trial ? " would come, " : " came, ") + std::to_string(known) +
           " are here already, " + std::to_string(others) + " left out";
}

std::string table_of(const SparkServer& server, const store::Arrived& arrived, bool is_trial) {
    const WebhookNetworks networks;
    Table table{is_trial};
    std::size_t hook = 0;
    for (std::size_t i = 0; i < arrived.users.size(); ++i) {
        const store::ArrivingUser& user = server.arrivals.users[i];
        const store::ArrivedUser& outcome = arrived.users[i];
        table.add("user", user.name, outcome.account);
        if (!user.tokens.empty()) table.add("tokens", user.name, tokens_text(outcome, is_trial));
        for (std::size_t j = 0; j < user.devices.size(); ++j) {
            const std::string id = to_hex<std::string>(user.devices[j].device);
            table.add("device", id + " " + user.devices[j].name, outcome.devices[j]);
        }
        for (std::size_t j = 0; j < user.hooks.size(); ++j) {
            const auto& [event, host] = server.hook_names[hook++];
            table.add("webhook", event, outcome.hooks[j]);
            if (!networks.may_name(host))
                table.add("webhook", event, "calls no public address: webhook-allow must name it");
        }
    }
    for (std::size_t i = 0; i < arrived.keys.size(); ++i)
        table.add("key", to_hex<std::string>(server.arrivals.keys[i].device), arrived.keys[i]);
    for (const migration::Remark& remark : server.remarks)
        table.add(remark.what, remark.name, remark.why);
    return std::move(table).text();
}

Outcome<store::Arrived> take(const ImportCommand& command, const SparkServer& server) {
    Waiter waiter;
    SOTTO_TRY_ASSIGN(const auto store, open_store(command.state, waiter.executor()));
    const auto arrived = waiter.wait_for<store::Arrived>(
        [&](auto done) { store->take(server.arrivals, command.is_trial, std::move(done)); });
    if (arrived && !command.is_trial) {
        static_cast<void>(waiter.wait_for<void>([&](auto done) {
            store->add_audit({.at = server.arrivals.now,
                              .address = {},
                              .action = "import",
                              .subject = "spark-server",
                              .outcome = "done"},
                             std::move(done));
        }));
    }
    if (arrived) return *arrived;
    return Failure{arrived.error(), "nothing came: the database cannot be used; see doctor"};
}

}  // namespace

Outcome<std::string> import_server(const ImportCommand& command, hal::Entropy& entropy) {
    SOTTO_TRY(check_cloud(command.state));
    SOTTO_TRY_ASSIGN(const Place place, find_data(command.folder));
    SOTTO_TRY_ASSIGN(const SparkServerTools tools, tools_for(command));
    SOTTO_TRY_ASSIGN(const SparkServerFiles files, read_files(place.collections));
    auto server = migration::read_spark_server(files, tools);
    if (!server) return Failure{Error::Malformed, command.folder + ": " + server.error().text};
    SOTTO_TRY_ASSIGN(const auto key, read_server_key(place.data + "/" + kServerKeyFile));
    SOTTO_TRY(make_passwords(*server, command.is_trial, entropy));
    // Who runs has webhooks and the key of the server in memory.
    std::optional<State> state;
    if (!command.is_trial) {
        auto opened = open_state(command.state);
        if (!opened && opened.error().code == Error::Busy)
            return Failure{Error::Busy, "the cloud is running: stop it first, or try --dry-run"};
        if (!opened) return opened.error();
        state.emplace(*std::move(opened));
    }
    SOTTO_TRY_ASSIGN(const store::Arrived arrived, take(command, *server));
    std::string text = table_of(*server, arrived, command.is_trial);
    if (command.is_trial) return text + "Nothing was changed.\n";
    if (!key)
        return text + "There is no " + kServerKeyFile +
               ": devices know that server by another key than this cloud, and need this one's.\n";
    SOTTO_TRY(replace_particle_key(command.state, *key));
    return text +
           "Devices know this cloud by the key of that server, and still by its own; from its next "
           "start on.\n";
}

}  // namespace sotto::cloud::server
