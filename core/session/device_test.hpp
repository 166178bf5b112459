// SPDX-License-Identifier: Apache-2.0
// A device with a lamp, for the tests and fuzz targets of this folder. Not part of the library.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/keystore/private_key.hpp"
#include "core/session/all_parts.hpp"
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

// A lamp that counts how often it was switched, with a note on it that may be long: function and
// variable `note`. What the function answers is `answer`, or the note itself. Function `list`
// shares the room of `note`.
class Lamp final : public Resources {
  public:
    int calls = 0;
    std::string last;
    int note_count = 0;
    std::string note;
    std::string answer;
    std::string links = "</f/lamp>";
    mutable std::array<std::uint8_t, 200> page_room{};
    mutable std::array<std::uint8_t, 200> book_room{};
    std::vector<std::uint8_t> room = std::vector<std::uint8_t>(kBodySizeMax);

    bool find(ResourceKind kind, std::string_view name, Traits& traits) const override {
        const bool has_room = kind == ResourceKind::Function;
        MutBytes place{const_cast<std::uint8_t*>(room.data()), has_room ? room.size() : 0};
        static constexpr std::array<std::string_view, 5> kNames{
            "lamp", "note", "list", "page", "book"};
        const auto found = std::ranges::find(kNames, name);
        if (found == kNames.end()) return false;
        traits.index = static_cast<std::uint8_t>(found - kNames.begin());
        if (traits.index == 1 || traits.index == 2) traits.room = place;
        if (traits.index == 3) traits.room = page_room;
        if (traits.index == 4) traits.room = book_room;
        return true;
    }
    Status call(std::uint8_t function, const Content& argument, Format, Excerpt& out) override {
        if (function > 0) {
            ++note_count;
            note = as_text(argument.payload);
            if (note == "refuse") return Error::InvalidArgument;
            out.bytes(answer.empty() ? argument.payload : as_bytes(answer));
            return {};
        }
        ++calls;
        last = as_text(argument.payload);
        out.text(last);
        return {};
    }
    Status read(std::uint8_t variable, Format, Excerpt& out) override {
        out.text(variable == 0 ? last : note);
        return {};
    }
    Status describe(Excerpt& out) const override {
        out.text(links);
        return {};
    }
};

// A device over a storage that outlives its boots.
struct Device {
    Device(hal::Storage& records,
           SeededEntropy& chance,
           const Party& self,
           Instant boot_time = Instant{1'000'000},
           bool has_parts = true,
           Part* more = nullptr)
        : storage(records), entropy(chance), party(self), now(boot_time) {
        server =
            std::make_unique<Server>(Server::Setup{.identity = party.identity(),
                                                   .storage = storage,
                                                   .entropy = entropy,
                                                   .resources = lamp,
                                                   .parts = has_parts ? parts.view(more) : Parts{},
                                                   .sessions = sessions,
                                                   .half_open = half_open,
                                                   .answers = answers,
                                                   .events = events,
                                                   .scratch = scratch,
                                                   // Where the answer goes: worst case.
                                                   .result = MutBytes{out}.first(kPayloadSizeMax)});
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
    std::array<GuestRights, kOtherStoredSessions + 3> rights;
    AllParts parts{rights};
    std::array<SessionEntry, kStoredSessions + 3> sessions;
    std::array<HalfOpen, kHalfOpenSlots> half_open;
    std::array<KeptAnswer, kAnswerCacheCount + 1> answers;
    std::array<PendingEvent, kPendingEvents> events;
    std::array<std::uint8_t, kMessageSizeMax> scratch;
    std::array<std::uint8_t, kMessageSizeMax> out;
    std::unique_ptr<Server> server;
    Instant now;
    bool started = false;
};

}  // namespace sotto::session
