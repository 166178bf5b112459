// SPDX-License-Identifier: Apache-2.0
#include "app/cli/cloud_trial.hpp"

#include <chrono>
#include <thread>

#include <nlohmann/json.hpp>

#include "app/cli/way.hpp"
#include "core/base/hex.hpp"
#include "core/crypto/hash.hpp"
#include "ports/linux/system_clock.hpp"

namespace sotto::app {
namespace {

constexpr const char* kClaimsTarget = "/sotto/v1/claims";
constexpr std::chrono::milliseconds kPause{300};

// A claim: the single-use number that lets the cloud register the device to this account.
Outcome<CloudAssignment> request_claim(const Account& account, Duration patience) {
    const Failure strange{Trouble::Unreachable,
                          "the cloud gives no claim for the device",
                          "Check that program and cloud are of the same version"};
    SOTTO_TRY_ASSIGN(const CloudLogin login, login_of(account));
    SOTTO_TRY_ASSIGN(const HttpReply reply,
                     http_request(login, HttpMethod::Post, kClaimsTarget, patience));
    const auto json = nlohmann::json::parse(reply.body, nullptr, false);
    if (reply.status / 100 != 2 || !json.is_object() || !json.contains("claim") ||
        !json["claim"].is_string())
        return strange;
    CloudAssignment assignment{account.address, crypto::sha256(account.credential), {}};
    const auto claim = from_hex<std::vector<std::uint8_t>>(json["claim"].get<std::string>());
    if (!claim || claim->size() != assignment.claim.size()) return strange;
    std::copy(claim->begin(), claim->end(), assignment.claim.begin());
    return assignment;
}

// Again and again, for the device is on its way there.
Outcome<> confirm(Device& through_cloud, std::uint32_t trial, const Job& job) {
    const Instant end = ports::SystemClock::now() + job.settings.patience;
    while (true) {
        const Outcome<> confirmed = through_cloud.confirm_cloud(trial);
        if (confirmed || confirmed.error().trouble == Trouble::State) return confirmed;
        if (ports::SystemClock::now() >= end) break;
        std::this_thread::sleep_for(kPause);
    }
    return Failure{
        Trouble::Unreachable,
        "the device did not come to its new cloud in time, and will go back to where it "
        "was within 10 minutes",
        "Check that a gateway near the device serves that cloud (sotto-gateway --cloud)"};
}

std::string text_of(const TransferProgress& progress) {
    std::string text = progress.is_answer ? "received " : "sent ";
    text += std::to_string(progress.done);
    if (progress.total > 0) text += " of " + std::to_string(progress.total);
    text += " bytes";
    return progress.is_interrupted ? text + ", interrupted" : text;
}

}  // namespace

Device device_over(Way& way, const Known& known, const Job& job) {
    return Device{{.identity = known.identity,
                   .storage = known.storage,
                   .entropy = job.entropy,
                   .transport = way.transport(),
                   .now = ports::SystemClock::now,
                   .patience = job.settings.patience,
                   .on_progress =
                       [&printer = job.printer](const TransferProgress& progress) {
                           printer.progress(text_of(progress));
                       },
                   .since_1970 = since_1970()}};
}

Duration since_1970() {
    const Instant time{seconds(ports::SystemClock::unix_seconds()).ms};
    return time - ports::SystemClock::now();
}

Outcome<> take_to_cloud(const Known& known,
                        std::unique_ptr<Way> way,
                        const Account& account,
                        const Job& job) {
    SOTTO_TRY_ASSIGN(const CloudAssignment assignment,
                     request_claim(account, job.settings.patience));
    SOTTO_TRY_ASSIGN(const std::uint32_t trial,
                     device_over(*way, known, job).try_cloud(assignment));
    way.reset();  // a gateway has to take the device there
    SOTTO_TRY_ASSIGN(way, Way::through_cloud(job, account, known.storage, known.id));
    Device through_cloud = device_over(*way, known, job);
    return confirm(through_cloud, trial, job);
}

}  // namespace sotto::app
