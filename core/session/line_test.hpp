// SPDX-License-Identifier: Apache-2.0
// A client and a device with a line between them, for the tests of this folder. Not part of the
// library.
#pragma once

#include <functional>

#include <gtest/gtest.h>

#include "core/session/client.hpp"
#include "core/session/device_test.hpp"

namespace sotto::session {

inline constexpr Duration kPatience = seconds(20);
inline constexpr Duration kTick = milliseconds(100);

// What became of a job, with bytes of its own.
struct Outcome {
    std::optional<Reason> ended;
    std::optional<PairingVerdict> paired;
    coap::Code code = coap::Code::Empty;
    std::string payload;
    bool is_observed = false;
    bool is_result_lost = false;
};

enum class Way { ToDevice, ToClient };
// What becomes of a message on its way: how many of it arrive.
using Fate = std::function<int(Way, const Message&)>;

// A client and a device in one time, with a line between them that tests can spoil.
struct Line {
    Line(const Party& app_party, const Party& device_party)
        : app(app_party), device_party_(device_party) {
        EXPECT_TRUE(Authority::commission(device_storage,
                                          keystore::PairingSecret{Bytes{secret}.first<16>()}));
        boot_device();
        boot_client();
    }
    void boot_device() {
        device_storage.reboot();
        device = std::make_unique<Device>(device_storage, entropy, device_party_);
        EXPECT_TRUE(device->started);
    }
    void boot_client(cose::CredentialForm form = cose::CredentialForm::Kid) {
        storage.reboot();
        client.emplace(Client::Setup{
            .identity = app.identity(),
            .form = form,
            .storage = storage,
            .entropy = entropy,
            .device = FixedBytes<crypto::kHashSize>{
                Bytes{device_party_.credential.hash()}.first(framing::kDeviceIdSize)}});
        EXPECT_TRUE(client->start(now));
    }
    keystore::PairingCode code() const {
        keystore::PairingCode code;
        std::copy_n(device_party_.credential.hash().begin(),
                    keystore::kHashPrefixSize,
                    code.credential_hash_prefix.begin());
        code.secret = keystore::PairingSecret{Bytes{secret}.first<16>()};
        return code;
    }

    void note(const std::optional<Event>& event) {
        if (!event) return;
        if (const auto* answer = std::get_if<Answer>(&*event)) {
            outcome = Outcome{.ended = {},
                              .paired = {},
                              .code = answer->code,
                              .payload = std::string{as_text(answer->payload)},
                              .is_observed = answer->is_observed,
                              .is_result_lost = answer->is_result_lost};
        } else if (const auto* paired = std::get_if<Paired>(&*event)) {
            outcome = Outcome{};
            outcome->paired = paired->verdict;
        } else if (const auto* ended = std::get_if<Ended>(&*event)) {
            outcome = Outcome{};
            outcome->ended = ended->reason;
        } else if (const auto* notified = std::get_if<Notified>(&*event)) {
            notified_.emplace_back(as_text(notified->content.payload));
        } else {
            ++silent_count;
        }
    }
    void to_client(const Message& message) {
        const int count = fate ? fate(Way::ToClient, message) : 1;
        for (int i = 0; i < count; ++i) note(client->receive(message, now));
    }
    void to_device(const Message& message) {
        seen.push_back(message);
        const int count = fate ? fate(Way::ToDevice, message) : 1;
        for (int i = 0; i < count; ++i) {
            device->now = now;
            const Message answer = device->receive(message);
            if (!answer.empty()) to_client(answer);
        }
    }
    void step() {
        note(client->advance(now));
        while (const auto message = client->next_message(now)) {
            to_device({message->begin(), message->end()});
        }
        while (const auto told = device->server->poll(now, device->out)) {
            to_client({told->message.begin(), told->message.end()});
        }
        now = now + kTick;
    }
    void run(Duration duration) {
        for (const Instant end = now + duration; now < end;) step();
    }
    Outcome finish(Duration limit = kPatience) {
        for (const Instant end = now + limit + seconds(1); !outcome && now < end;) step();
        EXPECT_TRUE(outcome) << "the job has no end";
        EXPECT_FALSE(client->is_busy());
        const Outcome result = outcome.value_or(Outcome{});
        outcome.reset();
        return result;
    }
    Outcome pair() {
        EXPECT_TRUE(client->pair(code(), now, now + kPatience));
        return finish();
    }
    Outcome ask(const Request& request, Duration limit = kPatience) {
        EXPECT_TRUE(client->request(request, now, now + kPatience));
        return finish(limit);
    }
    Outcome call(std::string_view argument) {
        return ask({.code = coap::Code::Post,
                    .resource = "f",
                    .name = "lamp",
                    .content = Content{.format = Format::Text, .payload = as_bytes(argument)}});
    }
    // Function `note`, whose argument and result may be long.
    Outcome note(const std::string& argument) {
        return ask({.code = coap::Code::Post,
                    .resource = "f",
                    .name = "note",
                    .content = Content{.format = Format::Text, .payload = as_bytes(argument)},
                    .room = room},
                   minutes(10));
    }
    Outcome get_note() { return ask({.resource = "v", .name = "note", .room = room}, minutes(10)); }
    Outcome get() { return ask({.resource = "v", .name = "lamp"}); }

    const Party& app;
    const Party& device_party_;
    const std::array<std::uint8_t, 16> secret{9, 8, 7, 6, 5, 4, 3, 2, 1};
    SeededEntropy entropy{11};
    MemoryStorage device_storage;
    MemoryStorage storage;
    std::unique_ptr<Device> device;
    std::optional<Client> client;
    Instant now{1'000'000};
    Fate fate;
    std::vector<Message> seen;  // to the device
    std::optional<Outcome> outcome;
    std::vector<std::string> notified_;
    int silent_count = 0;
    std::vector<std::uint8_t> room = std::vector<std::uint8_t>(kBodySizeMax);
};

inline bool is_protected(const Message& message) {
    const auto parsed = coap::parse_message(message);
    return parsed && parsed->options.find(coap::kOscore);
}

}  // namespace sotto::session
