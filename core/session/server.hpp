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
#include "core/session/setup.hpp"

namespace sotto::session {

class Server {
  public:
    using Setup = ServerSetup;
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
    // Reads the description or a variable; what an error of that is answered with.
    Status read(Format format, const Traits* variable, Excerpt& part);
    static coap::Code refusal_of(Error why);
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
        static constexpr std::uint8_t kNoMaxAge = 0xff;

        coap::Code code = coap::Code::BadRequest;
        std::uint8_t max_age_s = kNoMaxAge;
        Bytes edhoc = {};
    };
    // A response or notification on its way out.
    struct Envelope {
        SessionEntry& entry;
        const oscore::RequestBinding& request;
        coap::Header header;
        Moment now;
        MutBytes out;
    };

    // The size of the answer, at the front of `out`; 0: there is none.
    std::size_t take(Channel channel, Bytes raw, Moment now, MutBytes out);
    // Each the code of an answer in the open, with what else is in the notice.
    coap::Code on_unprotected(const Arrival& arrival, Notice& notice);
    coap::Code on_edhoc(const Arrival& arrival, Notice& notice);
    // The same; Code::Empty: the answer is sealed, at the front of arrival.out, and of this size.
    coap::Code on_protected(const Arrival& arrival, std::size_t& size);
    coap::Code on_verified(Exchange& exchange, std::size_t& size);
    std::size_t say(const Arrival& arrival, const Notice& notice);
    std::size_t repeat(const Arrival& arrival, Bytes answer);
    // The response header that fits a request: piggybacked if it was confirmable.
    coap::Header header_for(const coap::Header& request, coap::Code code);
    // Error::StorageFailed or Expired: there is no Partial IV for it; Error::NoSpace.
    Result<Bytes> seal(const Exchange::Answer& answer, const Envelope& envelope);

    // The session that a message is for; null, and why it is refused.
    SessionEntry* find_session(const oscore::OptionValue& option, Moment now, coap::Code& refusal);
    Status admit_first(SessionEntry& entry, Moment now);
    // The code of the answer, whose other fields are in the exchange.
    coap::Code answer(Exchange& exchange);
    // Those that are not to be inlined: the compiler takes it for smaller, and on a Cortex-M0 it is
    // not.
    [[gnu::noinline]] bool has_fresh_echo(const Exchange& exchange) const;

    // The resources, in server_resources.cpp.
    [[gnu::noinline]] Part* find_part(const coap::Options& options) const;
    bool understands(const Exchange& exchange, bool is_function) const;
    coap::Code dispatch(Exchange& exchange);
    coap::Code on_named(Exchange& exchange, std::string_view name, ResourceKind kind);
    coap::Code on_function(Exchange& exchange, const Traits& traits);
    [[gnu::noinline]] coap::Code on_event(Exchange& exchange, std::uint8_t event);

    // What is used most stands in front, where a Cortex-M0 reaches it with one instruction.
    SessionTable sessions_;
    std::uint32_t revision_ = 0;
    std::uint32_t observe_sequence_ = 0;
    std::uint16_t next_message_id_ = 0;
    AnswerCache answers_;
    Setup setup_;
    Echo echo_;
    Handshakes handshakes_;
    Observations observations_;
    Authority authority_;
};

}  // namespace sotto::session
