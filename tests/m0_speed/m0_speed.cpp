// SPDX-License-Identifier: Apache-2.0
// What the device's side costs on a Cortex-M0: a client and a server of the sealed channel in one
// image, which talk to each other. Between the markers runs what a device does; the plugin
// m0_cycles.c counts. Everything is drawn from fixed seeds: the same on every run.
#include <cstdint>

#include "core/keystore/private_key.hpp"
#include "core/session/all_parts.hpp"
#include "core/session/client.hpp"
#include "core/session/server.hpp"

namespace sotto {
namespace {

// Nothing secret: what matters here is that it repeats.
class Seeded final : public hal::Entropy {
  public:
    explicit Seeded(std::uint32_t seed) : state_(seed) {}
    Status fill(MutBytes out) override {
        for (std::uint8_t& byte : out) {
            state_ = state_ * 1'664'525 + 1'013'904'223;
            byte = static_cast<std::uint8_t>(state_ >> 24U);
        }
        return {};
    }

  private:
    std::uint32_t state_;
};

// A few records in RAM.
class Records final : public hal::Storage {
  public:
    Result<std::size_t> load(hal::RecordId id, MutBytes out) override {
        const Record* record = find(id);
        if (record == nullptr) return Error::NotFound;
        if (record->size > out.size()) return Error::NoSpace;
        std::copy_n(record->bytes.begin(), record->size, out.begin());
        return record->size;
    }
    Status store(hal::RecordId id, Bytes bytes) override {
        Record* record = find(id);
        if (record == nullptr) record = find(kNone);
        if (record == nullptr || bytes.size() > record->bytes.size()) return Error::NoSpace;
        record->id = id;
        record->size = bytes.size();
        std::copy(bytes.begin(), bytes.end(), record->bytes.begin());
        return {};
    }
    Status erase(hal::RecordId id) override {
        if (Record* record = find(id); record != nullptr) record->id = kNone;
        return {};
    }

  private:
    static constexpr hal::RecordId kNone{0xffff};
    struct Record {
        hal::RecordId id = kNone;
        std::size_t size = 0;
        std::array<std::uint8_t, 320> bytes{};
    };
    Record* find(hal::RecordId id) {
        for (Record& record : records_) {
            if (record.id == id) return &record;
        }
        return nullptr;
    }
    std::array<Record, 8> records_;
};

class Lamp final : public session::Resources {
  public:
    bool find(session::ResourceKind, std::string_view, session::Traits&) const override {
        return true;
    }
    Status call(std::uint8_t,
                const session::Content& argument,
                session::Format,
                session::Excerpt& out) override {
        out.bytes(argument.payload);
        return {};
    }
    Status read(std::uint8_t, session::Format, session::Excerpt&) override { return {}; }
    Status describe(session::Excerpt&) const override { return {}; }
};

}  // namespace

// Out of line and never merged: the plugin knows them by their addresses.
extern "C" {
[[gnu::noinline]] void sotto_mark_begin() { asm volatile("nop"); }
[[gnu::noinline]] void sotto_mark_end() { asm volatile("nop\n nop"); }
[[noreturn]] void sotto_exit(int code);
}

namespace {

constexpr std::string_view kArgument = "twenty bytes of text";
static_assert(kArgument.size() == 20);

Seeded entropy{1};
Records device_records;
Records app_records;
Lamp lamp;
std::array<session::GuestRights, session::kOtherStoredSessions> rights;
session::AllParts parts{rights};
std::array<session::SessionEntry, session::kStoredSessions> sessions;
std::array<session::HalfOpen, session::kHalfOpenSlots> half_open;
std::array<session::KeptAnswer, session::kAnswerCacheCount + 1> answers;
std::array<session::PendingEvent, session::kPendingEvents> events;
std::array<std::uint8_t, 512> scratch;
std::array<std::uint8_t, 256> result;
std::array<std::uint8_t, 512> out;

void require(bool is_right, int code) {
    if (!is_right) sotto_exit(code);
}

struct Party {
    crypto::DhPrivateKey key;
    cose::Credential credential;

    static Party make(std::string_view subject) {
        auto key = keystore::draw_private_key(entropy);
        auto credential = cose::Credential::create(subject, crypto::dh_public(*key));
        return {std::move(*key), *credential};
    }
    edhoc::Identity identity() const { return {.credential = credential, .private_key = key}; }
};

// Runs the client's job; what the device does stands between the markers.
void finish(session::Client& client, session::Server& server, Instant& now) {
    for (int i = 0; i < 64; ++i) {
        now = now + milliseconds(10);
        bool is_over = client.advance(now).has_value();
        while (const auto message = client.next_message(now)) {
            sotto_mark_begin();
            const Bytes answer = server.receive({}, *message, now, out);
            sotto_mark_end();
            if (!answer.empty() && client.receive(answer, now)) is_over = true;
        }
        if (is_over) return;
    }
    sotto_exit(9);
}

void call(session::Client& client, session::Server& server, Instant& now) {
    require(client
                .request({.code = coap::Code::Post,
                          .resource = "f",
                          .name = "lamp",
                          .content = session::Content{.payload = as_bytes(kArgument)}},
                         now,
                         now + seconds(20))
                .has_value(),
            4);
    finish(client, server, now);
}

void measure() {
    Instant now{1'000};
    const Party device = Party::make("lamp");
    const Party app = Party::make("app");
    keystore::PairingCode code;
    std::copy_n(device.credential.hash().begin(),
                code.credential_hash_prefix.size(),
                code.credential_hash_prefix.begin());
    require(session::Authority::commission(device_records, code.secret.clone()).has_value(), 1);
    session::Server server{{.identity = device.identity(),
                            .storage = device_records,
                            .entropy = entropy,
                            .resources = lamp,
                            .parts = parts.view(),
                            .sessions = sessions,
                            .half_open = half_open,
                            .answers = answers,
                            .events = events,
                            .scratch = scratch,
                            .result = result}};
    require(server.start(now).has_value(), 2);
    // 1: what an ephemeral key costs, which a device can make beforehand.
    sotto_mark_begin();
    auto key = keystore::draw_private_key(entropy);
    const crypto::DhPublicKey public_key = crypto::dh_public(*key);
    sotto_mark_end();
    require(public_key.x != device.credential.public_key().x, 3);
    const FixedBytes<crypto::kHashSize> name{device.credential.hash()};
    {
        session::Client client{{.identity = app.identity(),
                                .storage = app_records,
                                .entropy = entropy,
                                .device = name}};
        require(client.start(now).has_value(), 5);
        require(client.pair(code, now, now + seconds(60)).has_value(), 6);
        finish(client, server, now);  // 2, 3: pairing
    }
    for (std::uint16_t id = 0x100; id < 0x400; ++id)  // the app has lost its session
        (void)app_records.erase(hal::RecordId{id}).has_value();
    session::Client client{{.identity = app.identity(),
                            .form = cose::CredentialForm::Kid,
                            .storage = app_records,
                            .entropy = entropy,
                            .device = name,
                            .known = &device.credential}};
    require(client.start(now).has_value(), 7);
    call(client, server, now);  // 4, 5: the handshake by kid; 6, 7: a challenge, and the command
    call(client, server, now);  // 8: a command as it is from then on
}

}  // namespace

void panic() { sotto_exit(8); }

}  // namespace sotto

namespace sotto::firmware {

[[noreturn]] void run() {
    measure();
    sotto_exit(0);
}

}  // namespace sotto::firmware

extern "C" void sotto_exit(int code) {
    // Semihosting, SYS_EXIT_EXTENDED: the code of QEMU.
    volatile std::uint32_t block[2] = {0x2'0026, static_cast<std::uint32_t>(code)};
    register std::uint32_t operation asm("r0") = 0x20;
    register volatile std::uint32_t* argument asm("r1") = block;
    asm volatile("bkpt 0xab" : : "r"(operation), "r"(argument) : "memory");
    for (;;) {
    }
}
