// SPDX-License-Identifier: Apache-2.0
#include "core/session/server.hpp"

#include "core/base/writer.hpp"
#include "core/oscore/message.hpp"

namespace sotto::session {
namespace {

// Content-Formats of EDHOC (RFC 9528 §10.9).
constexpr std::uint16_t kFormatEdhoc = 64;
constexpr std::uint16_t kFormatCidEdhoc = 65;
constexpr std::uint8_t kCborTrue = 0xf5;  // in front of message_1 (RFC 9528 A.2)
constexpr std::uint32_t kBusyMaxAge = 4;

constexpr std::array<coap::OptionNumber, 5> kUnderstood{
    coap::kUriHost, coap::kUriPort, coap::kUriPath, coap::kAccept, coap::kOscore};

// Whether there is a critical option outside that a request may not have (RFC 7252 §5.4.1).
bool has_bad_critical(const coap::Options& options) {
    return options.find_bad_critical(kUnderstood).has_value();
}

// RFC 7252 §5.10.2: "An endpoint receiving a request with a Proxy-Uri Option that is unable or
// unwilling to act as a forward-proxy for the request MUST cause the return of a 5.05".
bool is_for_a_proxy(const coap::Options& options) {
    return options.find(coap::kProxyUri) || options.find(coap::kProxyScheme);
}

Bytes copy(Bytes bytes, MutBytes out) {
    Writer writer{out};
    writer.bytes(bytes);
    return writer.written();
}

// A message without type and message id, which a repetition may change.
Bytes from_token(Bytes message) { return message.subspan(4); }

}  // namespace

Server::Server(const Setup& setup)
    : setup_(setup),
      authority_({.storage = setup.storage, .display = setup.display, .trusted = setup.trusted}),
      sessions_(setup.storage, setup.sessions),
      handshakes_({.identity = setup.identity,
                   .form = setup.form,
                   .authority = authority_,
                   .sessions = sessions_,
                   .entropy = setup.entropy,
                   .slots = setup.half_open,
                   .rate = setup.handshake_rate}) {
    SOTTO_ASSERT(setup.half_open.size() >= kHalfOpenSlots);
    SOTTO_ASSERT(setup.scratch.size() >= 2 * kEnvelopeSizeMax);
}

Status Server::start(Instant now) {
    EchoKey key;
    SOTTO_TRY(setup_.entropy.fill(key.fill()));
    echo_.emplace(std::move(key));
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
    const auto message = coap::parse_message(raw);
    if (message && message->header.type == coap::Type::Reset) {
        observations_.on_reset(channel, message->header.id);
        return {};
    }
    if (!message || !coap::is_request(message->header.code)) {
        const auto rejection = coap::rejection_of(raw);
        return rejection ? copy(*rejection, out) : Bytes{};
    }
    if (is_for_a_proxy(message->options))
        return respond(message->header, {.code = coap::Code::ProxyingNotSupported}, out);
    if (message->options.find(coap::kOscore)) {
        return on_protected(channel, *message, raw, now, out);
    }
    return on_unprotected(channel, *message, now, out);
}

Bytes Server::on_unprotected(Channel channel,
                             const coap::Message& message,
                             Instant now,
                             MutBytes out) {
    if (has_bad_critical(message.options)) {
        return respond(message.header, {.code = coap::Code::BadOption}, out);
    }
    if (!message.options.path_is("/.well-known/edhoc")) {  // [SES-31]
        return respond(message.header, {.code = coap::Code::Unauthorized}, out);
    }
    if (message.header.code != coap::Code::Post) {
        return respond(message.header, {.code = coap::Code::MethodNotAllowed}, out);
    }
    const auto format = message.options.find_uint(coap::kContentFormat);
    if (format && *format != kFormatCidEdhoc) {
        return respond(message.header, {.code = coap::Code::UnsupportedContentFormat}, out);
    }
    std::array<std::uint8_t, kHandshakeMessageMax> scratch;
    return respond(message.header, on_edhoc(channel, message.payload, now, scratch), out);
}

Server::Notice Server::on_edhoc(Channel channel, Bytes payload, Instant now, MutBytes scratch) {
    Handshakes::Reply reply;
    if (!payload.empty() && payload[0] == kCborTrue) {
        reply = handshakes_.on_message_1(channel, payload.subspan(1), now, scratch);
    } else {
        const bool had_owner = authority_.has_owner();
        reply = handshakes_.on_message_3(payload, now, scratch);
        if (authority_.has_owner() != had_owner) ++revision_;
        forget_ended();  // a new session may have taken the place of an old one
    }
    if (reply.kind == Handshakes::ReplyKind::Busy) {
        return {.code = coap::Code::ServiceUnavailable, .max_age_s = kBusyMaxAge};
    }
    const bool is_message = reply.kind == Handshakes::ReplyKind::Message;
    return {.code = is_message ? coap::Code::Changed : coap::Code::BadRequest,
            .edhoc = reply.payload};
}

Result<SessionEntry*> Server::find_session(const oscore::OptionValue& option, Instant now) {
    if (!option.kid || option.piv.empty()) return Error::Malformed;
    SessionEntry* entry = sessions_.find(*option.kid);
    if (entry == nullptr || !sessions_.has_kid_context(*entry, option.kid_context))
        return Error::NotFound;
    if (sessions_.is_expired(*entry, now)) {
        end_session(*entry);
        return Error::NotFound;
    }
    return entry;
}

void Server::end_session(SessionEntry& entry) {
    sessions_.erase(entry);
    forget_ended();
}

void Server::forget_ended() {
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
        if (!sessions_.take_ended(i)) continue;
        observations_.remove_session(static_cast<std::uint8_t>(i));
        if (setup_.parts.blockwise != nullptr) {
            setup_.parts.blockwise->forget(static_cast<std::uint8_t>(i));
        }
    }
}

Bytes Server::on_protected(
    Channel channel, const coap::Message& message, Bytes raw, Instant now, MutBytes out) {
    const auto refuse = [&](coap::Code code) {
        // RFC 8613 §8.2: such answers carry Max-Age 0, so that nobody caches them.
        return respond(message.header, {.code = code, .max_age_s = 0}, out);
    };
    if (has_bad_critical(message.options)) return refuse(coap::Code::BadOption);
    const auto option = oscore::find_option(message);
    if (!option) return refuse(coap::Code::BadOption);
    const auto found = find_session(*option, now);
    if (!found) {
        return refuse(found.error() == Error::Malformed ? coap::Code::BadOption
                                                        : coap::Code::Unauthorized);
    }
    SessionEntry& entry = **found;
    if (const Bytes kept = answers_.find(from_token(raw)); !kept.empty()) {  // [SES-42]
        return repeat(message.header, kept, out);
    }
    // Before a boot's first challenge the window is not known, but nothing executed runs again.
    if (!entry.window.check(oscore::decode_piv(option->piv))) {
        return refuse(coap::Code::Unauthorized);
    }

    const oscore::ContextView context = sessions_.context_of(entry);
    const auto request = oscore::unprotect_request(context, *option, message, setup_.scratch);
    if (!request) {
        const bool is_forged = request.error() == Error::Unauthenticated;
        if (is_forged) sessions_.count_failure(entry, now);
        forget_ended();
        return refuse(coap::Code::BadRequest);
    }
    if (!admit_first(entry, now)) return refuse(coap::Code::InternalServerError);
    Exchange exchange{.channel = channel,
                      .header = message.header,
                      .entry = entry,
                      .context = context,
                      .request = *request,
                      .now = now};
    exchange.answer.code = answer(exchange);
    const Bytes response = respond(exchange, out);
    if (response.empty()) return response;
    if (exchange.answer.was_executed) answers_.keep(from_token(raw), response);
    if (exchange.answer.code == coap::Code::Continue) {
        answers_.keep_continue(from_token(raw), response);
    }
    return response;
}

Status Server::admit_first(SessionEntry& entry, Instant now) {
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
        setup_.parts.deferral != nullptr && exchange.body().options.find(coap::kNotAfter);
    if (!entry.is_synchronised && is_deferred) {
        exchange.answer.has_own_piv = true;  // before the boot it may have had another answer
    } else if (!entry.is_synchronised) {
        if (!exchange.is_fresh) return challenge(exchange);          // [SES-43]
        if (piv.value() < entry.floor) return coap::Code::Conflict;  // a deferred one was newer
        entry.window = oscore::ReplayWindow{static_cast<std::uint32_t>(piv.value())};
        entry.is_synchronised = true;
    }
    entry.window.accept(piv);
    sessions_.touch(entry);
    observations_.retarget(number_of(entry), exchange.channel);
    for (Part* part : setup_.parts.resources) part->hear(exchange);
    return dispatch(exchange);
}

bool Server::has_fresh_echo(const Exchange& exchange) const {
    const auto value = exchange.request.body.options.find(coap::kEcho);
    return value &&
           echo_->is_fresh(*value, exchange.context.recipient_id, exchange.now, kEchoLifetime);
}

coap::Header Server::header_for(const coap::Header& request, coap::Code code) {
    const bool is_confirmable = request.type == coap::Type::Confirmable;
    return {.type = is_confirmable ? coap::Type::Acknowledgement : coap::Type::NonConfirmable,
            .code = code,
            .id = is_confirmable ? request.id : next_message_id_++,
            .token = request.token};
}

Bytes Server::respond(const coap::Header& request, const Notice& notice, MutBytes out) {
    coap::MessageWriter writer{out, header_for(request, notice.code)};
    if (!notice.edhoc.empty()) writer.options().add_uint(coap::kContentFormat, kFormatEdhoc);
    if (notice.max_age_s) writer.options().add_uint(coap::kMaxAge, *notice.max_age_s);
    return writer.payload(notice.edhoc).finish().value_or(Bytes{});
}

Bytes Server::repeat(const coap::Header& request, Bytes answer, MutBytes out) {
    const auto message = coap::parse_message(answer);
    SOTTO_ASSERT(message.has_value());  // it is ours
    const coap::Header header = header_for(request, message->header.code);
    const std::size_t header_size = 4 + header.token.size();
    coap::MessageWriter writer{out, header};
    const auto written = writer.finish();
    if (!written || answer.size() > out.size()) return {};
    const Bytes rest = answer.subspan(header_size);
    std::copy(rest.begin(), rest.end(), out.begin() + static_cast<std::ptrdiff_t>(header_size));
    return Bytes{out}.first(answer.size());
}

Bytes Server::seal(const Exchange::Answer& answer, Sealing& sealing, Instant now, MutBytes out) {
    // The request's plaintext has been used: its place takes that of the response.
    coap::MessageWriter body{setup_.scratch, answer.code};
    coap::OptionWriter& options = body.options();
    if (answer.block2) options.add(coap::kETag, answer.tag);
    if (answer.is_observed) {
        options.add(coap::kObserve, {});  // RFC 8613 §4.1.3.5.2
        sealing.outside.observe = observe_sequence_++ & 0xff'ffff;
    }
    if (answer.has_content) {
        options.add_uint(coap::kContentFormat, static_cast<std::uint16_t>(answer.content.format));
    }
    if (answer.max_age_s) options.add_uint(coap::kMaxAge, *answer.max_age_s);
    if (answer.block2) options.add_uint(coap::kBlock2, coap::block_value(*answer.block2));
    if (answer.block1) options.add_uint(coap::kBlock1, coap::block_value(*answer.block1));
    if (answer.size2 > 0) options.add_uint(coap::kSize2, answer.size2);
    if (answer.size1 > 0) options.add_uint(coap::kSize1, answer.size1);
    if (answer.brings_echo) {
        options.add(coap::kEcho, echo_->make(sealing.context.recipient_id, now));
    }
    const auto plaintext = body.payload(answer.content.payload).finish();
    if (!plaintext) return {};
    const auto message = oscore::protect_response(
        sealing.context, sealing.request, sealing.piv, sealing.outside, *plaintext, out);
    wipe(setup_.scratch);
    return message.value_or(Bytes{});
}

Bytes Server::respond(Exchange& exchange, MutBytes out) {
    const Exchange::Answer& answer = exchange.answer;
    const coap::Header header = header_for(exchange.header, answer.code);
    Sealing sealing{.context = exchange.context,
                    .request = exchange.request.binding,
                    .piv = std::nullopt,
                    .outside = {.type = header.type, .id = header.id, .token = header.token}};
    if (answer.has_own_piv || answer.is_observed) {
        const auto next = sessions_.next_piv(exchange.entry, exchange.now);
        if (!next) return respond(exchange.header, {.code = coap::Code::InternalServerError}, out);
        sealing.piv = *next;
    }
    return seal(answer, sealing, exchange.now, out);
}

Status Server::publish(std::uint8_t event, const Content& content) {
    return observations_.publish(event, content);
}

std::optional<Server::Outgoing> Server::poll(Instant now, MutBytes out) {
    for (Part* part : setup_.parts.resources) part->poll(*this, now);
    while (const auto due = observations_.next(now)) {
        Observation& observation = due->observation;
        SessionEntry& entry = sessions_.at(observation.session);
        if (sessions_.is_expired(entry, now)) {
            end_session(entry);
            continue;
        }
        const auto piv = sessions_.next_piv(entry, now);  // [SES-50]
        if (!piv) {
            observations_.remove(observation.session, observation.token);
            continue;
        }
        const oscore::ContextView context = sessions_.context_of(entry);
        observation.message_id = next_message_id_++;
        Sealing sealing{.context = context,
                        .request = observation.binding,
                        .piv = *piv,
                        .outside = {.type = coap::Type::NonConfirmable,
                                    .id = observation.message_id,
                                    .token = observation.token}};
        const Exchange::Answer answer{.code = coap::Code::Content,
                                      .has_content = true,
                                      .is_observed = true,
                                      .content = due->content};
        const Bytes message = seal(answer, sealing, now, out);
        if (!message.empty()) return Outgoing{.channel = observation.channel, .message = message};
    }
    return std::nullopt;
}

}  // namespace sotto::session
