// SPDX-License-Identifier: Apache-2.0
// The handshakes in flight on a device: EDHOC as Responder (RFC 9528), who may have a session, and
// pairing (docs/protocol/session.md). No allocation; slots are the caller's; replies are written
// into the caller's buffer.
#pragma once

#include <array>
#include <optional>

#include "core/base/token_bucket.hpp"
#include "core/edhoc/responder.hpp"
#include "core/hal/entropy.hpp"
#include "core/session/authority.hpp"
#include "core/session/channel.hpp"
#include "core/session/fingerprint.hpp"
#include "core/session/session_table.hpp"

namespace sotto::session {

// One handshake between message_1 and the first protected request.
struct HalfOpen {
    Channel channel;
    bool is_answered = false;  // message_4 has been composed
    edhoc::ConnectionId c_r;
    Instant expires{};
    Fingerprint received{};                     // of the message that `reply` answers
    std::optional<edhoc::Responder> responder;  // none: the slot is free
    FixedBytes<kHandshakeMessageMax> reply;
};

class Handshakes {
  public:
    struct Setup {
        edhoc::Identity identity;
        cose::CredentialForm form = cose::CredentialForm::Value;  // to CoAP/UDP peers
        Authority& authority;
        SessionTable& sessions;
        hal::Entropy& entropy;
        std::span<HalfOpen> slots;  // the first is kept for the direct air
        Rate rate;                  // of handshakes begun, per path
    };
    explicit Handshakes(const Setup& setup);

    enum class ReplyKind : std::uint8_t {
        Message,      // the next EDHOC message
        ClientError,  // an EDHOC error message
        Busy,         // nothing; try again later
    };
    struct Reply {
        ReplyKind kind = ReplyKind::Busy;
        Bytes payload;
    };

    // Takes message_1, without the 0xf5 in front of it.
    Reply on_message_1(Channel channel, Bytes message, Instant now, MutBytes out);
    // Takes C_R and message_3.
    Reply on_message_3(Bytes c_r_and_message, Instant now, MutBytes out);

    // The session of this Recipient ID has been used: its handshake is over.
    void on_confirmed(Bytes recipient_id);
    // Everything half open is void (factory reset).
    void clear();
    // A handshake is under way: a sleepy device stays awake.
    bool is_active(Instant now) const;

  private:
    HalfOpen& choose_slot(Channel channel);
    HalfOpen* find_slot(Bytes c_r);
    HalfOpen* find_repeated(const Fingerprint& received);
    Result<edhoc::ConnectionId> choose_c_r(const edhoc::ConnectionId& c_i);
    Status answer_message_1(HalfOpen& slot, Bytes message);
    Status answer_message_3(HalfOpen& slot, Bytes message, Instant now);
    Result<cose::Credential> authenticate(HalfOpen& slot, const edhoc::Claim& claim);
    PairingVerdict pair(HalfOpen& slot,
                        const edhoc::Claim& claim,
                        const cose::Credential& credential,
                        Instant now);
    Status compose_message_4(HalfOpen& slot, const PairingAnswer* answer);
    Status open_session(HalfOpen& slot, Role role, Instant now);
    Reply error_reply(const HalfOpen* slot, Error why, MutBytes out) const;
    void expire(Instant now);

    Setup setup_;
    TokenBucket air_bucket_;
    TokenBucket relay_bucket_;
    TokenBucket udp_bucket_;
};

}  // namespace sotto::session
