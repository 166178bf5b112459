// SPDX-License-Identifier: Apache-2.0
#include "core/session/client.hpp"

namespace sotto::session {
namespace {

constexpr std::uint16_t kFormatCidEdhoc = 65;  // RFC 9528 §10.9
constexpr std::size_t kConnectionIdRoom = 1 + edhoc::kConnectionIdSizeMax;
constexpr Duration kMaxAgeDefault = seconds(60);  // RFC 7252 §5.10.5

Duration max_age_of(const coap::Options& options) {
    const auto value = options.find_uint(coap::kMaxAge);
    return value ? seconds(*value) : kMaxAgeDefault;
}

Format format_of(const coap::Options& options) {
    return static_cast<Format>(options.find_uint(coap::kContentFormat).value_or(0));
}

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
        if (request.content->payload.size() > kPayloadSizeMax) return Error::TooLarge;
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
    if (request.content) {
        const Bytes payload = request.content->payload;
        std::copy(payload.begin(), payload.end(), argument_.bytes().begin());
        argument_size_ = payload.size();
    }
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
    job_.expected = setup_.device;
}

bool Client::is_command() const {
    return job_.kind == JobKind::Request && job_.spec.code != coap::Code::Get;
}

std::optional<Event> Client::end(const Event& event) {
    exchange_.finish();
    handshake_.end();
    wipe(argument_.bytes());
    argument_size_ = 0;
    job_ = Job{};
    return event;
}

std::optional<Event> Client::fail(Reason reason, Instant now) {
    const Job job = std::move(job_);
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
    return exchange_.is_over(now) ? run_out(now) : std::nullopt;
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

// The handshake.

std::optional<Event> Client::begin_handshake(Instant now) {
    if (++job_.handshake_count > kHandshakeTryMax) return fail(Reason::NoSession, now);
    job_.needs_handshake = true;
    std::array<std::uint8_t, kHandshakeMessageMax> buffer;
    const auto payload = handshake_.begin(buffer);
    if (!payload) return fail(Reason::OwnState, now);
    return post_edhoc(Step::Message1, *payload, now);
}

std::optional<Event> Client::post_edhoc(Step step, Bytes payload, Instant now) {
    Token token;
    if (!setup_.entropy.fill(token)) return fail(Reason::OwnState, now);
    const auto header = exchange_.begin(coap::Code::Post, token, setup_.entropy);
    if (!header) return fail(Reason::OwnState, now);
    coap::MessageWriter writer{exchange_.buffer(), *header};
    writer.options().add_path("/.well-known/edhoc");
    writer.options().add_uint(coap::kContentFormat, kFormatCidEdhoc);
    const auto message = writer.payload(payload).finish();
    SOTTO_ASSERT(message.has_value());  // far below kMessageSizeMax
    exchange_.send(message->size(), now, job_.until);
    job_.step = step;
    return std::nullopt;
}

std::optional<Event> Client::on_edhoc_answer(const coap::Message& message, Instant now) {
    if (message.header.code == coap::Code::ServiceUnavailable) {
        --job_.handshake_count;  // it was not begun
        return pause(now, max_age_of(message.options));
    }
    if (!coap::is_success(message.header.code)) {
        if (handshake_.on_error(message.payload)) return begin_handshake(now);
        return pause(now, kHandshakePause);
    }
    return job_.step == Step::Message1 ? on_message_2(message.payload, now)
                                       : on_message_4(message.payload, now);
}

std::optional<Event> Client::on_message_2(Bytes payload, Instant now) {
    const Status proved =
        handshake_.on_message_2(payload, {.hash_prefix = job_.expected, .known = setup_.known});
    if (!proved) {
        // A forged or damaged message_2 may be followed by the true one.
        return proved.error() == Error::Refused ? fail(Reason::NotTheDevice, now) : std::nullopt;
    }
    device_ = handshake_.credential();
    const bool is_pairing = job_.kind == JobKind::Pair;
    if (is_pairing) {
        const auto known = keystore::load_peer(setup_.storage);
        job_.was_paired = known && known->is_paired;
        if (!keep_peer(false)) return fail(Reason::OwnState, now);  // [SES-23]
    }
    // A device that does not know our kid gets the whole credential at the next try.
    const bool by_value = is_pairing || job_.handshake_count > 1;
    std::array<std::uint8_t, edhoc::kScratchSize + kConnectionIdRoom> buffer;
    const auto message_3 =
        handshake_.compose_message_3(by_value ? cose::CredentialForm::Value : setup_.form,
                                     is_pairing ? &job_.secret : nullptr,
                                     buffer);
    if (!message_3) return fail(Reason::OwnState, now);
    return post_edhoc(Step::Message3, *message_3, now);
}

std::optional<Event> Client::on_message_4(Bytes payload, Instant now) {
    const auto answer = handshake_.on_message_4(payload);
    if (!answer) return std::nullopt;  // the true one may follow
    const PairingVerdict verdict = *answer ? (*answer)->verdict : PairingVerdict::Accepted;
    const bool is_pairing = job_.kind == JobKind::Pair;
    if (verdict != PairingVerdict::Accepted || (is_pairing && !*answer)) {
        if (!is_pairing) return fail(Reason::NotAdmitted, now);
        if (job_.was_paired) keep_peer(true);
        return end(Paired{*answer ? verdict : PairingVerdict::NotPermitted});
    }
    if (is_pairing && !keep_pairing((*answer)->generation)) return fail(Reason::OwnState, now);
    const auto keys = handshake_.keys();
    if (!keys || !session_.replace(*keys, now)) return fail(Reason::OwnState, now);
    on_new_session(now);
    if (is_pairing) return end(Paired{PairingVerdict::Accepted});
    return proceed(now);
}

void Client::on_new_session(Instant now) {
    handshake_.end();
    job_.needs_handshake = false;
    echo_ = {};
    for (Observation& observation : observations_) {  // they ended with the old session
        observation.is_registered = false;
        observation.pending.reset();
        observation.newest.reset();
        observation.renew_at = now;
    }
}

// Marks the pairing with this device as finished or not; what was known of it stays.
bool Client::keep_peer(bool is_paired) {
    keystore::PeerRecord peer;
    if (auto known = keystore::load_peer(setup_.storage)) {
        const bool is_same = device_ && equal(known->credential, device_->bytes());
        if (is_same) peer = std::move(*known);
    }
    peer.is_paired = is_paired;
    peer.credential = keystore::CredentialBytes{device_->bytes()};
    return keystore::store_peer(setup_.storage, peer).has_value();
}

bool Client::keep_pairing(std::uint32_t generation) {
    auto token_key = handshake_.token_key(generation);
    if (!token_key) return false;
    keystore::PeerRecord peer{.is_paired = true,
                              .generation = generation,
                              .credential = keystore::CredentialBytes{device_->bytes()},
                              .token_key = *std::move(token_key)};
    return keystore::store_peer(setup_.storage, peer).has_value();
}

// Requests.

std::optional<Event> Client::send_request(Instant now) {
    job_.step = Step::Request;
    if (job_.kind == JobKind::Request) {
        return send_protected(job_.spec, {}, Bytes{argument_.bytes()}.first(argument_size_), now);
    }
    return send_protected(observations_[job_.observation].spec, {}, {}, now);
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
    return send_protected(spec, {query.data(), query.size()}, {}, now);
}

std::optional<Event> Client::send_protected(const Spec& spec,
                                            std::string_view query,
                                            Bytes payload,
                                            Instant now) {
    const auto piv = session_.next_piv(now);
    if (!piv) {
        if (piv.error() == Error::Expired) return begin_handshake(now);
        return fail(Reason::OwnState, now);
    }
    const bool is_registration = job_.kind == JobKind::Register || job_.kind == JobKind::Renew;
    const std::optional<std::uint32_t> observe =
        is_registration ? std::optional<std::uint32_t>{0} : std::nullopt;
    const bool brings_echo = now < echo_until_ && !echo_.empty() &&
                             (spec.code != coap::Code::Get || job_.challenge_count > 0);
    // To an owner's word an Echo belongs; a cloud's proposal goes without [SES-94].
    const bool tells_time = brings_echo || spec.code != coap::Code::Get;
    Token token;
    if (is_registration) {
        token = observations_[job_.observation].token;
    } else if (!setup_.entropy.fill(token)) {
        return fail(Reason::OwnState, now);
    }
    const auto header = exchange_.begin(coap::Code::Post, token, setup_.entropy);
    if (!header) return fail(Reason::OwnState, now);
    const auto body = write_body(spec,
                                 {.query = query,
                                  .observe = observe,
                                  .brings_echo = brings_echo,
                                  .time = tells_time ? time_at(now) : std::nullopt},
                                 payload);
    if (!body) return fail(Reason::OwnState, now);
    const auto message =
        oscore::protect_request(session_.context(),
                                {.piv = *piv},
                                {.id = header->id, .token = header->token, .observe = observe},
                                *body,
                                exchange_.buffer());
    wipe(plaintext_.bytes());
    if (!message) return fail(Reason::OwnState, now);
    binding_ = oscore::bind_request(*piv);
    if (is_registration) observations_[job_.observation].pending = binding_;
    Instant until = job_.until;
    if (job_.step == Step::Request && is_command() && brings_echo) {
        job_.is_at_risk = true;
        job_.piv = *piv;
        job_.tag = session_.tag();
        until = now + milliseconds((job_.until - now).ms / 3 * 2);  // the rest is for /last
    }
    exchange_.send(message->size(), now, until);
    return std::nullopt;
}

Result<Bytes> Client::write_body(const Spec& spec, const Extras& extras, Bytes payload) {
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
    if (extras.brings_echo) options.add(coap::kEcho, echo_);
    if (extras.not_after) options.add_uint(coap::kNotAfter, *extras.not_after);
    if (extras.time) options.add_uint(coap::kTime, *extras.time);
    return writer.payload(payload).finish();
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
    if (body.options.find_bad_critical({})) return std::nullopt;  // RFC 7252 §5.4.1
    const bool brought_echo = keep_echo(body, now);
    if (body.code == coap::Code::Unauthorized && brought_echo) {  // RFC 9175 §2.3: it was not run
        if (++job_.challenge_count > kChallengeMax) return fail(Reason::NoSession, now);
        if (job_.step == Step::Last) return send_last(now);
        job_.is_at_risk = false;
        return send_request(now);
    }
    if (job_.step == Step::Last) return on_last(body, now);
    if (job_.kind != JobKind::Request) return on_registered(*response, now);
    return end(
        Answer{.code = body.code, .format = format_of(body.options), .payload = body.payload});
}

// Nothing proves such an answer; it can cost a handshake and no more [SES-13].
std::optional<Event> Client::on_unprotected(const coap::Message& message, Instant now) {
    const coap::Code code = message.header.code;
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
    if (!last->piv || *last->piv < job_.piv) return fail(Reason::NotExecuted, now);
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

// Deferred commands.

std::optional<std::uint32_t> Client::time_at(Instant now) const {
    if (!setup_.since_1970) return std::nullopt;
    return static_cast<std::uint32_t>((now + *setup_.since_1970).ms / 1'000);
}

Result<Client::Sealed> Client::defer(const Request& request,
                                     std::uint32_t not_after,
                                     Instant now,
                                     MutBytes out) {
    SOTTO_TRY_ASSIGN(const Spec spec, make_spec(request));
    if (!session_.is_usable(now)) return Error::NotFound;
    Sealed sealed{.deferred = {.tag = session_.tag()}};
    std::array<std::uint8_t, 2> id;
    SOTTO_TRY(setup_.entropy.fill(sealed.deferred.token));
    SOTTO_TRY(setup_.entropy.fill(id));
    SOTTO_TRY_ASSIGN(sealed.deferred.piv, session_.next_piv(now));
    SOTTO_TRY_ASSIGN(
        const Bytes body,
        write_body(
            spec, {.not_after = not_after}, request.content ? request.content->payload : Bytes{}));
    const oscore::Outside outside{.type = coap::Type::NonConfirmable,
                                  .id = static_cast<std::uint16_t>(id[0] << 8 | id[1]),
                                  .token = sealed.deferred.token};
    const auto message = oscore::protect_request(
        session_.context(), {.piv = sealed.deferred.piv}, outside, body, out);
    wipe(plaintext_.bytes());
    if (!message) return message.error();
    sealed.message = *message;
    return sealed;
}

Result<Answer> Client::open(const Deferred& deferred, Bytes raw, Instant now) {
    if (!session_.is_usable(now) || session_.tag() != deferred.tag) return Error::NotFound;
    const auto message = coap::parse_message(raw);
    const bool is_answer = message && coap::is_response(message->header.code) &&
                           equal(message->header.token, deferred.token) &&
                           message->options.find(coap::kOscore);
    if (!is_answer) return Error::Unauthenticated;
    const auto response = oscore::unprotect_response(
        session_.context(), oscore::bind_request(deferred.piv), *message, plaintext_.bytes());
    if (!response || response->body.options.find_bad_critical({})) return Error::Unauthenticated;
    const coap::Body& body = response->body;
    return Answer{.code = body.code, .format = format_of(body.options), .payload = body.payload};
}

Status Client::settle(const Deferred& deferred, Instant now, Instant until) {
    if (is_busy()) return Error::Busy;
    begin(JobKind::Request, now, until);
    job_.is_at_risk = true;
    job_.piv = deferred.piv;
    job_.tag = deferred.tag;
    return {};
}

// Observations.

Client::Observation* Client::find_observation(Bytes token) {
    for (Observation& observation : observations_) {
        if (observation.is_used && equal(observation.token, token)) return &observation;
    }
    return nullptr;
}

std::optional<Event> Client::on_registered(const oscore::Response& response, Instant now) {
    const JobKind kind = job_.kind;
    const std::uint8_t index = job_.observation;
    Observation& observation = observations_[index];
    const coap::Body& body = response.body;
    const bool is_observed = coap::is_success(body.code) && response.piv &&
                             body.options.find(coap::kObserve).has_value();
    if (is_observed) {
        if (observation.pending) observation.binding = *observation.pending;
        observation.pending.reset();
        observation.is_registered = true;
        if (!observation.newest || *response.piv > *observation.newest) {  // [SES-50]
            observation.newest = response.piv;
        }
        const Duration max_age = max_age_of(body.options);
        observation.expires = now + max_age;
        observation.renew_at = now + std::min(kObservationRenewal, milliseconds(max_age.ms / 2));
    } else {
        observation = Observation{};
    }
    const auto event = end(Answer{.code = body.code,
                                  .format = format_of(body.options),
                                  .payload = body.payload,
                                  .is_observed = is_observed});
    if (kind == JobKind::Register) return event;
    if (!is_observed) return FellSilent{ObservationId{index}};
    return std::nullopt;
}

std::optional<Event> Client::on_notification(Observation& observation,
                                             const coap::Message& message,
                                             Instant now) {
    if (!session_.exists() || !message.options.find(coap::kOscore)) return std::nullopt;
    std::optional<oscore::Response> response;
    const auto open = [&](const oscore::RequestBinding& binding) {
        const auto opened =
            oscore::unprotect_response(session_.context(), binding, message, plaintext_.bytes());
        if (opened) response = *opened;
    };
    if (observation.is_registered) open(observation.binding);
    if (!response && observation.pending) {
        open(*observation.pending);
        if (response) {  // its answer is late or lost; the device has taken it
            observation.binding = *observation.pending;
            observation.is_registered = true;
        }
    }
    if (!response) {
        session_.count_failure(now);
        return std::nullopt;
    }
    const bool is_newer =
        response->piv && (!observation.newest || *response->piv > *observation.newest);  // [SES-50]
    if (!is_newer || response->body.options.find_bad_critical({})) return std::nullopt;
    observation.newest = response->piv;
    const ObservationId id{static_cast<std::uint8_t>(&observation - observations_.data())};
    if (!coap::is_success(response->body.code)) {  // RFC 7641 §4.2: the device ends it
        const bool is_job = is_busy() && job_.kind != JobKind::Request &&
                            job_.kind != JobKind::Pair && job_.observation == id.value();
        if (is_job) return std::nullopt;
        observation = Observation{};
        return FellSilent{id};
    }
    return Notified{.observation = id,
                    .content = {.format = format_of(response->body.options),
                                .payload = response->body.payload}};
}

}  // namespace sotto::session
