// SPDX-License-Identifier: Apache-2.0
// `sotto takeover`: gives devices a new key of their owner, which no backup and no other phone has.
#include <nlohmann/json.hpp>

#include "app/cli/cloud_trial.hpp"
#include "core/base/hex.hpp"

namespace sotto::app {
namespace {

Outcome<std::uint32_t> hand_over(const keystore::Identity& present,
                                 const Heir& heir,
                                 const DeviceEntry& entry,
                                 const Home& home,
                                 const Job& job) {
    const auto credential = cose::Credential::parse(heir.identity.credential);
    if (!credential)
        return Failure{Trouble::State,
                       "the next key of the device is damaged",
                       "Restore the state folder from a backup"};
    SOTTO_TRY_ASSIGN(const std::unique_ptr<DeviceStorage> storage, home.take_session(entry.id));
    SOTTO_TRY_ASSIGN(const std::unique_ptr<Way> way, Way::open(job, home, *storage, entry.id));
    return device_over(*way, {entry.id, present, *storage}, job)
        .hand_over(*credential, heir.token_key);
}

Outcome<> take_over(const DeviceEntry& entry, const Home& home, const Job& job) {
    SOTTO_TRY_ASSIGN(const Home::Takeover takeover, home.begin_takeover(entry.id, job.entropy));
    auto generation = hand_over(takeover.former, takeover.heir, entry, home, job);
    // If an answer was lost the device may know the new key already, and it alone.
    if (!generation && generation.error().trouble == Trouble::Refused)
        generation = hand_over(takeover.heir.identity, takeover.heir, entry, home, job);
    if (!generation) return generation.error();
    SOTTO_TRY(home.finish_takeover(entry.id, takeover.heir, *generation));
    const std::string name = entry.shown_name();
    job.printer.result(name + " has a new key, which is here alone",
                       {{"id", to_hex<std::string>(entry.id)}, {"generation", *generation}});
    return {};
}

Outcome<std::vector<DeviceEntry>> devices_of(const TakeoverCommand& command, const Home& home) {
    if (!command.device.empty()) {
        SOTTO_TRY_ASSIGN(DeviceEntry entry, home.find(command.device));
        SOTTO_TRY(home.owned(entry));
        return std::vector<DeviceEntry>{std::move(entry)};
    }
    SOTTO_TRY_ASSIGN(std::vector<DeviceEntry> all, home.devices());
    std::erase_if(all, [](const DeviceEntry& entry) { return !entry.is_paired || entry.is_guest; });
    if (all.empty())
        return Failure{Trouble::Usage,
                       "no device here is yours",
                       "Import a backup first (sotto import FILE), or check --state"};
    return all;
}

}  // namespace

// One device out of reach does not keep the others from being taken over.
Outcome<> run(const TakeoverCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const std::vector<DeviceEntry> devices, devices_of(command, home));
    Outcome<> worst;
    for (const DeviceEntry& entry : devices) {
        const Outcome<> done = take_over(entry, home, job);
        if (done) continue;
        if (!worst) job.printer.failure(worst.error());
        worst = done;
    }
    job.printer.note("A cloud that was given the tags of a device needs the new key: sotto tag");
    if (worst) job.printer.note("Export again: older backups open these devices no more");
    return worst;
}

}  // namespace sotto::app
