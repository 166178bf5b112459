// SPDX-License-Identifier: Apache-2.0
#include "core/oscore/context.hpp"

#include "core/base/writer.hpp"
#include "core/cbor/writer.hpp"
#include "core/cose/algorithm.hpp"
#include "core/crypto/hkdf.hpp"

namespace sotto::oscore {
namespace {

Status derive(const crypto::Prk& prk, const Info& info, MutBytes out) {
    std::array<std::uint8_t, kInfoSizeMax> bytes;
    SOTTO_TRY_ASSIGN(const Bytes encoded, encode_info(info, bytes));
    return crypto::hkdf_expand(prk, encoded, out);
}

}  // namespace

Result<Bytes> encode_info(const Info& info, MutBytes out) {
    cbor::Writer writer{out};
    writer.array(5).bytes(info.id);
    if (info.id_context) {
        writer.bytes(*info.id_context);
    } else {
        writer.null();
    }
    writer.integer(cose::kAesCcm16_64_128).text(info.type).uint(info.output_size);
    return writer.finish();
}

Result<Context> derive_context(const ContextInput& input) {
    Context context;
    SOTTO_TRY_ASSIGN(context.sender_id, Id::from(input.sender_id));
    SOTTO_TRY_ASSIGN(context.recipient_id, Id::from(input.recipient_id));
    if (context.sender_id == context.recipient_id) return Error::InvalidArgument;
    if (input.id_context && input.id_context->size() > kIdContextSizeMax) return Error::TooLarge;

    const crypto::Prk prk = crypto::hkdf_extract(input.master_salt, input.master_secret);
    const auto derive_to = [&](MutBytes out, Bytes id, std::string_view type) {
        const Info info{
            .id = id, .id_context = input.id_context, .type = type, .output_size = out.size()};
        return derive(prk, info, out);
    };
    SOTTO_TRY(derive_to(context.sender_key.fill(), input.sender_id, "Key"));
    SOTTO_TRY(derive_to(context.recipient_key.fill(), input.recipient_id, "Key"));
    SOTTO_TRY(derive_to(context.common_iv.fill(), {}, "IV"));
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
