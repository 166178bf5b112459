// SPDX-License-Identifier: Apache-2.0
// `sotto pair`: becomes the owner of a device, names it, and gives it the cloud of the login.
#include <nlohmann/json.hpp>

#include "app/cli/home.hpp"
#include "app/cli/job.hpp"
#include "app/cli/way.hpp"
#include "app/client/device.hpp"
#include "app/client/hex.hpp"
#include "core/crypto/hash.hpp"
#include "ports/linux/system_clock.hpp"

namespace sotto::app {
namespace {

constexpr const char* kClaimsTarget = "/sotto/v1/claims";

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
    const auto claim = from_hex(json["claim"].get<std::string>());
    if (!claim || claim->size() != assignment.claim.size()) return strange;
    std::copy(claim->begin(), claim->end(), assignment.claim.begin());
    return assignment;
}

Outcome<> assign_cloud(Device& device, const Account& account, Duration patience) {
    SOTTO_TRY_ASSIGN(const CloudAssignment assignment, request_claim(account, patience));
    return device.assign_cloud(assignment);
}

}  // namespace

Outcome<> run(const PairCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const keystore::PairingCode code, parse(command.code));
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    const framing::DeviceId id = id_of(code);
    if (!command.name.empty()) SOTTO_TRY(home.check_name(id, command.name));
    SOTTO_TRY_ASSIGN(const keystore::Identity identity, home.identity(job.entropy));
    SOTTO_TRY_ASSIGN(const std::unique_ptr<DeviceStorage> storage, home.take_session(id));
    SOTTO_TRY_ASSIGN(const std::unique_ptr<Way> way, Way::open(job, home, *storage, id));
    Device device{{.identity = identity,
                   .storage = *storage,
                   .entropy = job.entropy,
                   .transport = way->transport(),
                   .now = ports::SystemClock::now,
                   .patience = job.settings.patience}};
    SOTTO_TRY(device.pair(code));
    if (!command.name.empty()) SOTTO_TRY(home.set_name(id, command.name));
    const std::string name = command.name.empty() ? to_hex(id) : command.name;
    job.printer.result("you own " + name + " (" + to_hex(id) + ") now",
                       {{"id", to_hex(id)}, {"name", command.name}});

    SOTTO_TRY_ASSIGN(const std::optional<Account> account, home.account());
    if (!account) return {};
    const Outcome<> assigned = assign_cloud(device, *account, job.settings.patience);
    if (assigned || !job.settings.is_local) return assigned;
    job.printer.note("The cloud was not given the device: " + assigned.error().what +
                     ". Do it later with the same command, without --local.");
    return {};
}

}  // namespace sotto::app
