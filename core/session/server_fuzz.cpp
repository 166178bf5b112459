// SPDX-License-Identifier: Apache-2.0
// Any messages to a device, one after the other, from any side. A record of the input is a byte of
// flags, a size and so many bytes: a message as it is or, with bit 0, a plaintext that is sealed
// first, so that what lies behind the decryption gets its share. Bits 1 and 2 are the channel; bit
// 3 lets half a minute pass. Whatever came, the next good request works.
#include "core/base/reader.hpp"
#include "core/oscore/message.hpp"
#include "core/session/all_parts.hpp"
#include "core/session/fuzz_self_test.hpp"
#include "core/session/server.hpp"
#include "testing/memory_storage.hpp"
#include "testing/seeded_entropy.hpp"

using namespace sotto;
using namespace sotto::session;

namespace {

class Echoing final : public Resources {
  public:
    bool find(ResourceKind, std::string_view name, Traits& traits) const override {
        if (name != "x") return false;
        traits = {.room = room_};
        return true;
    }
    Status call(std::uint8_t, const Content& argument, Format, Excerpt& out) override {
        out.bytes(argument.payload);
        return {};
    }
    Status read(std::uint8_t, Format, Excerpt& out) override {
        out.text("value");
        return {};
    }
    Status describe(Excerpt& out) const override {
        out.text("</v/x>");
        return {};
    }

  private:
    mutable std::array<std::uint8_t, 300> room_{};
};

struct Rig {
    Rig() {
        SOTTO_ASSERT(Authority::commission(storage, keystore::PairingSecret{}).has_value());
        SOTTO_ASSERT(server.start(now).has_value());
        SOTTO_ASSERT(server.add_context({.context = ours, .storage = counters, .is_new = true}, now)
                         .has_value());
    }

    Bytes receive(Channel channel, Bytes message) {
        const Bytes answer = server.receive(channel, message, now, out);
        SOTTO_ASSERT(answer.empty() || coap::parse_message(answer).has_value());
        return answer;
    }
    Bytes receive_sealed(Channel channel, Bytes plaintext) {
        std::array<std::uint8_t, oscore::kOutsideSizeMax + 255 + oscore::kTagSize> buffer;
        const auto message = oscore::protect_request(
            theirs, {.piv = oscore::Piv{piv++}}, {.id = 1}, plaintext, buffer);
        SOTTO_ASSERT(message.has_value());
        return receive(channel, *message);
    }
    void settle() {
        (void)server.publish(0, {.payload = as_bytes("event")}).has_value();
        while (server.poll(now, out)) {
        }
    }
    void check_alive() {
        std::array<std::uint8_t, 16> body;
        coap::MessageWriter writer{body, coap::Code::Get};
        writer.options().add_text(coap::kUriPath, "v");
        writer.options().add_text(coap::kUriPath, "x");
        const oscore::RequestBinding binding = oscore::bind_request(oscore::Piv{piv});
        const Bytes answer = receive_sealed({}, *writer.finish());
        const auto message = coap::parse_message(answer);
        SOTTO_ASSERT(message.has_value());
        const auto response = oscore::unprotect_response(theirs, binding, *message, plain);
        SOTTO_ASSERT(response && response->body.code == coap::Code::Content);
    }

    testing::SeededEntropy entropy{1};
    testing::MemoryStorage storage;
    testing::MemoryStorage counters;
    Echoing resources;
    std::array<GuestRights, kOtherStoredSessions> rights;
    AllParts parts{rights};
    oscore::Context ours = context("d", "a");
    oscore::Context theirs = context("a", "d");
    std::array<SessionEntry, kStoredSessions> sessions;
    std::array<HalfOpen, kHalfOpenSlots> half_open;
    std::array<KeptAnswer, kAnswerCacheCount + 1> answers;
    std::array<PendingEvent, kPendingEvents> events;
    std::array<std::uint8_t, kMessageSizeMax> scratch;
    std::array<std::uint8_t, kPayloadSizeMax> result;
    std::array<std::uint8_t, kMessageSizeMax> out;
    std::array<std::uint8_t, kMessageSizeMax> plain;
    Instant now{1'000'000};
    std::uint64_t piv = 0;
    Server server{{.identity = {.credential = self().credential, .private_key = self().key},
                   .storage = storage,
                   .entropy = entropy,
                   .resources = resources,
                   .parts = parts.view(),
                   .sessions = sessions,
                   .half_open = half_open,
                   .answers = answers,
                   .events = events,
                   .scratch = scratch,
                   .result = result}};
};

Channel channel_of(std::uint8_t flags) {
    constexpr std::array<Channel, 4> kChannels{
        Channel{}, {.label = 1}, {.label = 700}, {.path = Channel::kFirstUdp}};
    return kChannels[flags >> 1 & 3];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Rig rig;
    Reader input{Bytes{data, size}};
    while (!input.empty()) {
        const auto flags = input.u8();
        const auto length = input.u8();
        if (!flags || !length) break;
        const auto bytes = input.take(std::min<std::size_t>(*length, input.size()));
        SOTTO_ASSERT(bytes.has_value());
        if ((*flags & 8) != 0) rig.now = rig.now + seconds(31);
        if ((*flags & 1) != 0 && !bytes->empty()) {
            rig.receive_sealed(channel_of(*flags), *bytes);
        } else {
            rig.receive(channel_of(*flags), *bytes);
        }
        rig.settle();
    }
    rig.check_alive();
    return 0;
}
