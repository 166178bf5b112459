// SPDX-License-Identifier: Apache-2.0
// The handshakes in flight on a device: EDHOC as Responder (RFC 9528), who may have a session, and
// pairing (docs/protocol/session.md). No allocation; slots are the caller's.
#pragma once

#include <array>
#include <optional>

#include "core/session/setup.hpp"

namespace sotto::session {

class Handshakes {
  public:
    // Borrows all three.
    Handshakes(const ServerSetup& setup, Authority& authority, SessionTable& sessions);

    enum class ReplyKind : std::uint8_t {
        Message,      // the next EDHOC message
        ClientError,  // an EDHOC error message
        Busy,         // nothing; try again later
    };
    struct Reply {
        ReplyKind kind = ReplyKind::Busy;
        Bytes payload;  // valid until the next call
    };

    // Takes message_1, without the 0xf5 in front of it.
    Reply on_message_1(Bytes message, Channel channel, Moment now);
    // Takes C_R and message_3.
    Reply on_message_3(Bytes c_r_and_message, Moment now);

    // The session of this Recipient ID has been used: its handshake is over.
    void on_confirmed(Bytes recipient_id);
    // Everything half open is void (factory reset).
    void clear();
    // A handshake is under way: a sleepy device stays awake.
    bool is_active(Moment now) const;

  private:
    HalfOpen& choose_slot(Channel channel);
    HalfOpen* find_slot(Bytes c_r);
    HalfOpen* find_repeated(const Fingerprint& received);
    Status choose_c_r(const edhoc::ConnectionId& c_i, edhoc::ConnectionId& c_r);
    Status answer_message_1(HalfOpen& slot, Bytes message);
    Status answer_message_3(HalfOpen& slot, Bytes message, Moment now);
    // Finds the credential that the claim proves, which may be in `room`.
    Status authenticate(HalfOpen& slot,
                        const edhoc::Claim& claim,
                        cose::Credential& room,
                        const cose::Credential*& found);
    // The role of an authenticated credential that does not want to pair.
    PairingVerdict identify(const edhoc::Claim& claim,
                            const cose::Credential& credential,
                            Moment now,
                            Role& role);
    PairingVerdict pair(HalfOpen& slot,
                        const edhoc::Claim& claim,
                        const cose::Credential& credential,
                        Moment now);
    Status compose_message_4(HalfOpen& slot, const PairingAnswer* answer);
    Status open_session(HalfOpen& slot, Role role, Moment now);
    Reply error_reply(const HalfOpen* slot, Error why) const;
    void expire(Moment now);

    const ServerSetup& setup_;
    Authority& authority_;
    SessionTable& sessions_;
    // A token bucket of Setup::handshake_rate, in milliseconds that go round.
    struct Bucket {
        std::uint32_t tokens = 0;
        std::uint32_t filled_at = 0;
    };
    bool take_token(Channel channel, Moment now);

    std::array<Bucket, 3> buckets_;  // of the direct air, the relay and CoAP/UDP
};

}  // namespace sotto::session
