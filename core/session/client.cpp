// SPDX-License-Identifier: Apache-2.0
#include "core/session/client.hpp"

namespace sotto::session {
namespace {

Result<FixedBytes<kSegmentSizeMax>> segment(std::string_view text) {
    return FixedBytes<kSegmentSizeMax>::from(as_bytes(text));
}

}  // namespace

Client::Client(const Setup& setup)
    : setup_(setup),
      session_(setup.storage),
      handshake_({.identity = setup.identity, .entropy = setup.entropy}) {
    SOTTO_ASSERT(setup.device.size() >= framing::kDeviceIdSize);
}

// Jobs.

Status Client::pair(const keystore::PairingCode& code, Instant now, Instant until) {
    if (is_busy()) return Error::Busy;
    begin(JobKind::Pair, now, until);
    job_.needs_handshake = true;
    job_.secret = code.secret.clone();
    job_.expected = FixedBytes<crypto::kHashSize>{code.credential_hash_prefix};
    return {};
}

Result<Client::Spec> Client::make_spec(const Request& request) {
    Spec spec{.code = request.code};
    SOTTO_TRY_ASSIGN(spec.resource, segment(request.resource));
    SOTTO_TRY_ASSIGN(spec.name, segment(request.name));
    if (request.content) {
        if (request.content->payload.size() > kBodySizeMax) return Error::TooLarge;
        spec.format = request.content->format;
    }
    spec.accept = request.accept;
    return spec;
}

Status Client::request(const Request& request, Instant now, Instant until) {
    if (is_busy()) return Error::Busy;
    SOTTO_TRY_ASSIGN(const Spec spec, make_spec(request));
    begin(JobKind::Request, now, until);
    job_.spec = spec;
    Transfer& transfer = job_.transfer;
    transfer.in = coap::IncomingBody{request.room};
    if (request.content) {
        transfer.argument = request.content->payload;
        if (transfer.argument.size() <= kPayloadSizeMax) {
            std::ranges::copy(transfer.argument, argument_.bytes().begin());
            transfer.argument = Bytes{argument_.bytes()}.first(transfer.argument.size());
        }
    }
    transfer.out = coap::OutgoingBody{transfer.argument.size(), block_exponent_};
    return {};
}

Result<ObservationId> Client::observe(const Request& request, Instant now, Instant until) {
    if (is_busy()) return Error::Busy;
    SOTTO_TRY_ASSIGN(const Spec spec, make_spec(request));
    for (std::uint8_t i = 0; i < observations_.size(); ++i) {
        Observation& observation = observations_[i];
        if (observation.is_used) continue;
        observation = Observation{.is_used = true, .spec = spec};
        if (const Status filled = setup_.entropy.fill(observation.token); !filled) {
            observation = Observation{};
            return filled.error();
        }
        // Until it is registered the job speaks for it.
        observation.renew_at = until;
        observation.expires = until + kRenewalPatience;
        begin(JobKind::Register, now, until);
        job_.observation = i;
        return ObservationId{i};
    }
    return Error::NoSpace;
}

void Client::begin(JobKind kind, Instant now, Instant until) {
    job_ = Job{};
    job_.kind = kind;
    job_.step = Step::Pause;  // until advance()
    job_.resume_at = now;
    job_.until = until;
    job_.patience = until - now;
    job_.expected = setup_.device;
}

bool Client::is_command() const {
    return job_.kind == JobKind::Request && job_.spec.code != coap::Code::Get;
}

std::optional<Event> Client::end(const Event& event) {
    exchange_.finish();
    handshake_.end();
    wipe(argument_.bytes());
    job_ = Job{};
    return event;
}

std::optional<Event> Client::fail(Reason reason, Instant now) {
    const Job job = std::move(job_);
    if (job.transfer.fetches && job.spec.code != coap::Code::Get) {  // it was run, and tells so
        Answer answer = job.transfer.first;
        answer.is_result_lost = true;
        return end(answer);
    }
    const bool is_settled = reason == Reason::NotExecuted;
    std::optional<Event> event =
        end(Ended{job.is_at_risk && !is_settled ? Reason::OutcomeUnknown : reason});
    if (job.kind == JobKind::Register) observations_[job.observation] = Observation{};
    if (job.kind == JobKind::Renew) {  // nobody asked: FellSilent will tell if it stays so
        observations_[job.observation].renew_at = now + kRenewalPatience;
        return std::nullopt;
    }
    if (job.kind == JobKind::Pair && job.was_paired && job.step != Step::Message3) keep_peer(true);
    return event;
}

std::optional<Event> Client::give_up(Instant now) {
    if (!is_busy()) return std::nullopt;
    return fail(Reason::Silence, now);
}

// Time.

std::optional<Event> Client::advance(Instant now) {
    if (!is_busy()) return tend_observations(now);
    if (job_.step == Step::Pause) {
        if (now >= job_.until) return run_out(now);
        return now >= job_.resume_at ? proceed(now) : std::nullopt;
    }
    if (exchange_.is_over(now)) return run_out(now);
    return is_to_shrink(now) ? send_request(now) : std::nullopt;
}

std::optional<Event> Client::tend_observations(Instant now) {
    for (std::uint8_t i = 0; i < observations_.size(); ++i) {
        Observation& observation = observations_[i];
        if (!observation.is_used) continue;
        if (now >= observation.expires) {
            observation = Observation{};
            return FellSilent{ObservationId{i}};
        }
        if (now < observation.renew_at) continue;
        begin(JobKind::Renew, now, now + kRenewalPatience);
        job_.observation = i;
        return proceed(now);
    }
    return std::nullopt;
}

std::optional<Event> Client::run_out(Instant now) {
    if (job_.is_at_risk && job_.step == Step::Request && now < job_.until) return send_last(now);
    return fail(Reason::Silence, now);
}

std::optional<Event> Client::proceed(Instant now) {
    if (job_.needs_handshake || !session_.is_usable(now)) return begin_handshake(now);
    return job_.is_at_risk ? send_last(now) : send_request(now);
}

std::optional<Event> Client::pause(Instant now, Duration duration) {
    exchange_.finish();
    job_.step = Step::Pause;
    job_.resume_at = now + std::min(duration, kHandshakePauseMax);
    return std::nullopt;
}

std::optional<Instant> Client::wake_at() const {
    if (is_busy()) {
        if (job_.step == Step::Pause) return std::min(job_.resume_at, job_.until);
        return exchange_.wake_at();
    }
    std::optional<Instant> first;
    for (const Observation& observation : observations_) {
        if (!observation.is_used) continue;
        const Instant at = std::min(observation.renew_at, observation.expires);
        first = first ? std::min(*first, at) : at;
    }
    return first;
}

// Messages.

std::optional<Bytes> Client::next_message(Instant now) {
    if (replies_.empty()) return exchange_.due(now);
    sent_reply_ = replies_[0];
    replies_.erase(replies_.begin());
    return Bytes{sent_reply_};
}

void Client::reply(const coap::EmptyMessage& message) {
    // If there is no room the other side asks again.
    (void)replies_.try_push_back(message).has_value();
}

std::optional<Event> Client::receive(Bytes raw, Instant now) {
    wipe(plaintext_.bytes());
    const auto message = coap::parse_message(raw);
    if (!message || coap::is_request(message->header.code)) {
        if (const auto rejection = coap::rejection_of(raw)) reply(*rejection);
        return std::nullopt;
    }
    const coap::Header& header = message->header;
    if (header.code == coap::Code::Empty) {
        if (header.type == coap::Type::Acknowledgement) exchange_.on_acknowledged(header.id);
        if (header.type == coap::Type::Confirmable) {  // a ping
            reply(coap::empty_message(coap::Type::Reset, header.id));
        }
        return std::nullopt;
    }
    return on_response(*message, now);
}

std::optional<Event> Client::on_response(const coap::Message& message, Instant now) {
    const coap::Header& header = message.header;
    const bool is_acknowledgement = header.type == coap::Type::Acknowledgement;
    const auto acknowledge = [&] {
        if (header.type == coap::Type::Confirmable) {
            reply(coap::empty_message(coap::Type::Acknowledgement, header.id));
        }
    };
    Observation* observation = is_acknowledgement ? nullptr : find_observation(header.token);
    if (observation != nullptr) {
        acknowledge();
        return on_notification(*observation, message, now);
    }
    if (exchange_.is_answered_by(header)) {
        acknowledge();
        const bool is_handshake = job_.step == Step::Message1 || job_.step == Step::Message3;
        return is_handshake ? on_edhoc_answer(message, now) : on_answer(message, now);
    }
    // RFC 7641 §3.6: a Reset ends an observation that nobody here knows of any more.
    if (!is_acknowledgement) reply(coap::empty_message(coap::Type::Reset, header.id));
    return std::nullopt;
}

}  // namespace sotto::session
