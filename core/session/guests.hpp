// SPDX-License-Identifier: Apache-2.0
// Whom a device lets in beside its owner and the cloud: credentials that are named at its start,
// and guests of the owner, who come with an access token (docs/protocol/session.md, SES-33 to
// SES-39). Nothing is kept of a guest but the session that he has, so there may be any number. No
// allocation; borrows what it is given.
#pragma once

#include "core/session/access_token.hpp"
#include "core/session/part.hpp"
#include "core/session/wall_clock.hpp"

namespace sotto::session {

// What a guest's session may do, and until when.
struct GuestRights {
    keystore::TokenId token{};
    std::uint32_t generation = 0;  // of the pairing that the token hangs from
    std::uint32_t not_after = 0;
    Permissions permissions;
};

// Named twice: as the resource /m/guests, where the owner revokes tokens, and as the device's
// admission.
class Guests final : public Admission {
  public:
    struct Setup {
        std::span<const cose::Credential> trusted = {};
        const WallClock& clock;
        // One for each session that is neither the owner's nor the cloud's.
        std::span<GuestRights> rights;
    };
    explicit Guests(const Setup& setup) : Admission(kPlace), setup_(setup) {}

    const cose::Credential* candidate(const cose::IdCred& id_cred, std::size_t n) const override;
    PairingVerdict admit(const Visitor& visitor, Role& role) override;
    void begin(const SessionEntry& session, const ServerSetup& setup) override;
    bool permits(const Server& server,
                 const Exchange& exchange,
                 ResourceKind kind,
                 std::uint8_t index) const override;

    coap::Code handle(Server& server, Exchange& exchange) override;
    void poll(Server& server, Moment now) override;

  private:
    static constexpr Place kPlace{.path = "/m/guests", .role = Role::Owner};

    PairingVerdict admit_guest(const Visitor& visitor);
    bool is_over(const GuestRights& rights, const Authority& authority, Moment now) const;
    GuestRights& rights_of(std::size_t session) const;
    // Those of tokens that are void, and of this one.
    void end_sessions(Server& server, Moment now, const keystore::TokenId* revoked) const;

    Setup setup_;
    GuestRights next_;  // of the session that begins
};

}  // namespace sotto::session
