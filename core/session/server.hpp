// SPDX-License-Identifier: Apache-2.0
// The device's end of the sealed channel: EDHOC as Responder, OSCORE as server, and the rules of
// docs/protocol/session.md. Sans-I/O: one message in, at most one answer out; notifications are
// pulled with poll(). No allocation; it borrows what Setup names and owns the rest.
#pragma once

#include "core/oscore/message.hpp"
#include "core/session/answer_cache.hpp"
#include "core/session/authority.hpp"
#include "core/session/echo.hpp"
#include "core/session/handshakes.hpp"
#include "core/session/last_result.hpp"
#include "core/session/observations.hpp"
#include "core/session/resources.hpp"
#include "core/session/session_table.hpp"
#include "core/session/transfers.hpp"
#include "core/session/wall_clock.hpp"

namespace sotto::session {

class Server {
  public:
    struct Setup {
        edhoc::Identity identity;
        cose::CredentialForm form = cose::CredentialForm::Value;  // to CoAP/UDP peers
        hal::Storage& storage;
        hal::Entropy& entropy;
        Resources& resources;
        PairingDisplay display = PairingDisplay::Screen;
        std::span<const cose::Credential> trusted = {};
        std::span<SessionEntry> sessions;  // at least kStoredSessions
        std::span<HalfOpen> half_open;     // at least kHalfOpenSlots
        MutBytes scratch;                  // for a plaintext: as large as the largest message
        MutBytes result;  // for what a resource answers in one message: kPayloadSizeMax on hosts
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

  private:
    // What is said inside a protected response.
    struct Answer {
        coap::Code code = coap::Code::Empty;
        bool has_content = false;
        bool brings_echo = false;
        bool has_own_piv = false;
        bool was_executed = false;  // the same bytes must never run again: keep the answer
        bool is_observed = false;
        Content content = {};
        std::optional<std::uint32_t> max_age_s = std::nullopt;
        std::optional<coap::Block> block1 = std::nullopt;  // the one that was taken
        std::optional<coap::Block> block2 = std::nullopt;  // the one that is shown,
        EntityTag tag = {};                                // of this representation
        std::uint32_t size1 = 0;                           // what can be taken; 0: not said
        std::uint32_t size2 = 0;                           // of the whole; 0: not said
    };
    // A protected request that has been verified, on its way through, and what it is answered.
    struct Exchange {
        Channel channel;
        const coap::Header& header;
        SessionEntry& entry;
        const oscore::ContextView& context;
        const oscore::Request& request;
        Instant now;
        bool is_fresh = false;  // it brings an Echo value of this boot and session
        std::optional<coap::Block> block1 = std::nullopt;
        std::optional<coap::Block> block2 = std::nullopt;
        Answer answer = {};
    };
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
    void end_session(SessionEntry& entry);
    // Whoever observed in a session that has ended does so no more.
    void forget_ended();
    std::uint8_t number_of(const SessionEntry& entry) const {
        return static_cast<std::uint8_t>(sessions_.index_of(entry));
    }
    // The code of the answer, whose other parts are in the exchange.
    coap::Code answer(Exchange& exchange);
    coap::Code challenge(Exchange& exchange) const;
    bool has_fresh_echo(const Exchange& exchange) const;
    void hear_time(const Exchange& exchange);

    // The resources, in server_resources.cpp.
    struct Route;
    static const Route* find_route(const coap::Options& options);
    coap::Code dispatch(Exchange& exchange);
    // Why a state-changing request may not run; nothing: it may, and its number is stored.
    std::optional<coap::Code> admit_command(Exchange& exchange, bool is_idempotent);
    std::optional<coap::Code> admit_deferred(Exchange& exchange, std::uint32_t not_after);
    coap::Code on_variable(Exchange& exchange, std::string_view name);
    coap::Code on_event(Exchange& exchange, std::string_view name);
    coap::Code on_description(Exchange& exchange);
    coap::Code on_network(Exchange& exchange);
    coap::Code try_cloud(Exchange& exchange);
    coap::Code confirm_cloud(Exchange& exchange, std::uint32_t version);
    void end_cloud_session();
    coap::Code on_owner(Exchange& exchange);
    coap::Code on_attach(Exchange& exchange);
    coap::Code on_last(Exchange& exchange);
    coap::Code on_time(Exchange& exchange);
    coap::Code show_cbor(Exchange& exchange, const Result<Bytes>& payload);
    // A command has run, with this outcome.
    coap::Code keep_result(Exchange& exchange, coap::Code code);

    // Functions, and what comes or goes in blocks, in server_transfers.cpp.
    coap::Code on_function(Exchange& exchange, std::string_view name);
    coap::Code take_block(Exchange& exchange, const Traits& traits, const TransferKey& key);
    coap::Code run_function(Exchange& exchange, const Traits& traits, const TransferKey& key);
    coap::Code show_result(Exchange& exchange, Transfer& transfer);
    coap::Code go_on_with_result(Exchange& exchange, std::uint8_t function);
    coap::Code refuse_as_busy(Exchange& exchange);
    coap::Code refuse_as_too_large(Exchange& exchange, MutBytes room);
    std::uint8_t largest_block() const;
    // The block that is asked for, or the first one; no larger than one message takes.
    coap::Block wanted_block(const Exchange& exchange) const;
    // A variable, or the description: the block of it that is asked for, or why there is none.
    coap::Code show(Exchange& exchange, Format format, const Traits* variable);
    bool needs_block(const Exchange& exchange, std::size_t size) const;
    void show_block(Exchange& exchange, std::size_t size, const EntityTag& tag);

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
    Bytes seal(const Answer& answer, Sealing& sealing, Instant now, MutBytes out);

    std::uint32_t revision_ = 0;
    std::uint32_t observe_sequence_ = 0;
    std::uint16_t next_message_id_ = 0;
    Setup setup_;
    Authority authority_;
    SessionTable sessions_;
    Handshakes handshakes_;
    WallClock clock_;
    std::optional<Echo> echo_;
    Observations observations_;
    AnswerCache answers_;
    Transfers transfers_;
};

}  // namespace sotto::session
