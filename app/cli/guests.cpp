// SPDX-License-Identifier: Apache-2.0
// `sotto key`, `share`, `accept`, `guests` and `revoke`: access to a device for people who do not
// own it.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "app/cli/calendar.hpp"
#include "app/cli/cloud_trial.hpp"
#include "core/base/hex.hpp"
#include "core/cbor/writer.hpp"
#include "core/framing/text.hpp"
#include "core/session/access_token.hpp"

namespace sotto::app {
namespace {

using session::Grant;

Failure no_scope(const std::string& part) {
    return {Trouble::Usage,
            "\"" + part + "\" is nothing that can be shared",
            "Name functions, variables and events as f/NAME, v/NAME, e/NAME, with commas"};
}

// AIF (RFC 9237) of "f/lamp,v/lamp": functions are posted to, the others are got.
Outcome<std::vector<std::uint8_t>> encode_scope(const std::string& list) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= list.size();) {
        const std::size_t end = std::min(list.find(',', begin), list.size());
        parts.push_back(list.substr(begin, end - begin));
        begin = end + 1;
    }
    std::vector<std::uint8_t> buffer(2 * list.size() + 6 * parts.size() + 9);
    cbor::Writer writer{buffer};
    writer.array(parts.size());
    for (const std::string& part : parts) {
        const bool is_kind = part.size() > 2 && part[1] == '/' &&
                             std::ranges::count(session::kKindLetters, part[0]) == 1;
        if (!is_kind) return no_scope(part);
        writer.array(2).text("/" + part).uint(session::method_bit(part[0]));
    }
    const Bytes scope = writer.written();
    return std::vector<std::uint8_t>{scope.begin(), scope.end()};
}

Outcome<> check_guest_name(const std::string& name, const Home& home, const DeviceEntry& entry) {
    const bool is_number = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
    if (is_number || name.size() > kGuestNameSizeMax || !framing::is_printable_utf8(name))
        return Failure{Trouble::Usage,
                       "this cannot be the name of a guest",
                       "Take 1 to 64 printable bytes that are not all digits"};
    SOTTO_TRY_ASSIGN(const keystore::PeerRecord peer, home.owned(entry));
    SOTTO_TRY_ASSIGN(const std::vector<Guest> guests, home.guests(entry.id));
    for (const Guest& guest : guests) {
        if (guest.name == name && !guest.is_over(peer.generation, time_now()))
            return Failure{Trouble::Usage,
                           name + " has access to this device already",
                           "Choose another name, or take it back first: sotto revoke " +
                               entry.shown_name() + " " + name};
    }
    return {};
}

// The invitation for a guest, who is put down before it is given away.
Outcome<std::string> invite(const crypto::Hash& key,
                            const std::vector<std::uint8_t>& scope,
                            Guest& guest,
                            const DeviceEntry& entry,
                            const Home& home) {
    SOTTO_TRY_ASSIGN(const keystore::PeerRecord peer, home.owned(entry));
    guest.generation = peer.generation;
    Grant grant{.id = guest.token, .holder = key, .not_after = guest.not_after};
    if (!guest.scope.empty()) grant.scope = scope;
    std::array<std::uint8_t, keystore::kTokenSizeMax> buffer{};
    const auto token = session::issue_token(grant, peer.token_key, buffer);
    if (!token)
        return Failure{Trouble::Usage,
                       "so many names do not fit an invitation",
                       "Name fewer, or share everything by leaving out --only"};
    SOTTO_TRY(home.add_guest(entry.id, guest, time_now()));
    return encode_invitation(
        {.device = peer.credential, .token = keystore::TokenBytes{*token}, .name = entry.name});
}

Outcome<Guest> find_guest(const std::string& text, const DeviceEntry& entry, const Home& home) {
    SOTTO_TRY_ASSIGN(const std::vector<Guest> guests, home.guests(entry.id));
    // Of the same name the latest one is meant: the others are over.
    const auto found =
        std::ranges::find_if(guests.rbegin(), guests.rend(), [&](const Guest& guest) {
            return guest.name == text || std::to_string(guest.number) == text;
        });
    if (found == guests.rend())
        return Failure{Trouble::Usage,
                       "nobody called \"" + text + "\" was let in to this device",
                       "See who was: sotto guests " + entry.shown_name()};
    return *found;
}

}  // namespace

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
    std::vector<std::uint8_t> scope;
    if (!command.scope.empty()) {
        SOTTO_TRY_ASSIGN(scope, encode_scope(command.scope));
    }
    Guest guest{.not_after = Grant::kNever, .name = command.name, .scope = command.scope};
    if (command.lifetime)
        guest.not_after = static_cast<std::uint32_t>(time_now() + command.lifetime->ms / 1'000);
    if (!job.entropy.fill(guest.token))
        return Failure{Trouble::State, "there are no random numbers", "Try again"};
    if (guest.name.empty()) guest.name = "guest " + to_hex<std::string>(guest.token);
    SOTTO_TRY(check_guest_name(guest.name, home, entry));
    SOTTO_TRY_ASSIGN(const std::string invitation, invite(*key, scope, guest, entry, home));
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

// Put down only when the device has done it: until then it is not true.
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
    SOTTO_TRY_ASSIGN(const std::unique_ptr<DeviceStorage> storage, home.take_session(entry.id));
    SOTTO_TRY_ASSIGN(const std::unique_ptr<Way> way, Way::open(job, home, *storage, entry.id));
    SOTTO_TRY_ASSIGN(const keystore::Identity identity, home.identity_of(entry.id, job.entropy));
    Device device = device_over(*way, {entry.id, identity, *storage}, job);
    SOTTO_TRY(device.revoke(guest.token, guest.not_after));
    guest.is_revoked = true;
    SOTTO_TRY(home.update_guest(entry.id, guest));
    job.printer.result(guest.name + " has no access to " + entry.shown_name() + " any more",
                       {{"guest", guest.name}, {"number", guest.number}});
    return {};
}

}  // namespace sotto::app
