// SPDX-License-Identifier: Apache-2.0
// `sotto open` and `close`: what of a device its cloud may use, for its REST API and streams. The
// cloud is let in as a guest is, and to no more than is named.
#include <nlohmann/json.hpp>

#include "app/cli/access.hpp"
#include "app/cli/calendar.hpp"
#include "app/cli/way.hpp"
#include "core/base/hex.hpp"
#include "core/cose/credential.hpp"
#include "core/crypto/hash.hpp"

namespace sotto::app {

using nlohmann::json;
using session::Grant;

namespace {

constexpr const char* kCloudTarget = "/sotto/v1/cloud";

std::string opening_of(const DeviceEntry& entry) {
    return "/sotto/v1/devices/" + to_hex<std::string>(entry.id) + "/opening";
}

Failure strange(const std::string& what) {
    return {Trouble::Unreachable, what, "Check that program and cloud are of the same version"};
}

Outcome<Account> account_of(const DeviceEntry& entry, const Home& home) {
    SOTTO_TRY_ASSIGN(const std::optional<Account> account, home.account_of(entry.id));
    if (account) return *account;
    return Failure{Trouble::SignIn, "no cloud is known here", "Sign in: sotto login URL"};
}

// The key that the cloud has as a guest.
Outcome<crypto::Hash> guest_key(const CloudLogin& login, const Job& job) {
    SOTTO_TRY_ASSIGN(const HttpReply reply,
                     http_request(login, HttpMethod::Get, kCloudTarget, job.settings.patience));
    const auto body = json::parse(reply.body, nullptr, false);
    const bool has_key = reply.status == 200 && body.is_object() && body.contains("guest") &&
                         body["guest"].is_string();
    const auto bytes = has_key
                           ? from_hex<std::vector<std::uint8_t>>(body["guest"].get<std::string>())
                           : std::nullopt;
    const auto credential = bytes ? cose::Credential::parse(*bytes) : Error::Malformed;
    if (!credential) return strange("this cloud cannot be let in to a device");
    return credential->hash();
}

Outcome<> put_opening(const CloudLogin& login,
                      const DeviceEntry& entry,
                      const Guest& guest,
                      const keystore::TokenBytes& token,
                      const Job& job) {
    const json body{
        {"name", entry.name}, {"token", to_hex<std::string>(Bytes{token})}, {"scope", guest.scope}};
    SOTTO_TRY_ASSIGN(
        const HttpReply reply,
        http_request(
            login, HttpMethod::Put, opening_of(entry), job.settings.patience, body.dump()));
    if (reply.status == 404)
        return Failure{
            Trouble::Refused,
            "the cloud does not know " + entry.shown_name() + " as yours",
            "Take the device there first: sotto move " + entry.shown_name() + " --to URL"};
    if (reply.status != 200)
        return strange("the cloud does not take it (status " + std::to_string(reply.status) + ")");
    return {};
}

}  // namespace

Outcome<> run(const OpenCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const DeviceEntry entry, home.find(command.device));
    SOTTO_TRY_ASSIGN(const Account account, account_of(entry, home));
    SOTTO_TRY_ASSIGN(const CloudLogin login, login_of(account));
    SOTTO_TRY(encode_scope(command.scope));
    Guest guest{.not_after = Grant::kNever, .name = kCloudGuest, .scope = command.scope};
    if (command.lifetime)
        guest.not_after = static_cast<std::uint32_t>(time_now() + command.lifetime->ms / 1'000);
    if (!job.entropy.fill(guest.token))
        return Failure{Trouble::State, "there are no random numbers", "Try again"};
    if (!check_guest_name(guest.name, home, entry))
        return Failure{Trouble::Usage,
                       entry.shown_name() + " is open to the cloud already",
                       "To open something else, first close it: sotto close " + entry.shown_name()};
    SOTTO_TRY_ASSIGN(const crypto::Hash key, guest_key(login, job));
    SOTTO_TRY_ASSIGN(const keystore::TokenBytes token, let_in(key, guest, entry, home));
    SOTTO_TRY(put_opening(login, entry, guest, token, job));
    job.printer.result(entry.shown_name() + ": " + guest.scope + " is open to " + account.url,
                       {{"id", to_hex<std::string>(entry.id)}, {"scope", guest.scope}});
    job.printer.note("Whoever runs that cloud, or logs in there as you, can use and read it now");
    return {};
}

// The cloud forgets it at once; what counts is that the device does not let it in any more.
Outcome<> run(const CloseCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const DeviceEntry entry, home.find(command.device));
    SOTTO_TRY_ASSIGN(Guest guest, find_guest(kCloudGuest, entry, home));
    SOTTO_TRY_ASSIGN(const Account account, account_of(entry, home));
    SOTTO_TRY_ASSIGN(const CloudLogin login, login_of(account));
    SOTTO_TRY_ASSIGN(
        const HttpReply reply,
        http_request(login, HttpMethod::Delete, opening_of(entry), job.settings.patience));
    if (reply.status != 200 && reply.status != 404)
        return strange("the cloud does not close it (status " + std::to_string(reply.status) + ")");
    SOTTO_TRY(take_back(guest, entry, home, job));
    job.printer.result(entry.shown_name() + " is closed to the cloud",
                       {{"id", to_hex<std::string>(entry.id)}});
    return {};
}

}  // namespace sotto::app
