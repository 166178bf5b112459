// SPDX-License-Identifier: Apache-2.0
// A client that talks to a device directly, for the tests of this folder. Not part of the library.
#pragma once

#include <gtest/gtest.h>

#include "core/session/client.hpp"
#include "core/session/device_test.hpp"

namespace sotto::session {

inline constexpr Channel kNearby{};

// A client on a line without faults.
class Talker {
  public:
    Talker(const Party& party, SeededEntropy& entropy) : party_(party), entropy_(entropy) {}

    std::optional<Event> run(Device& device, Channel channel, const Request& request) {
        connect(device);
        EXPECT_TRUE(client_->request(request, device.now, device.now + seconds(20)));
        return finish(device, channel);
    }
    bool pair(Device& device, Bytes secret) {
        connect(device);
        keystore::PairingCode code;
        std::copy_n(device.party.credential.hash().begin(),
                    keystore::kHashPrefixSize,
                    code.credential_hash_prefix.begin());
        code.secret = keystore::PairingSecret{secret.first<16>()};
        EXPECT_TRUE(client_->pair(code, device.now, device.now + seconds(20)));
        const auto event = finish(device, kNearby);
        const auto* paired = event ? std::get_if<Paired>(&*event) : nullptr;
        return paired != nullptr && paired->verdict == PairingVerdict::Accepted;
    }
    // Comes with this access token from now on, under no session.
    void take_token(Bytes token) {
        storage_ = {};
        EXPECT_TRUE(keystore::store_token(storage_, keystore::TokenBytes{token}));
    }
    static coap::Code code_of(const std::optional<Event>& event) {
        const auto* answer = event ? std::get_if<Answer>(&*event) : nullptr;
        return answer == nullptr ? coap::Code::Empty : answer->code;
    }

    static std::optional<Reason> reason_of(const std::optional<Event>& event) {
        const auto* ended = event ? std::get_if<Ended>(&*event) : nullptr;
        return ended == nullptr ? std::nullopt : std::optional{ended->reason};
    }

  private:
    void connect(Device& device) {
        client_.emplace(
            Client::Setup{.identity = party_.identity(),
                          .storage = storage_,
                          .entropy = entropy_,
                          .device = FixedBytes<crypto::kHashSize>{device.party.credential.hash()}});
        EXPECT_TRUE(client_->start(device.now));
    }
    std::optional<Event> finish(Device& device, Channel channel) {
        for (int i = 0; i < 400; ++i) {
            device.now = device.now + milliseconds(100);
            if (auto event = client_->advance(device.now)) return event;
            while (const auto message = client_->next_message(device.now)) {
                const Message answer = device.receive({message->begin(), message->end()}, channel);
                if (answer.empty()) continue;
                if (auto event = client_->receive(answer, device.now)) return event;
            }
        }
        return std::nullopt;
    }

    const Party& party_;
    SeededEntropy& entropy_;
    MemoryStorage storage_;
    std::optional<Client> client_;
};

}  // namespace sotto::session
