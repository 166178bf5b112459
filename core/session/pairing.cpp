// SPDX-License-Identifier: Apache-2.0
#include "core/session/pairing.hpp"

#include <limits>

#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"
#include "core/crypto/hkdf.hpp"

namespace sotto::session {
namespace {

constexpr std::string_view kProofKeyInfo = "sotto pair proof 1";
constexpr std::string_view kProofContext = "sotto-pair-1";

// Feeds the head of a byte string of `size` bytes; the bytes follow.
void update_head(crypto::HmacSha256& mac, cbor::Kind kind, std::size_t size) {
    std::array<std::uint8_t, 9> head;
    cbor::Writer out{head};
    out.head(kind, size);
    mac.update(Bytes{head}.first(out.size()));
}

void update_bytes(crypto::HmacSha256& mac, Bytes bytes) {
    update_head(mac, cbor::Kind::Bytes, bytes.size());
    mac.update(bytes);
}

}  // namespace

crypto::Hash pairing_proof(const keystore::PairingSecret& secret,
                           const PairingTranscript& transcript) {
    crypto::Prk prk;
    crypto::hkdf_extract({}, secret.expose(), prk);
    Secret<crypto::kHashSize, struct ProofKeyTag> key;
    const Status expanded = crypto::hkdf_expand(prk, as_bytes(kProofKeyInfo), key.fill());
    SOTTO_ASSERT(expanded.has_value());

    crypto::HmacSha256 mac{key.expose()};
    update_head(mac, cbor::Kind::Array, 5);
    update_head(mac, cbor::Kind::Text, kProofContext.size());
    mac.update(as_bytes(kProofContext));
    update_bytes(mac, transcript.device_hash);
    update_bytes(mac, transcript.th_3);
    const auto head = transcript.id_cred_i.head();
    update_head(mac, cbor::Kind::Bytes, head.size() + transcript.id_cred_i.body().size());
    mac.update(head);
    mac.update(transcript.id_cred_i.body());
    update_bytes(mac, transcript.credential_i.bytes());
    return mac.finish();
}

Bytes encode_pairing_answer(const PairingAnswer& answer, MutBytesN<kPairingAnswerSizeMax> out) {
    cbor::Writer writer{out};
    return writer.uint(static_cast<std::uint8_t>(answer.verdict)).uint(answer.generation).written();
}

Result<PairingAnswer> parse_pairing_answer(Bytes value) {
    cbor::Reader in{value};
    const std::uint64_t code = in.uint();
    const std::uint64_t generation = in.uint();
    SOTTO_TRY(in.finish());
    if (code > static_cast<std::uint8_t>(PairingVerdict::TokenOver)) return Error::Unsupported;
    if (generation > std::numeric_limits<std::uint32_t>::max()) return Error::Malformed;
    return PairingAnswer{.verdict = static_cast<PairingVerdict>(code),
                         .generation = static_cast<std::uint32_t>(generation)};
}

Bytes token_key_context(const crypto::Hash& device_hash,
                        const crypto::Hash& owner_hash,
                        std::uint32_t generation,
                        MutBytesN<kTokenKeyContextSizeMax> out) {
    cbor::Writer writer{out};
    return writer.bytes(device_hash).bytes(owner_hash).uint(generation).written();
}

}  // namespace sotto::session
