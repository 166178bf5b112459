// SPDX-License-Identifier: Apache-2.0
// A device of the simulation: the server over a storage that outlives its boots, on the air.
#pragma once

#include <memory>

#include "core/framing/frame.hpp"
#include "core/keystore/pairing_code.hpp"
#include "core/session/all_parts.hpp"
#include "core/session/server.hpp"
#include "testing/memory_storage.hpp"
#include "testing/seeded_entropy.hpp"
#include "tests/sim/ledger.hpp"
#include "tests/sim/letter.hpp"
#include "tests/sim/world.hpp"

namespace sotto::sim {

// A static key with its credential.
struct Party {
    crypto::DhPrivateKey key;
    cose::Credential credential;

    static Party make(std::string_view subject, hal::Entropy& entropy);
    edhoc::Identity identity() const { return {.credential = credential, .private_key = key}; }
};

// Function `run` takes commands and writes them into the ledger; event `ran` tells of them.
// Function `read` takes letters about commands and does the same; variable `letter` is that of the
// last one.
class Tasks final : public session::Resources {
  public:
    explicit Tasks(Ledger& ledger) : ledger_(ledger) {}

    bool find(session::ResourceKind kind,
              std::string_view name,
              session::Traits& traits) const override;
    Status call(std::uint8_t function,
                const session::Content& argument,
                session::Format wanted,
                session::Excerpt& out) override;
    Status read(std::uint8_t variable, session::Format wanted, session::Excerpt& out) override;
    Status describe(session::Excerpt& out) const override;

    bool has_news = false;  // something was run

  private:
    Ledger& ledger_;
    std::string last_ = "nothing";
    std::string letter_ = letter_of("nothing");
    std::vector<std::uint8_t> room_ = std::vector<std::uint8_t>(kLetterSizeMax);
};

class Device {
  public:
    Device(World& world, Ledger& ledger, std::uint64_t seed);

    // A frame for its central: the gateway, or an app nearby.
    using Send = std::function<void(const Message& frame)>;
    void connect(Send to_gateway);
    void disconnect() { to_gateway_ = nullptr; }
    void on_frame(const Message& frame);
    // A message of an app that is nearby and connected as the central.
    void on_nearby(const Message& message, const Send& answer);

    // Power goes, perhaps in the middle of one of the next writes, and comes back.
    void crash();
    void cut_power_soon(std::size_t writes, testing::MemoryStorage::Cut cut);
    bool is_dead() const { return storage_.is_cut(); }

    keystore::PairingCode code() const;
    framing::DeviceId id() const;
    const Party& party() const { return party_; }
    testing::MemoryStorage& storage() { return storage_; }

  private:
    // What a boot begins with.
    struct Ram {
        explicit Ram(Device& device);
        Tasks tasks;
        std::array<session::GuestRights, session::kOtherStoredSessions> rights;
        session::AllParts parts{rights};
        std::array<session::SessionEntry, session::kStoredSessions> sessions;
        std::array<session::HalfOpen, session::kHalfOpenSlots> half_open;
        std::array<session::KeptAnswer, session::kAnswerCacheCount + 1> answers;
        std::array<session::PendingEvent, session::kPendingEvents> events;
        std::array<std::uint8_t, session::kMessageSizeMax> scratch{};
        std::array<std::uint8_t, session::kPayloadSizeMax> result{};
        std::array<std::uint8_t, session::kMessageSizeMax> out{};
        session::Server server;
    };

    void boot();
    void attach();
    void send(const framing::Frame& frame);
    void poll();

    World& world_;
    Ledger& ledger_;
    testing::SeededEntropy entropy_;
    testing::MemoryStorage storage_;
    std::array<std::uint8_t, 16> secret_{};
    const Party party_;
    std::unique_ptr<Ram> ram_;
    std::uint32_t revision_ = 0;
    Send to_gateway_;
    Send nearby_;
};

}  // namespace sotto::sim
