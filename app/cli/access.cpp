// SPDX-License-Identifier: Apache-2.0
#include "app/cli/access.hpp"

#include <algorithm>

#include "app/cli/calendar.hpp"
#include "app/cli/cloud_trial.hpp"
#include "core/cbor/writer.hpp"
#include "core/framing/text.hpp"

namespace sotto::app {

using session::Grant;

namespace {

Failure no_scope(const std::string& part) {
    return {Trouble::Usage,
            "\"" + part + "\" is nothing that can be shared",
            "Name functions, variables and events as f/NAME, v/NAME, e/NAME, with commas"};
}

}  // namespace

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

Outcome<keystore::TokenBytes> let_in(const crypto::Hash& key,
                                     Guest& guest,
                                     const DeviceEntry& entry,
                                     const Home& home) {
    SOTTO_TRY_ASSIGN(const keystore::PeerRecord peer, home.owned(entry));
    guest.generation = peer.generation;
    Grant grant{.id = guest.token, .holder = key, .not_after = guest.not_after};
    std::vector<std::uint8_t> scope;
    if (!guest.scope.empty()) {
        SOTTO_TRY_ASSIGN(scope, encode_scope(guest.scope));
        grant.scope = scope;
    }
    std::array<std::uint8_t, keystore::kTokenSizeMax> buffer{};
    const auto token = session::issue_token(grant, peer.token_key, buffer);
    if (!token)
        return Failure{Trouble::Usage,
                       "so many names do not fit an access token",
                       "Name fewer; of a device that is shared, everything by leaving out --only"};
    SOTTO_TRY(home.add_guest(entry.id, guest, time_now()));
    return keystore::TokenBytes{*token};
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

Outcome<> take_back(Guest& guest, const DeviceEntry& entry, const Home& home, const Job& job) {
    SOTTO_TRY_ASSIGN(const std::unique_ptr<DeviceStorage> storage, home.take_session(entry.id));
    SOTTO_TRY_ASSIGN(const std::unique_ptr<Way> way, Way::open(job, home, *storage, entry.id));
    SOTTO_TRY_ASSIGN(const keystore::Identity identity, home.identity_of(entry.id, job.entropy));
    Device device = device_over(*way, {entry.id, identity, *storage}, job);
    SOTTO_TRY(device.revoke(guest.token, guest.not_after));
    guest.is_revoked = true;
    return home.update_guest(entry.id, guest);
}

}  // namespace sotto::app
