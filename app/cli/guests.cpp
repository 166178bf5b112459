// SPDX-License-Identifier: Apache-2.0
// `sotto key`, `share`, `accept`, `guests` and `revoke`: access to a device for people who do not
// own it.
#include <nlohmann/json.hpp>

#include "app/cli/access.hpp"
#include "app/cli/calendar.hpp"
#include "core/base/hex.hpp"

namespace sotto::app {

using session::Grant;

Outcome<> run(const KeyCommand& /*command*/, const Job& job) {
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const keystore::Identity identity, home.identity(job.entropy));
    const std::string key = encode_key(crypto::sha256(identity.credential));
    job.printer.result(key, {{"key", key}});
    return {};
}

Outcome<> run(const ShareCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const DeviceEntry entry, home.find(command.device));
    const auto key = parse_key(command.key);
    if (!key)
        return Failure{Trouble::Usage,
                       "this is no key of a guest",
                       "Ask for what his `sotto key` prints: it begins with SOTTO:K"};
    if (!command.scope.empty()) SOTTO_TRY(encode_scope(command.scope));
    Guest guest{.not_after = Grant::kNever, .name = command.name, .scope = command.scope};
    if (command.lifetime)
        guest.not_after = static_cast<std::uint32_t>(time_now() + command.lifetime->ms / 1'000);
    if (!job.entropy.fill(guest.token))
        return Failure{Trouble::State, "there are no random numbers", "Try again"};
    if (guest.name.empty()) guest.name = "guest " + to_hex<std::string>(guest.token);
    SOTTO_TRY(check_guest_name(guest.name, home, entry));
    SOTTO_TRY_ASSIGN(const keystore::PeerRecord peer, home.owned(entry));
    SOTTO_TRY_ASSIGN(const keystore::TokenBytes token, let_in(*key, guest, entry, home));
    const std::string invitation = encode_invitation({.device = peer.credential,
                                                      .token = token,
                                                      .name = entry.name,
                                                      .tag_key = session::tag_key(peer.token_key)});
    job.printer.result(
        invitation, {{"invitation", invitation}, {"guest", guest.name}, {"number", guest.number}});
    job.printer.note("Send this to " + guest.name +
                     ", who gives it to: sotto accept. It opens to "
                     "that key alone");
    return {};
}

Outcome<> run(const AcceptCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    const auto invitation = parse_invitation(command.invitation);
    if (!invitation)
        return Failure{Trouble::Usage,
                       "this is no invitation",
                       "Copy the whole of the text that the owner's `sotto share` has printed"};
    const framing::DeviceId id = device_id_of(invitation->device);
    if (!command.name.empty()) SOTTO_TRY(home.check_name(id, command.name));
    SOTTO_TRY(home.accept(*invitation));
    const std::string name = command.name.empty() ? invitation->name : command.name;
    if (home.check_name(id, name)) SOTTO_TRY(home.set_name(id, name));
    SOTTO_TRY_ASSIGN(const DeviceEntry entry, home.find(to_hex<std::string>(id)));
    job.printer.result(
        "you may use " + entry.shown_name() + " (" + to_hex<std::string>(id) + ") now",
        {{"id", to_hex<std::string>(id)}, {"name", entry.name}});
    return {};
}

Outcome<> run(const GuestsCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const DeviceEntry entry, home.find(command.device));
    SOTTO_TRY_ASSIGN(const keystore::PeerRecord peer, home.owned(entry));
    SOTTO_TRY_ASSIGN(const std::vector<Guest> guests, home.guests(entry.id));
    for (const Guest& guest : guests) {
        const bool is_over = guest.is_over(peer.generation, time_now());
        const bool ends = guest.not_after != Grant::kNever;
        const std::string until = ends ? "until " + text_of(guest.not_after) : "without end";
        const std::string state = guest.is_revoked ? "taken back" : is_over ? "over" : until;
        const std::string what = guest.scope.empty() ? "everything" : guest.scope;
        job.printer.result(
            std::to_string(guest.number) + "  " + guest.name + "  " + what + "  " + state,
            {{"number", guest.number},
             {"guest", guest.name},
             {"scope", guest.scope},
             {"until", ends ? nlohmann::json(guest.not_after) : nlohmann::json{}},
             {"over", is_over}});
    }
    if (guests.empty()) job.printer.note("Nobody but you. Let somebody in with: sotto share");
    return {};
}

Outcome<> run(const RevokeCommand& command, const Job& job) {
    if (command.is_all) return run(TakeoverCommand{command.device}, job);
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const DeviceEntry entry, home.find(command.device));
    SOTTO_TRY(home.owned(entry));
    if (command.guest.empty())
        return Failure{Trouble::Usage,
                       "whose access is to be taken back?",
                       "Name a guest, as sotto guests lists them, or --all"};
    SOTTO_TRY_ASSIGN(Guest guest, find_guest(command.guest, entry, home));
    SOTTO_TRY(take_back(guest, entry, home, job));
    job.printer.result(guest.name + " has no access to " + entry.shown_name() + " any more",
                       {{"guest", guest.name}, {"number", guest.number}});
    return {};
}

}  // namespace sotto::app
