// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/handshake_answer.hpp"

#include <utility>

#include "cloud/particle_openssl/keys.hpp"

namespace sotto::cloud::server {

namespace {

Result<particle::Introduction> open_by_any(const HandshakeTools& tools,
                                           const particle::KeyMessage& message,
                                           std::size_t& number) {
    for (number = 0; number < tools.cryptos.size(); ++number) {
        auto introduction = particle::open_key_message(*tools.cryptos[number], message);
        if (introduction) return introduction;
    }
    return Error::Unauthenticated;
}

}  // namespace

// [PAR-1]
HandshakeAnswer answer_key_message(const HandshakeTools& tools,
                                   const particle::KeyMessage& message,
                                   bool enrols_on_first_use) {
    HandshakeAnswer answer{.refusal = "key message"};
    const auto introduction = open_by_any(tools, message, answer.server_key);
    if (!introduction) return answer;
    answer.device = introduction->device;
    auto known = tools.devices->find(answer.device);
    answer.refusal = known ? "no key stored" : "the store failed";
    if (!known) return answer;
    answer.owner = known->owner;
    if (known->key != introduction->reported_key)
        if (const auto shown = particle_openssl::read_device_key(introduction->reported_key))
            answer.unknown_key = *shown;
    if (!known->key && enrols_on_first_use && !answer.unknown_key.empty())
        known->key = answer.enrolled_key = std::exchange(answer.unknown_key, {});
    if (!known->key) return answer;
    answer.agreement = particle::agree(*tools.cryptos[answer.server_key], *known->key);
    answer.refusal = answer.agreement ? "" : "key of no use";
    return answer;
}

}  // namespace sotto::cloud::server
