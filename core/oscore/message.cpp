// SPDX-License-Identifier: Apache-2.0
#include "core/oscore/message.hpp"

#include "core/base/reader.hpp"
#include "core/cbor/writer.hpp"
#include "core/cose/algorithm.hpp"
#include "core/cose/enc_structure.hpp"

namespace sotto::oscore {
namespace {

constexpr auto kTag = crypto::TagSize::Short;
static_assert(crypto::size_of(kTag) == kTagSize);
// [1, [10], request_kid, request_piv, h'']
constexpr std::size_t kAadArraySizeMax = 1 + 1 + 2 + 1 + kIdSizeMax + 1 + kPivSizeMax + 1;

struct Aad {
    std::array<std::uint8_t, kAadArraySizeMax + cose::kEncStructureOverheadMax> bytes;
    std::size_t size = 0;

    Bytes view() const { return Bytes{bytes}.first(size); }
};

// RFC 8613 §5.4.
Aad make_aad(const RequestBinding& request) {
    std::array<std::uint8_t, kAadArraySizeMax> array;
    cbor::Writer writer{array};
    writer.array(5).uint(1).array(1).integer(cose::kAesCcm16_64_128);
    writer.bytes(request.kid).bytes(request.piv).bytes({});
    Aad aad;
    const auto encoded = cose::encode_enc_structure(Bytes{array}.first(writer.size()), aad.bytes);
    SOTTO_ASSERT(encoded.has_value());
    aad.size = encoded->size();
    return aad;
}

struct Sealing {
    const crypto::AeadKey& key;
    crypto::Nonce nonce;
    const RequestBinding& request;
    coap::Code code;  // the outer one
    const OptionValue& option;
};

Result<Bytes> seal(const Sealing& sealing, const Outside& outside, Bytes plaintext, MutBytes out) {
    coap::MessageWriter writer{
        out,
        {.type = outside.type, .code = sealing.code, .id = outside.id, .token = outside.token}};
    std::array<std::uint8_t, kOptionSizeMax> option;
    SOTTO_TRY_ASSIGN(const Bytes value, encode_option(sealing.option, option));
    if (outside.observe) writer.options().add_uint(coap::kObserve, *outside.observe);
    writer.options().add(coap::kOscore, value);
    const MutBytes sealed = writer.reserve_payload(plaintext.size() + kTagSize);
    SOTTO_TRY_ASSIGN(const Bytes message, writer.finish());
    const Aad aad = make_aad(sealing.request);
    SOTTO_TRY(crypto::aead_seal(sealing.key, sealing.nonce, aad.view(), plaintext, kTag, sealed));
    return message;
}

// Decrypts into the front of `scratch`.
Result<coap::Body> open(const crypto::AeadKey& key,
                        const crypto::Nonce& nonce,
                        const RequestBinding& request,
                        Bytes sealed,
                        MutBytes scratch) {
    if (sealed.size() <= kTagSize) return Error::Malformed;  // no room for a code
    const std::size_t size = sealed.size() - kTagSize;
    if (size > scratch.size()) return Error::NoSpace;
    const MutBytes plaintext = scratch.first(size);
    const Aad aad = make_aad(request);
    SOTTO_TRY(crypto::aead_open(key, nonce, aad.view(), sealed, kTag, plaintext));
    const auto body = coap::parse_body(plaintext);
    if (!body) return Error::Malformed;
    return *body;
}

Piv to_piv(Bytes piv) {
    const auto value = Reader{piv}.uint_be(piv.size());
    SOTTO_ASSERT(value.has_value());
    return Piv{*value};
}

}  // namespace

RequestBinding bind_request(const Context& context, Piv piv) {
    return {.kid = context.sender_id, .piv = encode_piv(piv)};
}

Result<Bytes> protect_request(const Context& context,
                              const RequestOptions& options,
                              const Outside& outside,
                              Bytes plaintext,
                              MutBytes out) {
    if (options.kid_context && options.kid_context->size() > 64) return Error::TooLarge;
    const RequestBinding binding = bind_request(context, options.piv);
    const OptionValue option{
        .piv = binding.piv, .kid = binding.kid.view(), .kid_context = options.kid_context};
    const Sealing sealing{.key = context.sender_key,
                          .nonce = make_nonce(context.common_iv, context.sender_id, binding.piv),
                          .request = binding,
                          // RFC 8613 §4.2: FETCH with Observe, POST otherwise
                          .code = outside.observe ? coap::Code::Fetch : coap::Code::Post,
                          .option = option};
    return seal(sealing, outside, plaintext, out);
}

Result<Request> unprotect_request(const Context& context,
                                  const OptionValue& option,
                                  const coap::Message& message,
                                  MutBytes scratch) {
    if (option.piv.empty() || !option.kid) return Error::Malformed;
    SOTTO_TRY_ASSIGN(const Id kid, Id::from(*option.kid));
    const RequestBinding binding{.kid = kid, .piv = FixedBytes<kPivSizeMax>{option.piv}};
    const crypto::Nonce nonce = make_nonce(context.common_iv, context.recipient_id, option.piv);
    SOTTO_TRY_ASSIGN(const coap::Body body,
                     open(context.recipient_key, nonce, binding, message.payload, scratch));
    if (!coap::is_request(body.code)) return Error::Malformed;
    return Request{.body = body, .binding = binding, .piv = to_piv(option.piv)};
}

Result<Bytes> protect_response(const Context& context,
                               const RequestBinding& request,
                               std::optional<Piv> piv,
                               const Outside& outside,
                               Bytes plaintext,
                               MutBytes out) {
    FixedBytes<kPivSizeMax> own;
    if (piv) own = encode_piv(*piv);
    const OptionValue option{.piv = own, .kid = std::nullopt, .kid_context = std::nullopt};
    const Sealing sealing{
        .key = context.sender_key,
        .nonce = piv ? make_nonce(context.common_iv, context.sender_id, own)
                     : make_nonce(context.common_iv, context.recipient_id, request.piv),
        .request = request,
        // RFC 8613 §4.2: 2.05 with Observe, 2.04 otherwise
        .code = outside.observe ? coap::Code::Content : coap::Code::Changed,
        .option = option};
    return seal(sealing, outside, plaintext, out);
}

Result<Response> unprotect_response(const Context& context,
                                    const RequestBinding& request,
                                    const coap::Message& message,
                                    MutBytes scratch) {
    const auto value = message.options.find(coap::kOscore);
    if (!value) return Error::Malformed;
    SOTTO_TRY_ASSIGN(const OptionValue option, parse_option(*value));
    const crypto::Nonce nonce =
        option.piv.empty() ? make_nonce(context.common_iv, context.sender_id, request.piv)
                           : make_nonce(context.common_iv, context.recipient_id, option.piv);
    SOTTO_TRY_ASSIGN(const coap::Body body,
                     open(context.recipient_key, nonce, request, message.payload, scratch));
    if (!coap::is_response(body.code)) return Error::Malformed;
    std::optional<Piv> piv;
    if (!option.piv.empty()) piv = to_piv(option.piv);
    return Response{.body = body, .piv = piv};
}

}  // namespace sotto::oscore
