// SPDX-License-Identifier: Apache-2.0
// The key schedule of RFC 9528 §4 and the transcript hashes of §5: pure functions of their
// arguments. No allocation.
#pragma once

#include "core/cose/id_cred.hpp"
#include "core/crypto/dh.hpp"
#include "core/crypto/hkdf.hpp"
#include "core/edhoc/connection_id.hpp"
#include "core/edhoc/suite.hpp"

namespace sotto::edhoc {

enum class Label : std::uint8_t {  // info_label
    Keystream2 = 0,
    Salt3e2m = 1,
    Mac2 = 2,
    K3 = 3,
    Iv3 = 4,
    Salt4e3m = 5,
    Mac3 = 6,
    PrkOut = 7,
    K4 = 8,
    Iv4 = 9,
    PrkExporter = 10,
    KeyUpdate = 11,
};

using crypto::Pieces;
inline constexpr std::size_t kKdfSizeMax = crypto::kHkdfSizeMax;
inline constexpr std::size_t kContextPiecesMax = 7;

// EDHOC_KDF(prk, label, context, out.size()). Precondition: out.size() <= kKdfSizeMax and
// context.size() <= kContextPiecesMax.
void kdf(const crypto::Prk& prk, std::uint32_t label, Pieces context, MutBytes out);
// The same, exclusive-or'ed onto `data`.
void kdf_xor(const crypto::Prk& prk, std::uint32_t label, Pieces context, MutBytes data);
// EDHOC_KDF with a transcript hash as context.
void kdf(const crypto::Prk& prk, Label label, const crypto::Hash& th, MutBytes out);
crypto::Prk derive_prk(const crypto::Prk& prk, Label label, const crypto::Hash& th);

// One side of a Diffie-Hellman exchange.
struct Exchange {
    const crypto::DhPrivateKey& own;
    const crypto::DhPublicKey& peer;
};
// PRK = EDHOC_Extract(salt, shared secret): PRK_2e, with TH_2 as salt. Errors of
// crypto::dh_agree().
Status extract(Bytes salt, const Exchange& exchange, crypto::Prk& prk);
// The same with EDHOC_KDF(before, salt_label, th, 32) as salt: PRK_3e2m and PRK_4e3m.
Status extract_next(const crypto::Prk& before,
                    Label salt_label,
                    const crypto::Hash& th,
                    const Exchange& exchange,
                    crypto::Prk& prk);

// TH_2 = H(G_Y, H(message_1)).
crypto::Hash transcript_2(const crypto::DhCoordinate& g_y, const crypto::Hash& h_message_1);
// TH_3 and TH_4 = H(TH_before, PLAINTEXT, CRED).
crypto::Hash transcript_after(const crypto::Hash& th, Bytes plaintext, Bytes cred);

// What MAC_2 and MAC_3 cover.
struct MacContext {
    Label label;                        // Mac2 or Mac3
    const ConnectionId* c_r = nullptr;  // in context_2 only
    const cose::IdCred& id_cred;
    const crypto::Hash& th;
    Bytes cred;
    Bytes ead;
};
// Precondition: out.size() <= kMacSizeMax.
void compute_mac(const crypto::Prk& prk, const MacContext& context, MutBytes out);
// Whether `mac` is the MAC, in constant time.
bool verify_mac(const crypto::Prk& prk, const MacContext& context, Bytes mac);

// Encrypts PLAINTEXT_2 or decrypts CIPHERTEXT_2. Precondition: data.size() <= kKdfSizeMax.
void apply_keystream_2(const crypto::Prk& prk_2e, const crypto::Hash& th_2, MutBytes data);

// The AEAD of message_3 or message_4: K_x and IV_x from `label` and the label after it, and TH_x.
struct MessageKeys {
    const crypto::Prk& prk;
    Label label;  // K3 or K4
    const crypto::Hash& th;
    Suite suite;
};
// Sizes and errors as crypto::aead_seal() and aead_open().
Status seal(const MessageKeys& keys, Bytes plaintext, MutBytes out);
Status open(const MessageKeys& keys, Bytes sealed, MutBytes out);

}  // namespace sotto::edhoc
