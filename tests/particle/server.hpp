// SPDX-License-Identifier: Apache-2.0
// A server's side behind a stream of bytes, for one device.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "tests/particle/pair.hpp"

namespace sotto::tests {

// A server that has one device, whose handshake takes no time.
class Server {
  public:
    // `key`: the device's, in DER.
    explicit Server(std::vector<std::uint8_t> key) : key_(std::move(key)) {}

    void begin(Instant now) {
        Nonce nonce{};
        SOTTO_ASSERT(crypto_->fill_random(nonce).has_value());
        session.reset();
        handshake_.emplace(nonce, now);
        write(handshake_->greeting());
    }
    void receive(Bytes bytes, Instant now) {
        if (session) return session->receive(bytes, now);
        handshake_->receive(bytes, now);
        if (handshake_->stage() != Handshake::Stage::Answering) return;
        SOTTO_ASSERT(open_key_message(*crypto_, handshake_->key_message()).has_value());
        auto agreement = agree(*crypto_, key_);
        SOTTO_ASSERT(agreement.has_value());
        handshake_->on_answered({});
        write(agreement->message);
        session.emplace(Session::Setup{.cipher = *cipher_,
                                       .credentials = std::move(agreement->credentials),
                                       .first_id = 0x1234,
                                       .now = now});
    }
    void look(Instant now) {
        if (!session) return;
        session->on_time(now);
        write(session->take_output());
        while (auto event = session->next_event()) {
            if (const auto* answered = std::get_if<Answered>(&*event)) {
                const bool is_number = answered->answer.has_value() &&
                                       std::holds_alternative<std::int32_t>(*answered->answer);
                answers.push_back(is_number ? std::get<std::int32_t>(*answered->answer) : -1'000);
            }
            events.push_back(*std::move(event));
        }
    }

    std::optional<Session> session;
    std::vector<std::uint8_t> output;
    std::vector<std::int32_t> answers;
    std::vector<Event> events;

  private:
    void write(Bytes bytes) { output.insert(output.end(), bytes.begin(), bytes.end()); }

    std::vector<std::uint8_t> key_;
    decltype(server_key().make_crypto()) crypto_ = server_key().make_crypto();
    std::unique_ptr<Cipher> cipher_ = particle_openssl::make_cipher();
    std::optional<Handshake> handshake_;
};

}  // namespace sotto::tests
