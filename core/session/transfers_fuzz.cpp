// SPDX-License-Identifier: Apache-2.0
// Blocks of a few arguments to a device, in any order, number and size, with time and boots between
// them: a function runs with one argument from its front on, and never with parts of two. The input
// is records of three bytes: what, which block, how much of it.
#include <memory>

#include "core/base/reader.hpp"
#include "core/coap/block.hpp"
#include "core/session/all_parts.hpp"
#include "core/session/fuzz_self_test.hpp"
#include "core/session/server.hpp"
#include "testing/memory_storage.hpp"
#include "testing/seeded_entropy.hpp"

using namespace sotto;
using namespace sotto::session;

namespace {

std::uint8_t content_of(std::uint8_t argument, std::size_t position) {
    return static_cast<std::uint8_t>(position == 0 ? argument : argument * 64 + position * 7);
}

class Judge final : public Resources {
  public:
    bool find(ResourceKind, std::string_view, Traits& traits) const override {
        traits = {.room = room_};
        return true;
    }
    Status call(std::uint8_t, const Content& argument, Format, Excerpt& out) override {
        for (std::size_t i = 0; i < argument.payload.size(); ++i) {
            SOTTO_ASSERT(argument.payload[i] == content_of(argument.payload[0], i));
        }
        out.bytes(argument.payload);
        return {};
    }
    Status read(std::uint8_t, Format, Excerpt& out) override {
        out.text("value");
        return {};
    }
    Status describe(Excerpt& out) const override {
        out.text("links");
        return {};
    }

  private:
    mutable std::array<std::uint8_t, 400> room_{};
};

struct Rig {
    Rig() {
        SOTTO_ASSERT(Authority::commission(storage, keystore::PairingSecret{}).has_value());
        boot(true);
    }
    void boot(bool is_new) {
        server.reset();
        parts.emplace(rights);
        sessions = std::make_unique<std::array<SessionEntry, kStoredSessions>>();
        half_open = std::make_unique<std::array<HalfOpen, kHalfOpenSlots>>();
        server.emplace(
            Server::Setup{.identity = {.credential = self().credential, .private_key = self().key},
                          .storage = storage,
                          .entropy = entropy,
                          .resources = judge,
                          .parts = parts->view(),
                          .sessions = *sessions,
                          .half_open = *half_open,
                          .answers = answers,
                          .events = events,
                          .scratch = scratch,
                          .result = result});
        SOTTO_ASSERT(server->start(now).has_value());
        SOTTO_ASSERT(
            server->add_context({.context = ours, .storage = counters, .is_new = is_new}, now)
                .has_value());
    }
    struct Part {
        std::uint8_t argument = 0;
        std::optional<coap::Block> block1{};
        std::optional<coap::Block> block2{};
        Bytes payload{};
    };
    coap::Code send_once(const Part& part) {
        std::array<std::uint8_t, 600> body;
        coap::MessageWriter writer{body, coap::Code::Post};
        coap::OptionWriter& options = writer.options();
        options.add_path("/f/x");
        if (part.block2) options.add_uint(coap::kBlock2, coap::block_value(*part.block2));
        if (part.block1) options.add_uint(coap::kBlock1, coap::block_value(*part.block1));
        if (!echo.empty()) options.add(coap::kEcho, echo);
        options.add(coap::kRequestTag, Bytes{&part.argument, 1});
        const auto plaintext = writer.payload(part.payload).finish();
        SOTTO_ASSERT(plaintext.has_value());
        const oscore::RequestBinding binding = oscore::bind_request(oscore::Piv{piv});
        std::array<std::uint8_t, 700> buffer;
        const auto message = oscore::protect_request(
            theirs, {.piv = oscore::Piv{piv++}}, {.id = 1}, *plaintext, buffer);
        SOTTO_ASSERT(message.has_value());
        const auto answer = coap::parse_message(server->receive({}, *message, now, out));
        SOTTO_ASSERT(answer.has_value());
        const auto response = oscore::unprotect_response(theirs, binding, *answer, plain);
        SOTTO_ASSERT(response.has_value());
        if (const auto value = response->body.options.find(coap::kEcho)) {
            echo = FixedBytes<kEchoSizeMax>{*value};
        }
        return response->body.code;
    }
    // As a client does it: with the Echo value that it is asked for.
    coap::Code send(const Part& part) {
        const coap::Code code = send_once(part);
        return code == coap::Code::Unauthorized ? send_once(part) : code;
    }

    testing::SeededEntropy entropy{1};
    testing::MemoryStorage storage;
    testing::MemoryStorage counters;
    Judge judge;
    std::array<GuestRights, kOtherStoredSessions> rights;
    std::optional<AllParts> parts;
    oscore::Context ours = context("d", "a");
    oscore::Context theirs = context("a", "d");
    std::unique_ptr<std::array<SessionEntry, kStoredSessions>> sessions;
    std::unique_ptr<std::array<HalfOpen, kHalfOpenSlots>> half_open;
    std::array<KeptAnswer, kAnswerCacheCount + 1> answers;
    std::array<PendingEvent, kPendingEvents> events;
    std::array<std::uint8_t, 512> scratch;  // as on a chip
    std::array<std::uint8_t, 256> result;
    std::array<std::uint8_t, 512> out;
    std::array<std::uint8_t, kMessageSizeMax> plain;
    FixedBytes<kEchoSizeMax> echo;
    Instant now{1'000'000};
    std::uint64_t piv = 0;
    std::optional<Server> server;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Rig rig;
    Reader input{Bytes{data, size}};
    while (input.size() >= 3) {
        const std::uint8_t what = *input.u8();
        const coap::Block block =
            coap::parse_block(Bytes{input.rest()}.first(1)).value_or(coap::Block{});
        (void)input.u8().has_value();
        const std::size_t length = std::min<std::size_t>(*input.u8(), 256);
        const auto argument = static_cast<std::uint8_t>(what & 3);
        if ((what & 0x30) == 0x30) rig.now = rig.now + seconds(50);
        if ((what & 0xc0) == 0xc0) rig.boot(false);
        std::array<std::uint8_t, 256> payload;
        for (std::size_t i = 0; i < payload.size(); ++i) {
            payload[i] = content_of(argument, block.offset() + i);
        }
        const Bytes content = Bytes{payload}.first(std::min(length, block.size()));
        if ((what & 4) != 0) {
            rig.send({.argument = argument, .block2 = block});
        } else {
            // Most are as long as they say.
            const Bytes all = Bytes{payload}.first(std::min(block.size(), payload.size()));
            rig.send({.argument = argument,
                      .block1 = block,
                      .payload = (what & 8) != 0 ? content : all});
        }
    }
    const std::uint8_t first = 0;
    rig.now = rig.now + kTransferLifetime;
    SOTTO_ASSERT(rig.send({.payload = Bytes{&first, 1}}) == coap::Code::Changed);
    return 0;
}
