// SPDX-License-Identifier: Apache-2.0
#include "core/session/server.hpp"

#include <algorithm>

namespace sotto::session {
namespace {

// Content-Formats of EDHOC (RFC 9528 §10.9).
constexpr std::uint16_t kFormatEdhoc = 64;
constexpr std::uint16_t kFormatCidEdhoc = 65;
constexpr std::uint8_t kCborTrue = 0xf5;  // in front of message_1 (RFC 9528 A.2)
constexpr std::uint8_t kBusyMaxAge = 4;

constexpr std::array<coap::OptionNumber, 5> kUnderstood{
    coap::kUriHost, coap::kUriPort, coap::kUriPath, coap::kAccept, coap::kOscore};

// Those of Exchange::Answer::Number.
constexpr std::array<coap::OptionNumber, Exchange::Answer::kCount> kNumbered{
    coap::kContentFormat, coap::kMaxAge, coap::kBlock2, coap::kBlock1, coap::kSize2, coap::kSize1};

// RFC 7252 §5.10.2: "An endpoint receiving a request with a Proxy-Uri Option that is unable or
// unwilling to act as a forward-proxy for the request MUST cause the return of a 5.05".
bool is_for_a_proxy(const coap::Options& options) {
    return options.has(coap::kProxyUri) || options.has(coap::kProxyScheme);
}

// The answer to what is no request, and its size; 0: silence.
std::size_t reject(Bytes raw, MutBytes out) {
    const auto rejection = coap::rejection_of(raw);
    if (!rejection || rejection->size() > out.size()) return 0;
    return copy_to(out, *rejection);
}

}  // namespace

Server::Server(const Setup& setup)
    : sessions_(setup.storage, setup.sessions),
      answers_(setup.answers),
      setup_(setup),
      handshakes_(setup_, authority_, sessions_),
      observations_(setup.events),
      authority_(
          {.storage = setup.storage, .display = setup.display, .network = setup.parts.network}) {
    SOTTO_ASSERT(setup.scratch.size() >= 2 * kEnvelopeSizeMax);
}

Status Server::start(Instant now) {
    SOTTO_TRY(echo_.start(setup_.entropy));
    std::array<std::uint8_t, 2> id;
    SOTTO_TRY(setup_.entropy.fill(id));
    next_message_id_ = static_cast<std::uint16_t>(id[0] << 8 | id[1]);
    SOTTO_TRY(authority_.load(now));
    return sessions_.load(authority_.epoch(), now);
}

Status Server::factory_reset() {
    SOTTO_TRY(authority_.factory_reset(setup_.entropy));
    sessions_.clear(authority_.epoch());
    handshakes_.clear();
    observations_.clear();
    answers_.clear();
    if (setup_.parts.blockwise != nullptr) setup_.parts.blockwise->forget_all();
    ++revision_;
    return {};
}

Bytes Server::receive(Channel channel, Bytes raw, Instant now, MutBytes out) {
    return out.first(take(channel, raw, now, out));
}

std::size_t Server::take(Channel channel, Bytes raw, Moment now, MutBytes out) {
    coap::Message message;
    if (!coap::parse_message(raw, message)) return reject(raw, out);
    const Arrival arrival{
        .channel = channel, .now = now, .raw = raw, .message = message, .out = out};
    if (message.header.type == coap::Type::Reset) {
        observations_.on_reset(channel, message.header.id);
        return 0;
    }
    if (!coap::is_request(message.header.code)) return reject(raw, out);
    Notice notice;
    std::size_t size = 0;
    const bool is_protected = message.options.has(coap::kOscore);
    if (is_protected) notice.max_age_s = 0;  // RFC 8613 §8.2: so that nobody caches it
    if (is_for_a_proxy(message.options)) {
        notice.code = coap::Code::ProxyingNotSupported;
    } else if (message.options.find_bad_critical(kUnderstood)) {  // RFC 7252 §5.4.1
        notice.code = coap::Code::BadOption;
    } else {
        notice.code = is_protected ? on_protected(arrival, size) : on_unprotected(arrival, notice);
    }
    return notice.code == coap::Code::Empty ? size : say(arrival, notice);
}

coap::Code Server::on_unprotected(const Arrival& arrival, Notice& notice) {
    const coap::Options& options = arrival.message.options;
    if (!options.path_is("/.well-known/edhoc")) return coap::Code::Unauthorized;  // [SES-31]
    if (arrival.message.header.code != coap::Code::Post) return coap::Code::MethodNotAllowed;
    std::uint32_t format = kFormatCidEdhoc;
    (void)options.find_uint(coap::kContentFormat, format);
    if (format != kFormatCidEdhoc) return coap::Code::UnsupportedContentFormat;
    return on_edhoc(arrival, notice);
}

coap::Code Server::on_edhoc(const Arrival& arrival, Notice& notice) {
    const Bytes payload = arrival.message.payload;
    Handshakes::Reply reply;
    if (!payload.empty() && payload[0] == kCborTrue) {
        reply = handshakes_.on_message_1(payload.subspan(1), arrival.channel, arrival.now);
    } else {
        const bool had_owner = authority_.has_owner();
        reply = handshakes_.on_message_3(payload, arrival.now);
        if (authority_.has_owner() != had_owner) ++revision_;
        forget_ended();  // a new session may have taken the place of an old one
    }
    if (reply.kind == Handshakes::ReplyKind::Busy) {
        notice.max_age_s = kBusyMaxAge;
        return coap::Code::ServiceUnavailable;
    }
    notice.edhoc = reply.payload;
    return reply.kind == Handshakes::ReplyKind::Message ? coap::Code::Changed
                                                        : coap::Code::BadRequest;
}

SessionEntry* Server::find_session(const oscore::OptionValue& option,
                                   Moment now,
                                   coap::Code& refusal) {
    refusal = coap::Code::BadOption;
    if (!option.kid || option.piv.empty()) return nullptr;
    refusal = coap::Code::Unauthorized;
    SessionEntry* entry = sessions_.find(*option.kid);
    if (entry == nullptr || !sessions_.has_kid_context(*entry, option.kid_context)) return nullptr;
    if (!sessions_.is_expired(*entry, now)) return entry;
    end_session(*entry);
    return nullptr;
}

void Server::end_session(SessionEntry& entry) {
    sessions_.erase(entry);
    forget_ended();
}

void Server::forget_ended() {
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
        if (!sessions_.take_ended(i)) continue;
        const auto session = static_cast<std::uint8_t>(i);
        observations_.remove_session(session);
        if (setup_.parts.blockwise != nullptr) setup_.parts.blockwise->forget(session);
    }
}

coap::Code Server::on_protected(const Arrival& arrival, std::size_t& size) {
    oscore::OptionValue option;
    if (!oscore::find_option(arrival.message, option)) return coap::Code::BadOption;
    coap::Code refusal{};
    SessionEntry* entry = find_session(option, arrival.now, refusal);
    if (entry == nullptr) return refusal;
    if (const Bytes kept = answers_.find(arrival.from_token()); !kept.empty()) {  // [SES-42]
        size = repeat(arrival, kept);
        return coap::Code::Empty;
    }
    // Before a boot's first challenge the window is not known, but nothing executed runs again.
    const oscore::Piv piv = oscore::decode_piv(option.piv);
    if (!entry->window.check(piv)) return coap::Code::Unauthorized;

    const oscore::ContextView context = sessions_.context_of(*entry);
    oscore::Request request;
    const Status opened =
        oscore::unprotect_request(context, option, arrival.message, setup_.scratch, request);
    if (!opened) {
        if (opened.error() == Error::Unauthenticated) sessions_.count_failure(*entry, arrival.now);
        forget_ended();
        return coap::Code::BadRequest;
    }
    if (!admit_first(*entry, arrival.now)) return coap::Code::InternalServerError;
    Exchange exchange{.arrival = arrival,
                      .entry = *entry,
                      .context = context,
                      .request = request,
                      .piv = static_cast<std::uint32_t>(piv.value())};
    return on_verified(exchange, size);
}

coap::Code Server::on_verified(Exchange& exchange, std::size_t& size) {
    const Arrival& arrival = exchange.arrival;
    Exchange::Answer& answered = exchange.answer;
    answered.code = answer(exchange);
    const auto sealed = seal(answered,
                             {.entry = exchange.entry,
                              .request = exchange.request.binding,
                              .header = header_for(arrival.message.header, answered.code),
                              .now = arrival.now,
                              .out = arrival.out});
    if (!sealed) {
        return sealed.error() == Error::NoSpace ? coap::Code::Empty
                                                : coap::Code::InternalServerError;
    }
    const bool is_continue = answered.code == coap::Code::Continue;
    if (answered.was_executed || is_continue) {
        answers_.keep(arrival.from_token(), *sealed, is_continue);
    }
    size = sealed->size();
    return coap::Code::Empty;
}

Status Server::admit_first(SessionEntry& entry, Moment now) {
    if (entry.is_confirmed) return {};
    if (entry.role == Role::Owner) {
        SOTTO_TRY(authority_.confirm_owner());  // [SES-23]
        ++revision_;
    }
    SOTTO_TRY(sessions_.confirm(entry, now));
    handshakes_.on_confirmed(Bytes{&entry.recipient_id, 1});
    return {};
}

coap::Code Server::challenge(Exchange& exchange) {
    exchange.answer.brings_echo = true;
    exchange.answer.has_own_piv = true;
    return coap::Code::Unauthorized;
}

coap::Code Server::answer(Exchange& exchange) {
    SessionEntry& entry = exchange.entry;
    const oscore::Piv piv = exchange.request.piv;
    exchange.is_fresh = has_fresh_echo(exchange);
    // [SES-90] What comes late by design cannot answer a challenge, and needs none.
    const bool is_deferred =
        setup_.parts.deferral != nullptr && exchange.body().options.has(coap::kNotAfter);
    if (!entry.is_synchronised && is_deferred) {
        exchange.answer.has_own_piv = true;  // before the boot it may have had another answer
    } else if (!entry.is_synchronised) {
        if (!exchange.is_fresh) return challenge(exchange);           // [SES-43]
        if (exchange.piv < entry.floor) return coap::Code::Conflict;  // a deferred one was newer
        entry.window = oscore::ReplayWindow{exchange.piv};
        entry.is_synchronised = true;
    }
    entry.window.accept(piv);
    sessions_.touch(entry);
    observations_.retarget(number_of(entry), exchange.arrival.channel);
    for (Part* part : setup_.parts.resources) part->hear(exchange);
    return dispatch(exchange);
}

bool Server::has_fresh_echo(const Exchange& exchange) const {
    Bytes value;
    return exchange.body().options.find(coap::kEcho, value) &&
           echo_.is_fresh(value, exchange.context.recipient_id, exchange.when());
}

coap::Header Server::header_for(const coap::Header& request, coap::Code code) {
    const bool is_confirmable = request.type == coap::Type::Confirmable;
    return {.type = is_confirmable ? coap::Type::Acknowledgement : coap::Type::NonConfirmable,
            .code = code,
            .id = is_confirmable ? request.id : next_message_id_++,
            .token = request.token};
}

std::size_t Server::say(const Arrival& arrival, const Notice& notice) {
    coap::MessageWriter writer{arrival.out, header_for(arrival.message.header, notice.code)};
    if (!notice.edhoc.empty()) writer.options().add_uint(coap::kContentFormat, kFormatEdhoc);
    if (notice.max_age_s != Notice::kNoMaxAge) {
        writer.options().add_uint(coap::kMaxAge, notice.max_age_s);
    }
    return writer.payload(notice.edhoc).finish().value_or(Bytes{}).size();
}

// The token is the same, for it is part of what was found again.
std::size_t Server::repeat(const Arrival& arrival, Bytes answer) {
    if (answer.size() > arrival.out.size()) return 0;
    (void)copy_to(arrival.out, answer);
    const auto code = static_cast<coap::Code>(answer[1]);
    const coap::MessageWriter anew{arrival.out, header_for(arrival.message.header, code)};
    return answer.size();
}

Result<Bytes> Server::seal(const Exchange::Answer& answer, const Envelope& envelope) {
    std::optional<oscore::Piv> piv;
    if (answer.has_own_piv || answer.is_observed) {  // [SES-50]
        SOTTO_TRY_ASSIGN(piv, sessions_.next_piv(envelope.entry, envelope.now));
    }
    const oscore::ContextView context = sessions_.context_of(envelope.entry);
    oscore::Outside outside{
        .type = envelope.header.type, .id = envelope.header.id, .token = envelope.header.token};
    // The request's plaintext has been used: its place takes that of the response.
    coap::MessageWriter body{setup_.scratch, envelope.header.code};
    coap::OptionWriter& options = body.options();
    if (answer.has_tag) options.add(coap::kETag, answer.tag);
    if (answer.is_observed) {
        options.add(coap::kObserve, {});  // RFC 8613 §4.1.3.5.2
        outside.observe = observe_sequence_++ & 0xff'ffff;
    }
    for (std::size_t i = 0; i < answer.numbers.size(); ++i) {
        if ((answer.said >> i & 1) != 0) options.add_uint(kNumbered[i], answer.numbers[i]);
    }
    if (answer.brings_echo) {
        options.add(coap::kEcho, echo_.make(context.recipient_id, envelope.now));
    }
    SOTTO_TRY_ASSIGN(const Bytes plaintext, body.payload(answer.payload).finish());
    const auto message =
        oscore::protect_response(context, envelope.request, piv, outside, plaintext, envelope.out);
    wipe(setup_.scratch);
    return message;
}

Status Server::publish(std::uint8_t event, const Content& content) {
    return observations_.publish(event, content);
}

std::optional<Server::Outgoing> Server::poll(Instant instant, MutBytes out) {
    const Moment now = instant;
    for (Part* part : setup_.parts.resources) part->poll(*this, now);
    Content content;
    while (Observation* observation = observations_.next(now, content)) {
        SessionEntry& entry = sessions_.at(observation->session);
        if (sessions_.is_expired(entry, now)) {
            end_session(entry);
            continue;
        }
        observation->message_id = next_message_id_++;
        Exchange::Answer answer{.is_observed = true};
        answer.show(content.format, content.payload);
        const auto message = seal(answer,
                                  {.entry = entry,
                                   .request = observation->binding,
                                   .header = {.type = coap::Type::NonConfirmable,
                                              .code = coap::Code::Content,
                                              .id = observation->message_id,
                                              .token = observation->token},
                                   .now = now,
                                   .out = out});
        if (message) return Outgoing{.channel = observation->channel, .message = *message};
        if (message.error() != Error::NoSpace) {
            observations_.remove(observation->session, observation->token);
        }
    }
    return std::nullopt;
}

}  // namespace sotto::session
