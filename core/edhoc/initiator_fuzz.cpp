// SPDX-License-Identifier: Apache-2.0
// Any bytes as message_2, as its plaintext (below the encryption, which would hide it) and as
// message_4. The first byte chooses.
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

// message_2 with this plaintext, as a Responder with ephemeral key 4 encrypts it.
std::vector<std::uint8_t> encrypt_2(Bytes message_1, Bytes plaintext) {
    const EphemeralKey x = ephemeral_key(3);
    const EphemeralKey y = ephemeral_key(4);
    const auto th_2 = transcript_2(y.public_key.x, sotto::crypto::sha256(message_1));
    sotto::crypto::Prk prk_2e;
    SOTTO_ASSERT(extract(th_2, {y.private_key, x.public_key}, prk_2e).has_value());
    std::vector<std::uint8_t> content{plaintext.begin(), plaintext.end()};
    apply_keystream_2(prk_2e, th_2, content);
    content.insert(content.begin(), y.public_key.x.begin(), y.public_key.x.end());
    std::vector<std::uint8_t> message(content.size() + 9);
    const auto written = sotto::cbor::Writer{message}.bytes(content).finish();
    message.resize(written->size());
    return message;
}

void fuzz_message_2(Bytes input, bool is_plaintext) {
    std::array<std::uint8_t, kScratchSize> out{};
    std::array<std::uint8_t, kMessageSizeMax> scratch{};
    Initiator initiator{keys().app.identity()};
    const std::array<SuiteLabel, 1> suites{2};
    const auto message_1 = initiator.compose_message_1(
        ephemeral_key(3),
        {.suites = suites, .c_i = connection_id(sotto::as_bytes("i")), .ead_1 = {}},
        out);
    std::vector<std::uint8_t> message{input.begin(), input.end()};
    if (is_plaintext && input.size() <= kMessageSizeMax) message = encrypt_2(*message_1, input);
    const auto claim = initiator.on_message_2(message, scratch, kUnderstood);
    SOTTO_ASSERT(!initiator.has_failed());
    if (!claim) return;
    // Nobody who does not have the device's key gets this far.
    SOTTO_ASSERT(!initiator.authenticate(*claim, keys().device.credential));
    SOTTO_ASSERT(!initiator.export_oscore());
}

void fuzz_message_4(Bytes input) {
    std::array<std::uint8_t, kScratchSize> out{};
    std::array<std::uint8_t, kMessageSizeMax> scratch{};
    Initiator initiator{keys().app.identity()};
    Responder responder{keys().device.identity()};
    const std::array<SuiteLabel, 1> suites{2};
    const auto message_1 = initiator.compose_message_1(
        ephemeral_key(3),
        {.suites = suites, .c_i = connection_id(sotto::as_bytes("i")), .ead_1 = {}},
        out);
    SOTTO_ASSERT(responder.on_message_1(*message_1, {}).has_value());
    const auto message_2 = responder.compose_message_2(
        ephemeral_key(4), {.c_r = connection_id(sotto::as_bytes("r"))}, out);
    const auto claim = initiator.on_message_2(*message_2, scratch, {});
    SOTTO_ASSERT(initiator.authenticate(*claim, keys().device.credential).has_value());
    const auto message_3 = initiator.compose_message_3(sotto::cose::CredentialForm::Kid, {}, out);
    SOTTO_ASSERT(message_3.has_value());
    SOTTO_ASSERT(!initiator.on_message_4(input, scratch, kUnderstood));
    SOTTO_ASSERT(!initiator.is_done() && !initiator.has_failed());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes input{data + 1, size - 1};
    if (data[0] % 3 == 2) {
        fuzz_message_4(input);
    } else {
        fuzz_message_2(input, data[0] % 3 == 1);
    }
    static_cast<void>(parse_error_message(input));
    return 0;
}
