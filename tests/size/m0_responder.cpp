// SPDX-License-Identifier: Apache-2.0
// What a device links: Responder and server, for the size report of tools/size. It is linked and
// measured, never run.
#include "core/cbor/reader.hpp"
#include "core/crypto/aead.hpp"
#include "core/crypto/dh.hpp"
#include "core/crypto/hkdf.hpp"

namespace sotto {

void panic(const char*, int) {
    for (;;) {
    }
}

}  // namespace sotto

// What comes from outside, so that the compiler can't know it.
extern "C" {
volatile std::uint8_t input[256];
}

namespace {

using namespace sotto;

// The Responder, OSCORE and the server are to take the place of these calls.
void use_crypto() {
    std::array<std::uint8_t, 64> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = input[i];
    const auto key = crypto::dh_private_from_candidate(BytesN<32>{bytes.data(), 32});
    const auto peer = crypto::dh_import_x(BytesN<32>{bytes.data() + 32, 32});
    if (!key || !peer) return;
    const auto secret = crypto::dh_agree(*key, *peer);
    if (!secret) return;
    const crypto::Prk prk = crypto::hkdf_extract({}, secret->expose());
    crypto::AeadKey aead_key;
    if (!crypto::hkdf_expand(prk, {}, aead_key.fill())) return;
    const Bytes sealed = Bytes{bytes}.first(40);
    if (!crypto::aead_open(
            aead_key, {}, {}, sealed, crypto::TagSize::Short, MutBytes{bytes}.first(32)))
        return;
    for (const std::uint8_t byte : bytes) input[0] = byte;
}

}  // namespace

extern "C" [[noreturn]] void start() {
    use_crypto();
    for (;;) {
    }
}
