// SPDX-License-Identifier: Apache-2.0
// The client's observations.
#include "core/session/client.hpp"
#include "core/session/client_options.hpp"

namespace sotto::session {

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
