// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/key_schedule.hpp"

#include <algorithm>

#include "core/cose/enc_structure.hpp"

namespace sotto::edhoc {
namespace {

constexpr std::size_t kInfoRoom = 16;  // three heads, of at most 32-bit numbers
constexpr std::array<std::uint8_t, 2> kHashHead{0x58, crypto::kHashSize};  // of a bstr .size 32

}  // namespace

// RFC 9528 §4.1.2: EDHOC_Expand with info = ( info_label, context, length ).
void kdf_xor(const crypto::Prk& prk, std::uint32_t label, Pieces context, MutBytes data) {
    SOTTO_ASSERT(context.size() <= kContextPiecesMax);
    std::array<Bytes, kContextPiecesMax + 2> info;
    std::size_t context_size = 0;
    for (std::size_t i = 0; i < context.size(); ++i) {
        info[i + 1] = context[i];
        context_size += context[i].size();
    }
    std::array<std::uint8_t, kInfoRoom> buffer{};
    cbor::Writer heads{buffer};
    const std::size_t split = heads.uint(label).head(cbor::Kind::Bytes, context_size).size();
    const Bytes written = heads.uint(data.size()).written();
    info.front() = written.first(split);
    info.back() = written.subspan(split);
    crypto::hkdf_expand_xor(prk, info, data);
}

void kdf(const crypto::Prk& prk, std::uint32_t label, Pieces context, MutBytes out) {
    std::ranges::fill(out, std::uint8_t{0});
    kdf_xor(prk, label, context, out);
}

void kdf(const crypto::Prk& prk, Label label, const crypto::Hash& th, MutBytes out) {
    const Bytes context{th};
    kdf(prk, static_cast<std::uint32_t>(label), Pieces{&context, 1}, out);
}

crypto::Prk derive_prk(const crypto::Prk& prk, Label label, const crypto::Hash& th) {
    crypto::Prk derived;
    kdf(prk, label, th, derived.fill());
    return derived;
}

Status extract(Bytes salt, const Exchange& exchange, crypto::Prk& prk) {
    crypto::DhSecret secret;
    const Status agreed = crypto::dh_agree(exchange.own, exchange.peer, secret);
    if (agreed) crypto::hkdf_extract(salt, secret.expose(), prk);
    return agreed;
}

Status extract_next(const crypto::Prk& before,
                    Label salt_label,
                    const crypto::Hash& th,
                    const Exchange& exchange,
                    crypto::Prk& prk) {
    const crypto::Prk salt = derive_prk(before, salt_label, th);
    return extract(salt.expose(), exchange, prk);
}

crypto::Hash transcript_2(const crypto::DhCoordinate& g_y, const crypto::Hash& h_message_1) {
    return crypto::sha256(kHashHead, g_y, kHashHead, h_message_1);
}

crypto::Hash transcript_after(const crypto::Hash& th, Bytes plaintext, Bytes cred) {
    return crypto::sha256(kHashHead, th, plaintext, cred);
}

void compute_mac(const crypto::Prk& prk, const MacContext& context, MutBytes out) {
    SOTTO_ASSERT(out.size() <= kMacSizeMax);
    std::array<std::uint8_t, 1 + kConnectionIdSizeMax> buffer{};
    cbor::Writer c_r{buffer};
    if (context.c_r != nullptr) context.c_r->write(c_r);
    const auto id_cred_head = context.id_cred.head();
    const std::array<Bytes, kContextPiecesMax> pieces{c_r.written(),
                                                      id_cred_head,
                                                      context.id_cred.body(),
                                                      kHashHead,
                                                      context.th,
                                                      context.cred,
                                                      context.ead};
    kdf(prk, static_cast<std::uint32_t>(context.label), pieces, out);
}

bool verify_mac(const crypto::Prk& prk, const MacContext& context, Bytes mac) {
    Scratch<kMacSizeMax> buffer;
    const MutBytes expected = buffer.bytes().first(mac.size());
    compute_mac(prk, context, expected);
    return ct_equal(expected, mac);
}

void apply_keystream_2(const crypto::Prk& prk_2e, const crypto::Hash& th_2, MutBytes data) {
    const Bytes context{th_2};
    kdf_xor(prk_2e, static_cast<std::uint32_t>(Label::Keystream2), {&context, 1}, data);
}

namespace {

struct AeadInput {
    explicit AeadInput(const MessageKeys& keys) {
        const auto iv_label = static_cast<Label>(static_cast<std::uint8_t>(keys.label) + 1);
        kdf(keys.prk, keys.label, keys.th, key.fill());
        kdf(keys.prk, iv_label, keys.th, nonce);
        cbor::Writer writer{aad_buffer};
        cose::begin_enc_structure(writer, keys.th.size());
        aad = writer.raw(keys.th).written();
    }
    crypto::AeadKey key;
    crypto::Nonce nonce{};
    std::array<std::uint8_t, cose::kEncStructureOverheadMax + crypto::kHashSize> aad_buffer{};
    Bytes aad;
};

}  // namespace

Status seal(const MessageKeys& keys, Bytes plaintext, MutBytes out) {
    const AeadInput input{keys};
    return crypto::aead_seal(
        {input.key, input.nonce, input.aad, tag_size(keys.suite)}, plaintext, out);
}

Status open(const MessageKeys& keys, Bytes sealed, MutBytes out) {
    const AeadInput input{keys};
    return crypto::aead_open(
        {input.key, input.nonce, input.aad, tag_size(keys.suite)}, sealed, out);
}

}  // namespace sotto::edhoc
