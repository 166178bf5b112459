// SPDX-License-Identifier: Apache-2.0
// The client's requests, and what is said to them.
#include "core/session/client.hpp"
#include "core/session/client_options.hpp"

namespace sotto::session {
namespace {

constexpr std::array<coap::OptionNumber, 2> kUnderstood{coap::kBlock1, coap::kBlock2};

}  // namespace

std::optional<Event> Client::send_request(Instant now) {
    job_.step = Step::Request;
    if (job_.kind != JobKind::Request) {
        return send_protected(observations_[job_.observation].spec, {.observe = 0}, now);
    }
    Spec spec = job_.spec;
    if (job_.transfer.fetches) spec.format.reset();  // nothing goes with it
    return send_protected(spec, {}, now);
}

std::optional<Event> Client::send_last(Instant now) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    job_.step = Step::Last;
    std::array<char, 2 + 2 * keystore::kTagSize> query{'k', '='};
    for (std::size_t i = 0; i < job_.tag.size(); ++i) {
        query[2 + 2 * i] = kDigits[job_.tag[i] >> 4];
        query[3 + 2 * i] = kDigits[job_.tag[i] & 15];
    }
    Spec spec;
    spec.resource = FixedBytes<kSegmentSizeMax>{as_bytes("last")};
    return send_protected(spec, {.query = {query.data(), query.size()}}, now);
}

std::optional<Event> Client::send_protected(const Spec& spec, Extras extras, Instant now) {
    const auto piv = session_.next_piv(now);
    if (!piv) {
        if (piv.error() == Error::Expired) return begin_handshake(now);
        return fail(Reason::OwnState, now);
    }
    const bool is_registration = job_.kind == JobKind::Register || job_.kind == JobKind::Renew;
    if (job_.step == Step::Request && job_.kind == JobKind::Request) add_block(extras, *piv);
    extras.brings_echo =
        now < echo_until_ && !echo_.empty() && (may_run() || job_.challenge_count > 0);
    // To an owner's word an Echo belongs; a cloud's proposal goes without [SES-94].
    if (extras.brings_echo || may_run()) extras.time = time_at(now);
    Token token;
    if (is_registration) {
        token = observations_[job_.observation].token;
    } else if (!setup_.entropy.fill(token)) {
        return fail(Reason::OwnState, now);
    }
    const auto header = exchange_.begin(coap::Code::Post, token, setup_.entropy);
    if (!header) return fail(Reason::OwnState, now);
    const auto body = write_body(spec, extras);
    if (!body) return fail(Reason::OwnState, now);
    const auto message = oscore::protect_request(
        session_.context(),
        {.piv = *piv},
        {.id = header->id, .token = header->token, .observe = extras.observe},
        *body,
        exchange_.buffer());
    wipe(plaintext_.bytes());
    if (!message) return fail(Reason::OwnState, now);
    binding_ = oscore::bind_request(*piv);
    if (is_registration) observations_[job_.observation].pending = binding_;
    Instant until = job_.until;
    if (may_run() && extras.brings_echo) {
        job_.is_at_risk = true;
        job_.piv = *piv;
        job_.tag = session_.tag();
        until = now + milliseconds((job_.until - now).ms / 3 * 2);  // the rest is for /last
    }
    exchange_.send(message->size(), now, until);
    return std::nullopt;
}

Result<Bytes> Client::write_body(const Spec& spec, const Extras& extras) {
    coap::MessageWriter writer{plaintext_.bytes(), spec.code};
    coap::OptionWriter& options = writer.options();
    if (extras.observe) options.add_uint(coap::kObserve, *extras.observe);
    options.add(coap::kUriPath, spec.resource);
    if (!spec.name.empty()) options.add(coap::kUriPath, spec.name);
    if (spec.format) {
        options.add_uint(coap::kContentFormat, static_cast<std::uint16_t>(*spec.format));
    }
    if (!extras.query.empty()) options.add_text(coap::kUriQuery, extras.query);
    if (spec.accept) options.add_uint(coap::kAccept, static_cast<std::uint16_t>(*spec.accept));
    if (extras.block2) options.add_uint(coap::kBlock2, coap::block_value(*extras.block2));
    if (extras.block1) options.add_uint(coap::kBlock1, coap::block_value(*extras.block1));
    if (extras.size1 > 0) options.add_uint(coap::kSize1, extras.size1);
    if (extras.brings_echo) options.add(coap::kEcho, echo_);
    if (!extras.request_tag.empty()) options.add(coap::kRequestTag, extras.request_tag);
    if (extras.not_after) options.add_uint(coap::kNotAfter, *extras.not_after);
    if (extras.time) options.add_uint(coap::kTime, *extras.time);
    return writer.payload(extras.payload).finish();
}

std::optional<Event> Client::on_answer(const coap::Message& message, Instant now) {
    if (!message.options.find(coap::kOscore)) return on_unprotected(message, now);
    if (!session_.exists()) return std::nullopt;
    const auto response =
        oscore::unprotect_response(session_.context(), binding_, message, plaintext_.bytes());
    if (!response) {
        if (response.error() == Error::Unauthenticated) session_.count_failure(now);
        return std::nullopt;  // the true one may follow
    }
    const coap::Body& body = response->body;
    if (body.options.find_bad_critical(kUnderstood)) return std::nullopt;  // RFC 7252 §5.4.1
    const bool brought_echo = keep_echo(body, now);
    if (body.code == coap::Code::Unauthorized && brought_echo) {  // RFC 9175 §2.3: it was not run
        if (++job_.challenge_count > kChallengeMax) return fail(Reason::NoSession, now);
        if (job_.step == Step::Last) return send_last(now);
        job_.is_at_risk = false;
        return send_request(now);
    }
    if (job_.step == Step::Last) return on_last(body, now);
    if (job_.kind != JobKind::Request) return on_registered(*response, now);
    return on_result(body, now);
}

// Nothing proves such an answer; it can cost a handshake and no more [SES-13].
std::optional<Event> Client::on_unprotected(const coap::Message& message, Instant now) {
    const coap::Code code = message.header.code;
    if (code == coap::Code::RequestEntityTooLarge) {
        // It did not get through, or somebody says so: what may have run is asked for [SES-87].
        const bool is_argument = job_.kind == JobKind::Request && job_.step == Step::Request;
        return is_argument && !job_.transfer.fetches && shrink() ? proceed(now) : std::nullopt;
    }
    if (code != coap::Code::Unauthorized && code != coap::Code::BadRequest) return std::nullopt;
    const bool is_first = job_.hint_count++ == 0;
    // What does not verify may have been damaged on its way: it is resent in any case.
    if (is_first && code == coap::Code::BadRequest) return std::nullopt;
    // Where a repetition is refused, the answer to the first may only have been lost.
    if (is_first && exchange_.sent_count() > 1) return proceed(now);
    job_.needs_handshake = true;
    if (job_.handshake_count == 0) return begin_handshake(now);
    return pause(now, kHandshakePause);
}

// What the device says of the command that got no answer.
std::optional<Event> Client::on_last(const coap::Body& body, Instant now) {
    const auto last = parse_last_result(body.payload);
    if (body.code != coap::Code::Content || !last) return fail(Reason::OutcomeUnknown, now);
    if (!last->piv || *last->piv < job_.piv) {
        // Of an argument in blocks the last one is missing, and may be sent again.
        if (!job_.transfer.out.is_divided()) return fail(Reason::NotExecuted, now);
        return restart(now, job_.transfer.out.offset());
    }
    if (*last->piv != job_.piv || !last->code) return fail(Reason::OutcomeUnknown, now);
    return end(Answer{.code = *last->code,
                      .format = job_.spec.accept.value_or(Format::Text),
                      .payload = last->payload.value_or(Bytes{}),
                      .is_result_lost = !last->payload});
}

bool Client::keep_echo(const coap::Body& body, Instant now) {
    const auto value = body.options.find(coap::kEcho);
    if (!value || value->empty() || value->size() > kEchoSizeMax) return false;
    echo_ = FixedBytes<kEchoSizeMax>{*value};
    echo_until_ = now + kEchoUsable;
    return true;
}

}  // namespace sotto::session
