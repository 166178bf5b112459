// SPDX-License-Identifier: Apache-2.0
// Any bytes as message_1, as message_3 and as the plaintext of message_3 (below the encryption,
// which would hide it). The first byte chooses.
#include "core/edhoc/message.hpp"
#include "core/edhoc/peers_test.hpp"

namespace {

using namespace sotto::edhoc;
using sotto::Bytes;

constexpr std::array<std::uint16_t, 2> kUnderstood{32'769, 32'770};

struct Keys {
    Party app{"app", 1};
    Party device{"device", 2};
};

const Keys& keys() {
    static const Keys made;
    return made;
}

void fuzz_message_1(Bytes input) {
    std::array<std::uint8_t, kMessageSizeMax> out{};
    Responder responder{keys().device.identity()};
    const auto message_1 = responder.on_message_1(input, kUnderstood);
    if (!message_1) {
        SOTTO_ASSERT(responder.has_failed());
        SOTTO_ASSERT(responder.compose_error(message_1.error(), out).has_value());
        return;
    }
    const auto c_r = connection_id(sotto::as_bytes("r"));
    const auto message_2 = responder.compose_message_2(ephemeral_key(4), {.c_r = c_r}, out);
    SOTTO_ASSERT(message_2.has_value() || message_1->c_i == c_r);
}

// PRK_3e2m, as an Initiator that knows the ephemeral keys gets it.
sotto::crypto::Prk prk_3e2m(Bytes message_1) {
    const EphemeralKey x = ephemeral_key(3);
    const EphemeralKey y = ephemeral_key(4);
    const auto th_2 = transcript_2(y.public_key.x, sotto::crypto::sha256(message_1));
    sotto::crypto::Prk prk_2e;
    sotto::crypto::Prk prk;
    SOTTO_ASSERT(extract(th_2, {x.private_key, y.public_key}, prk_2e).has_value());
    SOTTO_ASSERT(extract_next(prk_2e,
                              Label::Salt3e2m,
                              th_2,
                              {x.private_key, keys().device.credential.public_key()},
                              prk)
                     .has_value());
    return prk;
}

void fuzz_message_3(Bytes input, bool is_plaintext) {
    std::array<std::uint8_t, kScratchSize> out{};
    std::array<std::uint8_t, kMessageSizeMax> scratch{};
    Initiator initiator{keys().app.identity()};
    Responder responder{keys().device.identity()};
    const std::array<SuiteLabel, 1> suites{2};
    const Initiator::Message1 options{
        .suites = suites, .c_i = connection_id(sotto::as_bytes("i")), .ead_1 = {}};
    const auto message_1 = initiator.compose_message_1(ephemeral_key(3), options, out);
    SOTTO_ASSERT(responder.on_message_1(*message_1, {}).has_value());
    const auto prk = prk_3e2m(*message_1);
    const auto c_r = connection_id(sotto::as_bytes("r"));
    SOTTO_ASSERT(responder.compose_message_2(ephemeral_key(4), {.c_r = c_r}, out).has_value());

    std::vector<std::uint8_t> message{input.begin(), input.end()};
    if (is_plaintext && input.size() < kMessageSizeMax / 2) {
        const auto th_3 = *responder.th_3();
        message.assign(kHeadRoom + input.size() + kMacSizeMax, 0);
        std::ranges::copy(input, message.begin() + kHeadRoom);
        const auto sealed =
            seal_and_wrap(MessageKeys{prk, Label::K3, th_3, Suite::Two}, input.size(), message);
        message.resize(sealed->size());
    }
    const auto claim = responder.on_message_3(message, scratch, kUnderstood);
    SOTTO_ASSERT(is_plaintext || !claim);
    SOTTO_ASSERT(is_plaintext || !responder.has_failed());
    if (!claim) return;
    SOTTO_ASSERT(!responder.authenticate(*claim, keys().app.credential));
    SOTTO_ASSERT(!responder.is_authenticated());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes input{data + 1, size - 1};
    if (data[0] % 3 == 0) {
        fuzz_message_1(input);
    } else {
        fuzz_message_3(input, data[0] % 3 == 2);
    }
    return 0;
}
