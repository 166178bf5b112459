// SPDX-License-Identifier: Apache-2.0
// `sotto update`: another firmware for a device. What was sent stays sent, whatever happens on the
// way, and the device starts nothing that its publisher has not signed.
#include <chrono>
#include <thread>

#include <nlohmann/json.hpp>

#include "app/cli/cloud_trial.hpp"
#include "app/client/firmware.hpp"
#include "core/base/hex.hpp"
#include "ports/linux/file.hpp"

namespace sotto::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kFileSizeMax = 1'048'576;
constexpr std::chrono::seconds kPause{2};        // between tries
constexpr std::chrono::seconds kRestartMax{90};  // of a device: handshake and all
constexpr int kTriesMax = 5;                     // without any progress

Failure no_update(const std::string& file, const std::string& why) {
    return {Trouble::Usage, file + " is no update: " + why, "Name the file of its publisher"};
}

class Update {
  public:
    Update(const Home& home, const DeviceEntry& entry, const update::File& file, const Job& job)
        : home_(home), entry_(entry), file_(file), job_(job), name_(entry.shown_name()) {}

    Outcome<> run() {
        SOTTO_TRY_ASSIGN(const Firmware before, with_device<Firmware>(firmware_of));
        if (before.version == file_.manifest.version) return report(before, "already");
        SOTTO_TRY(send_all());
        job_.printer.note("all of it is there: the device checks it and starts it");
        const auto installed = with_device<void>(install_firmware);
        // Without an answer the device tells by what it runs.
        if (!installed && installed.error().trouble == Trouble::Refused) return installed.error();
        return await_new();
    }

  private:
    // One visit to the device.
    template <class T>
    Outcome<T> with_device(const std::function<Outcome<T>(Device&)>& act) {
        SOTTO_TRY_ASSIGN(const std::unique_ptr<DeviceStorage> storage,
                         home_.take_session(entry_.id));
        SOTTO_TRY_ASSIGN(const std::unique_ptr<Way> way,
                         Way::open(job_, home_, *storage, entry_.id));
        SOTTO_TRY_ASSIGN(const keystore::Identity identity,
                         home_.identity_of(entry_.id, job_.entropy));
        Device device = device_over(*way, {entry_.id, identity, *storage}, job_);
        return act(device);
    }

    static bool is_worth_another(const Failure& failure) {
        return failure.trouble == Trouble::Unreachable || failure.trouble == Trouble::Away ||
               failure.trouble == Trouble::OutcomeUnknown;
    }

    Outcome<> send_all() {
        std::uint32_t best = 0;
        for (int tries = 0;;) {
            const std::uint32_t former = best;
            const Outcome<> sent = with_device<void>([&](Device& device) {
                return send_firmware(device, file_, [&](const Firmware& firmware) {
                    best = std::max(best, firmware.taken);
                    job_.printer.progress("sent " + std::to_string(firmware.taken) + " of " +
                                          std::to_string(firmware.size) + " bytes");
                });
            });
            if (sent || !is_worth_another(sent.error())) return sent;
            tries = best > former ? 0 : tries + 1;
            if (tries == kTriesMax)
                return Failure{sent.error().trouble == Trouble::OutcomeUnknown
                                   ? Trouble::Unreachable
                                   : sent.error().trouble,
                               sent.error().what,
                               "Run the same again: it goes on where it stopped"};
            std::this_thread::sleep_for(kPause);
        }
    }

    Outcome<> await_new() {
        const auto end = Clock::now() + kRestartMax;
        do {
            std::this_thread::sleep_for(kPause);
            const auto firmware = with_device<Firmware>(firmware_of);
            if (firmware && firmware->version == file_.manifest.version)
                return report(*firmware, "now");
            if (firmware && firmware->outcome >= TrialOutcome::Boots)
                return Failure{Trouble::Refused,
                               "the new firmware did not work, and the device has gone back to "
                               "version " +
                                   std::to_string(firmware->version),
                               "Tell its publisher"};
            if (!firmware && !is_worth_another(firmware.error())) return firmware.error();
        } while (Clock::now() < end);
        return Failure{Trouble::OutcomeUnknown,
                       "the device has not come back with the new firmware yet",
                       "Run the same again to see what it runs. Unless you reach it within 10 "
                       "minutes it goes back to the former one"};
    }

    Outcome<> report(const Firmware& firmware, const std::string& since) {
        const std::string version = std::to_string(firmware.version);
        job_.printer.result(
            name_ + " " + since + " runs version " + version,
            {{"id", to_hex<std::string>(entry_.id)}, {"version", firmware.version}});
        return {};
    }

    const Home& home_;
    const DeviceEntry& entry_;
    const update::File& file_;
    const Job& job_;
    std::string name_;
};

}  // namespace

Outcome<> run(const UpdateCommand& command, const Job& job) {
    const auto content = ports::read_file(command.file, kFileSizeMax);
    if (!content) return no_update(command.file, content.error().detail);
    const auto file = update::parse_file(*content);
    if (!file) return no_update(command.file, "it is damaged, or something else");
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const DeviceEntry entry, home.find(command.device));
    return Update{home, entry, *file, job}.run();
}

}  // namespace sotto::app
