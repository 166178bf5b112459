// SPDX-License-Identifier: Apache-2.0
#include "core/oscore/context.hpp"

#include "core/cbor/writer.hpp"
#include "core/cose/algorithm.hpp"
#include "core/crypto/hkdf.hpp"

namespace sotto::oscore {
namespace {

// Precondition: the ID Context is within its limit.
void derive(const crypto::Prk& prk, Info& info, MutBytes out) {
    info.output_size = out.size();
    std::array<std::uint8_t, kInfoSizeMax> bytes;
    const Status expanded = crypto::hkdf_expand(prk, encode_info(info, bytes), out);
    SOTTO_ASSERT(expanded.has_value());
}

}  // namespace

Bytes encode_info(const Info& info, MutBytesN<kInfoSizeMax> out) {
    cbor::Writer writer{out};
    writer.array(5).bytes(info.id);
    if (info.id_context) {
        writer.bytes(*info.id_context);
    } else {
        writer.null();
    }
    writer.integer(cose::kAesCcm16_64_128).text(info.type).uint(info.output_size);
    return writer.written();
}

Status derive_keys(const ContextInput& input, const ContextKeys& keys) {
    if (input.sender_id.size() > kIdSizeMax || input.recipient_id.size() > kIdSizeMax)
        return Error::TooLarge;
    if (input.id_context && input.id_context->size() > kIdContextSizeMax) return Error::TooLarge;
    if (equal(input.sender_id, input.recipient_id)) return Error::InvalidArgument;

    crypto::Prk prk;
    crypto::hkdf_extract(input.master_salt, input.master_secret, prk);
    Info info{.id = input.sender_id, .id_context = input.id_context};
    derive(prk, info, keys.sender_key.fill());
    info.id = input.recipient_id;
    derive(prk, info, keys.recipient_key.fill());
    info.id = {};
    info.type = "IV";
    derive(prk, info, keys.common_iv.fill());
    return {};
}

Result<Context> derive_context(const ContextInput& input) {
    Result<Context> context{std::in_place};
    const Status derived =
        derive_keys(input, {context->sender_key, context->recipient_key, context->common_iv});
    if (!derived) {
        context = derived.error();
        return context;
    }
    context->sender_id = Id{input.sender_id};
    context->recipient_id = Id{input.recipient_id};
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
    std::size_t at = bytes.size();
    std::uint64_t rest = piv.value();
    do {
        bytes[--at] = static_cast<std::uint8_t>(rest);
        rest >>= 8;
    } while (rest != 0);
    return FixedBytes<kPivSizeMax>{Bytes{bytes}.subspan(at)};
}

Piv decode_piv(Bytes piv) {
    SOTTO_ASSERT(piv.size() <= kPivSizeMax);
    std::uint64_t value = 0;
    for (const std::uint8_t byte : piv) value = value << 8 | byte;
    return Piv{value};
}

}  // namespace sotto::oscore
