// SPDX-License-Identifier: Apache-2.0
#include "core/oscore/context.hpp"

#include "core/base/writer.hpp"
#include "core/cbor/writer.hpp"
#include "core/cose/algorithm.hpp"
#include "core/crypto/hkdf.hpp"

namespace sotto::oscore {
namespace {

constexpr std::size_t kIdContextSizeMax = 64;
constexpr std::size_t kInfoSizeMax = 1 + 1 + kIdSizeMax + 2 + kIdContextSizeMax + 1 + 4 + 2;

struct Derivation {
    const crypto::Prk& prk;
    std::optional<Bytes> id_context;

    // info = [id, id_context, alg_aead, type, L] (RFC 8613 §3.2.1)
    Status expand(Bytes id, std::string_view type, MutBytes out) const {
        std::array<std::uint8_t, kInfoSizeMax> info;
        cbor::Writer writer{info};
        writer.array(5).bytes(id);
        if (id_context) {
            writer.bytes(*id_context);
        } else {
            writer.null();
        }
        writer.integer(cose::kAesCcm16_64_128).text(type).uint(out.size());
        SOTTO_TRY_ASSIGN(const Bytes encoded, writer.finish());
        return crypto::hkdf_expand(prk, encoded, out);
    }
};

}  // namespace

Result<Context> derive_context(const ContextInput& input) {
    Context context;
    SOTTO_TRY_ASSIGN(context.sender_id, Id::from(input.sender_id));
    SOTTO_TRY_ASSIGN(context.recipient_id, Id::from(input.recipient_id));
    if (context.sender_id == context.recipient_id) return Error::InvalidArgument;
    if (input.id_context && input.id_context->size() > kIdContextSizeMax) return Error::TooLarge;

    const crypto::Prk prk = crypto::hkdf_extract(input.master_salt, input.master_secret);
    const Derivation derivation{.prk = prk, .id_context = input.id_context};
    SOTTO_TRY(derivation.expand(input.sender_id, "Key", context.sender_key.fill()));
    SOTTO_TRY(derivation.expand(input.recipient_id, "Key", context.recipient_key.fill()));
    SOTTO_TRY(derivation.expand({}, "IV", context.common_iv.fill()));
    return context;
}

crypto::Nonce make_nonce(const CommonIv& common_iv, Bytes id_piv, Bytes piv) {
    SOTTO_ASSERT(id_piv.size() <= kIdSizeMax && !piv.empty() && piv.size() <= kPivSizeMax);
    // RFC 8613 §5.2: size of the id, the id padded with zeros on the left, the Partial IV likewise,
    // and that exclusive-or'ed with the Common IV.
    crypto::Nonce nonce{};
    nonce[0] = static_cast<std::uint8_t>(id_piv.size());
    std::copy(id_piv.begin(), id_piv.end(), nonce.begin() + 1 + (kIdSizeMax - id_piv.size()));
    std::copy(piv.begin(), piv.end(), nonce.end() - piv.size());
    for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] ^= common_iv.expose()[i];
    return nonce;
}

FixedBytes<kPivSizeMax> encode_piv(Piv piv) {
    SOTTO_ASSERT(piv.value() <= kPivMax);
    std::array<std::uint8_t, kPivSizeMax> bytes;
    Writer{bytes}.uint_be(piv.value(), kPivSizeMax);
    std::size_t skip = 0;
    while (skip + 1 < bytes.size() && bytes[skip] == 0) ++skip;
    return FixedBytes<kPivSizeMax>{Bytes{bytes}.subspan(skip)};
}

}  // namespace sotto::oscore
