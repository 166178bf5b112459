// SPDX-License-Identifier: Apache-2.0
// The client's deferred commands.
#include "core/session/client.hpp"
#include "core/session/client_options.hpp"

namespace sotto::session {

std::optional<std::uint32_t> Client::time_at(Instant now) const {
    if (!setup_.since_1970) return std::nullopt;
    return static_cast<std::uint32_t>((now + *setup_.since_1970).ms / 1'000);
}

Result<Client::Sealed> Client::defer(const Request& request,
                                     std::uint32_t not_after,
                                     Instant now,
                                     MutBytes out) {
    SOTTO_TRY_ASSIGN(const Spec spec, make_spec(request));
    const Bytes payload = request.content ? request.content->payload : Bytes{};
    if (payload.size() > kPayloadSizeMax) return Error::TooLarge;  // it goes in one message
    if (!session_.is_usable(now)) return Error::NotFound;
    Sealed sealed{.deferred = {.tag = session_.tag()}};
    std::array<std::uint8_t, 2> id;
    SOTTO_TRY(setup_.entropy.fill(sealed.deferred.token));
    SOTTO_TRY(setup_.entropy.fill(id));
    SOTTO_TRY_ASSIGN(sealed.deferred.piv, session_.next_piv(now));
    SOTTO_TRY_ASSIGN(const Bytes body,
                     write_body(spec, {.not_after = not_after, .payload = payload}));
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

}  // namespace sotto::session
