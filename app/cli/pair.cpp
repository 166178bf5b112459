// SPDX-License-Identifier: Apache-2.0
// `sotto pair`: becomes the owner of a device, names it, and gives it the cloud of the login.
#include <nlohmann/json.hpp>

#include "app/cli/cloud_trial.hpp"
#include "core/base/hex.hpp"

namespace sotto::app {
namespace {

Outcome<keystore::PairingCode> parse(const std::string& text) {
    auto code = keystore::parse_pairing_code(text);
    if (!code)
        return Failure{Trouble::Usage,
                       "this is no pairing code: " + std::string{to_string(code.error())},
                       "Read it again from the device's screen or label"};
    return *std::move(code);
}

framing::DeviceId id_of(const keystore::PairingCode& code) {
    framing::DeviceId id{};
    std::copy_n(code.credential_hash_prefix.begin(), id.size(), id.begin());
    return id;
}

}  // namespace

Outcome<> run(const PairCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const keystore::PairingCode code, parse(command.code));
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    const framing::DeviceId id = id_of(code);
    if (!command.name.empty()) SOTTO_TRY(home.check_name(id, command.name));
    SOTTO_TRY_ASSIGN(const keystore::Identity identity, home.identity_of(id, job.entropy));
    SOTTO_TRY_ASSIGN(const std::unique_ptr<DeviceStorage> storage, home.take_session(id));
    SOTTO_TRY_ASSIGN(std::unique_ptr<Way> way, Way::open(job, home, *storage, id));
    const Known known{id, identity, *storage};
    SOTTO_TRY(device_over(*way, known, job).pair(code));
    // An owner needs no token, if he was a guest before; if it stays, it does nothing.
    (void)keystore::erase_token(*storage).has_value();
    if (!command.name.empty()) SOTTO_TRY(home.set_name(id, command.name));
    const std::string name = command.name.empty() ? to_hex<std::string>(id) : command.name;
    job.printer.result("you own " + name + " (" + to_hex<std::string>(id) + ") now",
                       {{"id", to_hex<std::string>(id)}, {"name", command.name}});

    SOTTO_TRY_ASSIGN(const std::optional<Account> account, home.account());
    if (!account) return {};
    const Outcome<> taken = take_to_cloud(known, std::move(way), *account, job);
    if (taken) return home.set_account_of(id, *account);
    if (!job.settings.is_local) return taken;
    job.printer.note("The device has no cloud yet: " + taken.error().what +
                     ". Do it later: sotto move DEVICE --to " + account->url + " --local");
    return {};
}

}  // namespace sotto::app
