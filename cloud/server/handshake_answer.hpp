// SPDX-License-Identifier: Apache-2.0
// All of the handshake of a legacy device that takes time: two private operations, and between them
// the look-up of the device. For a thread that serves nobody. Allocates; blocks on the disk.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "cloud/particle/handshake.hpp"
#include "cloud/store/device_reader.hpp"

namespace sotto::cloud::server {

// Of one thread.
struct HandshakeTools {
    std::vector<std::unique_ptr<particle::HandshakeCrypto>> cryptos;  // of each key of the server
    std::unique_ptr<store::DeviceReader> devices;
};

struct HandshakeAnswer {
    std::string_view refusal;  // for the log; empty if there is an agreement
    Result<particle::Agreement> agreement = Error::Unauthenticated;
    // Not proved before the device says Hello.
    model::DeviceId device{};
    std::size_t server_key = 0;  // by which it knows us: the present one or the one before
    std::optional<model::AccountId> owner{};
    particle::DeviceKey enrolled_key{};  // the one it showed, on its first use
    particle::DeviceKey unknown_key{};   // the one it showed, if another one is stored or none
};

// `enrols_on_first_use`: a device without a stored key is let in by the one that it shows.
HandshakeAnswer answer_key_message(const HandshakeTools& tools,
                                   const particle::KeyMessage& message,
                                   bool enrols_on_first_use);

}  // namespace sotto::cloud::server
