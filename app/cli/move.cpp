// SPDX-License-Identifier: Apache-2.0
// `sotto move`: takes a device to another cloud; it comes back by itself if that does not work.
#include <nlohmann/json.hpp>

#include "app/cli/cloud_trial.hpp"
#include "app/cli/login.hpp"
#include "core/base/hex.hpp"

namespace sotto::app {

Outcome<> run(const MoveCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const Account target, sign_in(command.login, job));
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const DeviceEntry entry, home.find(command.device));
    SOTTO_TRY_ASSIGN(const keystore::Identity identity, home.identity_of(entry.id, job.entropy));
    SOTTO_TRY_ASSIGN(const std::unique_ptr<DeviceStorage> storage, home.take_session(entry.id));
    SOTTO_TRY_ASSIGN(std::unique_ptr<Way> way, Way::open(job, home, *storage, entry.id));
    SOTTO_TRY(take_to_cloud({entry.id, identity, *storage}, std::move(way), target, job));
    SOTTO_TRY(home.set_account_of(entry.id, target));
    const std::string name = entry.shown_name();
    job.printer.result(name + " is at " + target.url + " now",
                       {{"id", to_hex<std::string>(entry.id)}, {"cloud", target.url}});
    return {};
}

}  // namespace sotto::app
