// SPDX-License-Identifier: Apache-2.0
// A device with a lamp, for the tests and fuzz targets of this folder. Not part of the library.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/keystore/private_key.hpp"
#include "core/session/server.hpp"
#include "testing/memory_storage.hpp"
#include "testing/seeded_entropy.hpp"

namespace sotto::session {

using testing::MemoryStorage;
using testing::SeededEntropy;
using Message = std::vector<std::uint8_t>;

struct Party {
    crypto::DhPrivateKey key;
    cose::Credential credential;

    static Party make(std::string_view subject, SeededEntropy& entropy) {
        edhoc::EphemeralKey pair = edhoc::EphemeralKey::from(*keystore::draw_private_key(entropy));
        cose::Credential credential = *cose::Credential::create(subject, pair.public_key);
        return {.key = std::move(pair.private_key), .credential = credential};
    }
    edhoc::Identity identity() const { return {.credential = credential, .private_key = key}; }
};

// A lamp that counts how often it was switched.
class Lamp final : public Resources {
  public:
    int calls = 0;
    std::string last;

    Result<Traits> find(ResourceKind, std::string_view name) const override {
        if (name != "lamp") return Error::NotFound;
        return Traits{};
    }
    Result<Content> call(std::uint8_t, const Content& argument, Format, MutBytes) override {
        ++calls;
        last = as_text(argument.payload);
        return Content{.format = Format::Text, .payload = as_bytes(last)};
    }
    Result<Content> read(std::uint8_t, Format, MutBytes) override {
        return Content{.format = Format::Text, .payload = as_bytes(last)};
    }
    Result<Content> describe(MutBytes) const override {
        return Content{.format = Format::Link, .payload = as_bytes("</f/lamp>")};
    }
};

// A device over a storage that outlives its boots.
struct Device {
    Device(hal::Storage& records,
           SeededEntropy& chance,
           const Party& self,
           Instant boot_time = Instant{1'000'000})
        : storage(records), entropy(chance), party(self), now(boot_time) {
        server = std::make_unique<Server>(Server::Setup{.identity = party.identity(),
                                                        .storage = storage,
                                                        .entropy = entropy,
                                                        .resources = lamp,
                                                        .sessions = sessions,
                                                        .half_open = half_open,
                                                        .scratch = scratch,
                                                        .result = result});
        started = server->start(now).has_value();
    }
    Message receive(const Message& message, Channel channel = {}) {
        now = now + milliseconds(10);
        const Bytes answer = server->receive(channel, message, now, out);
        return {answer.begin(), answer.end()};
    }

    hal::Storage& storage;
    SeededEntropy& entropy;
    const Party& party;
    Lamp lamp;
    std::array<SessionEntry, kStoredSessions + 3> sessions;
    std::array<HalfOpen, kHalfOpenSlots> half_open;
    std::array<std::uint8_t, kMessageSizeMax> scratch;
    std::array<std::uint8_t, kPayloadSizeMax> result;
    std::array<std::uint8_t, kMessageSizeMax> out;
    std::unique_ptr<Server> server;
    Instant now;
    bool started = false;
};

}  // namespace sotto::session
