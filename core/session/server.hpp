// SPDX-License-Identifier: Apache-2.0
// The device's end of the sealed channel: EDHOC as Responder, OSCORE as server, and the rules of
// docs/protocol/session.md. Sans-I/O: one message in, at most one answer out; notifications are
// pulled with poll(). No allocation; it borrows what Setup names and owns the rest.
#pragma once

#include "core/session/answer_cache.hpp"
#include "core/session/authority.hpp"
#include "core/session/echo.hpp"
#include "core/session/handshakes.hpp"
#include "core/session/last_result.hpp"
#include "core/session/observations.hpp"
#include "core/session/part.hpp"

namespace sotto::session {

class Server {
  public:
    struct Setup {
        edhoc::Identity identity;
        cose::CredentialForm form = cose::CredentialForm::Value;  // to CoAP/UDP peers
        hal::Storage& storage;
        hal::Entropy& entropy;
        Resources& resources;
        Parts parts = {};
        PairingDisplay display = PairingDisplay::Screen;
        std::span<const cose::Credential> trusted = {};
        std::span<SessionEntry> sessions;  // at least kStoredSessions
        std::span<HalfOpen> half_open;     // at least kHalfOpenSlots
        MutBytes scratch;                  // for a plaintext: as large as the largest message
        // For what a resource answers in one message: kPayloadSizeMax on hosts. It may lie in the
        // `out` of receive() and poll(), which is written when this has been read.
        MutBytes result;
        Rate handshake_rate{.burst = kHandshakeBurst, .refill = kHandshakeRefill};
    };
    explicit Server(const Setup& setup);

    // Loads what storage has and draws the keys of this boot; call it once, first.
    // Error::NotFound: Authority::commission() was never called; Error::EntropyFailed;
    // Error::StorageFailed, Malformed: the state can't be read, and nothing has been changed.
    Status start(Instant now);

    // Adds an OSCORE context from outside, with the rights of Role::Trusted; at most one, after
    // start(). Errors as SessionTable::add_fixed().
    Status add_context(const SessionTable::Fixed& fixed, Instant now) {
        return sessions_.add_fixed(fixed, now);
    }

    // Takes one CoAP message, any bytes. The answer, for the same channel, at the front of `out`
    // (kMessageSizeMax is always enough); empty: there is none. May run a function.
    Bytes receive(Channel channel, Bytes message, Instant now, MutBytes out);

    struct Outgoing {
        Channel channel;
        Bytes message;
    };
    // The next notification, at the front of `out`, if one is due. To be called once in a while
    // even if nothing happens: a trial of a cloud has an end.
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

    // For parts.
    //
    // Lets a request that changes something run, or says why it may not; Code::Empty: it may, and
    // its number is stored [SES-41], unless doing it again does no harm.
    coap::Code admit(Exchange& exchange, bool is_idempotent = false);
    // It has run, with this outcome, which is kept. Returns it.
    coap::Code keep_result(Exchange& exchange, coap::Code code);
    // The code of an answer that asks for a fresh Echo value first [SES-44].
    static coap::Code challenge(Exchange& exchange);
    // The code of an answer with this in it.
    static coap::Code show_cbor(Exchange& exchange, const Result<Bytes>& payload);
    // The description or, if there are traits, a variable, or the block of it that is asked for.
    coap::Code show(Exchange& exchange, Format format, const Traits* variable);
    // Calls a function that has been admitted. Error::NoSpace: its result is too long.
    Status run(const Call& call, Bytes argument, Excerpt& result);
    // Ends a session, and what is kept of it.
    void end_session(SessionEntry& entry);
    // Whoever observed in a session that has ended does so no more.
    void forget_ended();
    // Owner or cloud have changed.
    void raise_revision() { ++revision_; }
    std::uint8_t number_of(const SessionEntry& entry) const {
        return static_cast<std::uint8_t>(sessions_.index_of(entry));
    }
    const Setup& setup() const { return setup_; }
    Authority& authority() { return authority_; }
    SessionTable& sessions() { return sessions_; }

  private:
    // What is said in the open.
    struct Notice {
        coap::Code code = coap::Code::BadRequest;
        Bytes edhoc = {};
        std::optional<std::uint32_t> max_age_s = std::nullopt;
    };

    Bytes on_unprotected(Channel channel, const coap::Message& message, Instant now, MutBytes out);
    Notice on_edhoc(Channel channel, Bytes payload, Instant now, MutBytes scratch);
    Bytes on_protected(
        Channel channel, const coap::Message& message, Bytes raw, Instant now, MutBytes out);
    Result<SessionEntry*> find_session(const oscore::OptionValue& option, Instant now);
    Status admit_first(SessionEntry& entry, Instant now);
    // The code of the answer, whose other fields are in the exchange.
    coap::Code answer(Exchange& exchange);
    bool has_fresh_echo(const Exchange& exchange) const;

    // The resources, in server_resources.cpp.
    Part* find_part(const coap::Options& options) const;
    bool understands(const Exchange& exchange, bool is_function) const;
    coap::Code dispatch(Exchange& exchange);
    coap::Code on_function(Exchange& exchange, std::string_view name);
    coap::Code on_variable(Exchange& exchange, std::string_view name);
    coap::Code on_event(Exchange& exchange, std::string_view name);

    Bytes respond(const coap::Header& request, const Notice& notice, MutBytes out);
    Bytes respond(Exchange& exchange, MutBytes out);
    Bytes repeat(const coap::Header& request, Bytes answer, MutBytes out);
    // The response header that fits a request: piggybacked if it was confirmable.
    coap::Header header_for(const coap::Header& request, coap::Code code);
    // Puts an answer into its envelope; empty if `out` is too small.
    struct Sealing {
        const oscore::ContextView& context;
        const oscore::RequestBinding& request;
        std::optional<oscore::Piv> piv;
        oscore::Outside outside;
    };
    Bytes seal(const Exchange::Answer& answer, Sealing& sealing, Instant now, MutBytes out);

    std::uint32_t revision_ = 0;
    std::uint32_t observe_sequence_ = 0;
    std::uint16_t next_message_id_ = 0;
    Setup setup_;
    Authority authority_;
    SessionTable sessions_;
    Handshakes handshakes_;
    std::optional<Echo> echo_;
    Observations observations_;
    AnswerCache answers_;
};

}  // namespace sotto::session
