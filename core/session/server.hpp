// SPDX-License-Identifier: Apache-2.0
// The device's end of the sealed channel: EDHOC as Responder, OSCORE as server, and the rules of
// docs/protocol/session.md. Sans-I/O: one message in, at most one answer out; notifications are
// pulled with poll(). No allocation; it borrows what Setup names and owns the rest.
#pragma once

#include "core/session/answer_cache.hpp"
#include "core/session/authority.hpp"
#include "core/session/echo.hpp"
#include "core/session/handshakes.hpp"
#include "core/session/observations.hpp"
#include "core/session/resources.hpp"
#include "core/session/session_table.hpp"

namespace sotto::session {

class Server {
  public:
    struct Setup {
        edhoc::Identity identity;
        cose::CredentialForm form = cose::CredentialForm::Value;
        hal::Storage& storage;
        hal::Entropy& entropy;
        Resources& resources;
        PairingDisplay display = PairingDisplay::Screen;
        std::span<const cose::Credential> trusted = {};
        std::span<SessionEntry> sessions;  // at least kStoredSessions
        std::span<HalfOpen> half_open;     // at least kHalfOpenSlots
        Rate handshake_rate{.burst = kHandshakeBurst, .refill = kHandshakeRefill};
    };
    explicit Server(const Setup& setup);

    // Loads what storage has and draws the keys of this boot; call it once, first.
    // Error::NotFound: Authority::commission() was never called; Error::EntropyFailed;
    // Error::StorageFailed, Malformed: the state can't be read, and nothing has been changed.
    Status start(Instant now);

    // Takes one CoAP message, any bytes. The answer, for the same channel, at the front of `out`
    // (kMessageSizeMax is always enough); empty: there is none. May run a function.
    Bytes receive(Channel channel, Bytes message, Instant now, MutBytes out);

    struct Outgoing {
        Channel channel;
        Bytes message;
    };
    // The next notification, at the front of `out`, if one is due.
    std::optional<Outgoing> poll(Instant now, MutBytes out);

    // Tells every observer of an event. Error::NoSpace: too many wait, or the content is over
    // kEventSizeMax; the sketch decides what then.
    Status publish(std::uint8_t event, const Content& content);

    void on_button(Instant now) { authority_.on_button(now); }
    // The owner and all sessions are gone afterwards. Errors as Authority::factory_reset().
    Status factory_reset();

    const Authority& authority() const { return authority_; }
    // Rises whenever owner or cloud change: the device tells its central with a new ATTACH.
    std::uint32_t revision() const { return revision_; }
    // A handshake is under way.
    bool is_busy(Instant now) const { return handshakes_.is_active(now); }

  private:
    struct Incoming;  // one request on its way in

    Setup setup_;
    Authority authority_;
    SessionTable sessions_;
    Handshakes handshakes_;
    Observations observations_;
    AnswerCache answers_;
    std::optional<Echo> echo_;
    std::uint16_t next_message_id_ = 0;
    std::uint32_t revision_ = 0;
};

}  // namespace sotto::session
