// SPDX-License-Identifier: Apache-2.0
// A server's side and a strict device, wired together without a network.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cloud/particle/handshake.hpp"
#include "cloud/particle/session.hpp"
#include "cloud/particle_openssl/keys.hpp"
#include "core/base/assert.hpp"
#include "testing/particle/legacy_device.hpp"

namespace sotto::tests {

using namespace cloud::particle;  // NOLINT(google-build-using-namespace): what is tested
namespace particle_openssl = cloud::particle_openssl;

inline constexpr testing::LegacyId kLegacyId{0xb1, 0xe2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

// Made once: it takes a second.
inline const particle_openssl::ServerKey& server_key() {
    static const auto key = *particle_openssl::ServerKey::generate();
    return key;
}
inline const testing::LegacyKey& device_key() {
    static const testing::LegacyKey key = testing::LegacyKey::generate();
    return key;
}

class Pair {
  public:
    explicit Pair(testing::Firmware firmware = testing::Firmware::Bluz,
                  std::uint16_t platform = 103,
                  bool is_in_safe_mode = false,
                  bool pushes_description = true)
        : device({.firmware = firmware,
                  .id = kLegacyId,
                  .key = device_key(),
                  .server_key = server_key().public_der(),
                  .platform = platform,
                  .is_in_safe_mode = is_in_safe_mode,
                  .pushes_description = pushes_description}) {
        device.functions["led"] = [](const std::string& argument) {
            return static_cast<std::int32_t>(argument.size());
        };
        device.functions["brew"] = [](const std::string& argument) {
            return argument == "coffee" ? 1 : -1;
        };
        device.variables["temp"] = {2, std::string("\0\0\0\x15", 4)};
        device.variables["name"] = {4, "lamp"};
        device.variables["empty"] = {4, ""};
        device.variables["volt"] = {9, std::string("\0\0\0\0\0\0\x0a\x40", 8)};  // 3.25
        device.variables["on"] = {1, "\x01"};
    }

    // The handshake, and the session as far as it goes by itself.
    void connect() {
        Nonce nonce{};
        const auto crypto = server_key().make_crypto();
        SOTTO_ASSERT(crypto->fill_random(nonce).has_value());
        Handshake handshake{nonce, now};
        device.receive(handshake.greeting());
        while (device.step()) {
        }
        handshake.receive(device.take_output(), now);
        SOTTO_ASSERT(open_key_message(*crypto, handshake.key_message()).has_value());
        auto agreement = agree(*crypto, device_key().public_der());
        SOTTO_ASSERT(agreement.has_value());
        handshake.on_answered({});
        SOTTO_ASSERT(handshake.stage() == Handshake::Stage::Done);
        device.receive(agreement->message);
        session.emplace(Session::Setup{.cipher = *cipher,
                                       .credentials = std::move(agreement->credentials),
                                       .first_id = 0x1234,
                                       .now = now});
        settle();
    }

    // Carries bytes until nobody has any.
    void settle() {
        for (bool is_busy = true; is_busy;) {
            is_busy = device.step();
            const auto up = device.take_output();
            if (!up.empty()) session->receive(up, now);
            const auto down = session->take_output();
            if (!down.empty()) device.receive(down);
            is_busy |= !up.empty() || !down.empty();
        }
        while (auto event = session->next_event()) events.push_back(*std::move(event));
    }

    // The answer to a request, moved out of the events.
    std::optional<Result<Answer>> answer_to(RequestId id) {
        for (const Event& event : events) {
            const auto* answered = std::get_if<Answered>(&event);
            if (answered != nullptr && answered->request == id) return answered->answer;
        }
        return std::nullopt;
    }
    Result<Answer> ask(Result<RequestId> id) {
        SOTTO_ASSERT(id.has_value());
        settle();
        const auto answer = answer_to(*id);
        SOTTO_ASSERT(answer.has_value());
        return *answer;
    }
    template <class T>
    std::vector<T> events_of() const {
        std::vector<T> found;
        for (const Event& event : events)
            if (const auto* wanted = std::get_if<T>(&event)) found.push_back(*wanted);
        return found;
    }

    Instant now{1'700'000'000'000};
    std::unique_ptr<Cipher> cipher = particle_openssl::make_cipher();
    testing::LegacyDevice device;
    std::optional<Session> session;
    std::vector<Event> events;
};

}  // namespace sotto::tests
