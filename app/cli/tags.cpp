// SPDX-License-Identifier: Apache-2.0
// `sotto tag` and `untag`: whether the gateways of its cloud recognise a device on the air, by a
// key of its tags that the cloud is given.
#include <nlohmann/json.hpp>

#include "app/cli/access.hpp"
#include "app/cli/way.hpp"
#include "core/base/hex.hpp"

namespace sotto::app {
namespace {

std::string tag_key_of(const DeviceEntry& entry) {
    return "/sotto/v1/devices/" + to_hex<std::string>(entry.id) + "/tag-key";
}

Outcome<CloudLogin> cloud_of(const DeviceEntry& entry, const Home& home, std::string& url) {
    SOTTO_TRY_ASSIGN(const std::optional<Account> account, home.account_of(entry.id));
    if (!account)
        return Failure{Trouble::SignIn, "no cloud is known here", "Sign in: sotto login URL"};
    url = account->url;
    return login_of(*account);
}

Failure refusal_of(const HttpReply& reply, const DeviceEntry& entry) {
    if (reply.status == 404)
        return {Trouble::Refused,
                "the cloud does not know " + entry.shown_name() + " as yours",
                "Take the device there first: sotto move " + entry.shown_name() + " --to URL"};
    return {Trouble::Unreachable,
            "the cloud does not take it (status " + std::to_string(reply.status) + ")",
            "Check that program and cloud are of the same version"};
}

}  // namespace

Outcome<> run(const TagCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const DeviceEntry entry, home.find(command.device));
    SOTTO_TRY_ASSIGN(const keystore::PeerRecord peer, home.owned(entry));
    std::string url;
    SOTTO_TRY_ASSIGN(const CloudLogin login, cloud_of(entry, home, url));
    std::string body = R"({"key":")";
    body += to_hex<std::string>(session::tag_key(peer.token_key).expose()) + "\"}";
    const auto reply =
        http_request(login, HttpMethod::Put, tag_key_of(entry), job.settings.patience, body);
    wipe({reinterpret_cast<std::uint8_t*>(body.data()), body.size()});
    if (!reply) return reply.error();
    if (reply->status != 200) return refusal_of(*reply, entry);
    job.printer.result("the gateways of " + url + " recognise " + entry.shown_name() + " now",
                       {{"id", to_hex<std::string>(entry.id)}, {"cloud", url}});
    job.printer.note(
        "Whoever runs that cloud can tell where it is heard, until you take that back: "
        "sotto untag, and sotto takeover for a key that he does not have");
    return {};
}

Outcome<> run(const UntagCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const DeviceEntry entry, home.find(command.device));
    std::string url;
    SOTTO_TRY_ASSIGN(const CloudLogin login, cloud_of(entry, home, url));
    SOTTO_TRY_ASSIGN(
        const HttpReply reply,
        http_request(login, HttpMethod::Delete, tag_key_of(entry), job.settings.patience));
    if (reply.status != 200 && reply.status != 404) return refusal_of(reply, entry);
    job.printer.result(
        "the gateways of " + url + " do not recognise " + entry.shown_name() + " any more",
        {{"id", to_hex<std::string>(entry.id)}, {"cloud", url}});
    return {};
}

}  // namespace sotto::app
