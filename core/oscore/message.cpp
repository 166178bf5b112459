// SPDX-License-Identifier: Apache-2.0
#include "core/oscore/message.hpp"

#include "core/base/reader.hpp"
#include "core/oscore/aad.hpp"

namespace sotto::oscore {
namespace {

constexpr auto kTag = crypto::TagSize::Short;
static_assert(crypto::size_of(kTag) == kTagSize);
// A Partial IV and the Sender ID of the endpoint that made it.
struct Origin {
    Bytes id;
    Bytes piv;
};

// What one COSE object is sealed with (§5.2, §5.4).
struct Cipher {
    Cipher(const CommonIv& common_iv,
           const crypto::AeadKey& with,
           const Origin& message,
           const Origin& request)
        : key(with),
          nonce(make_nonce(common_iv, message.id, message.piv)),
          aad(request.id, request.piv) {}

    const crypto::AeadKey& key;
    crypto::Nonce nonce;
    Aad aad;
};

// RFC 8613 §4.1.3.2: what forward proxies work with. Everything else goes inside, also options that
// we don't know (§4.1); Observe goes to both sides.
bool is_outer(coap::OptionNumber number) {
    return number == coap::kUriHost || number == coap::kUriPort || number == coap::kProxyScheme;
}

// The outer ones of `options`, if there are any, between two numbers.
void write_outer(coap::OptionWriter& out,
                 const coap::Options* options,
                 coap::OptionNumber first,
                 coap::OptionNumber last) {
    if (options == nullptr) return;
    for (const coap::Option& option : *options) {
        if (option.number >= first && option.number <= last && is_outer(option.number))
            out.add(option.number, option.value);
    }
}

struct Envelope {
    const Outside& outside;
    coap::Code code;  // the outer one
    const OptionValue& option;
};

// Options of Class U are those of a request (§4.1.3.2): a response has none, and is given none.
Result<Bytes> seal(const Cipher& cipher,
                   const Envelope& envelope,
                   const coap::Options* outer,
                   Bytes plaintext,
                   MutBytes out) {
    const Outside& outside = envelope.outside;
    coap::MessageWriter writer{
        out,
        {.type = outside.type, .code = envelope.code, .id = outside.id, .token = outside.token}};
    coap::OptionWriter& options = writer.options();
    std::array<std::uint8_t, kOptionSizeMax> option;
    write_outer(options, outer, coap::OptionNumber{0}, coap::kObserve);
    if (outside.observe) options.add_uint(coap::kObserve, *outside.observe);
    write_outer(options, outer, coap::kObserve, coap::kOscore);
    SOTTO_TRY_ASSIGN(const Bytes value, encode_option(envelope.option, option));
    options.add(coap::kOscore, value);
    write_outer(options, outer, coap::kOscore, coap::OptionNumber{0xffff});
    const MutBytes sealed = writer.reserve_payload(plaintext.size() + kTagSize);
    SOTTO_TRY_ASSIGN(const Bytes message, writer.finish());
    // The plaintext may overlap its place, which AEADs don't take: move it there first.
    std::copy(plaintext.begin(), plaintext.end(), sealed.begin());
    SOTTO_TRY(crypto::aead_seal({cipher.key, cipher.nonce, cipher.aad.view(), kTag},
                                sealed.first(plaintext.size()),
                                sealed));
    return message;
}

// Decrypts into the front of `scratch`. `is_expected` says which codes may be inside.
Status open(const Cipher& cipher,
            bool (*is_expected)(coap::Code),
            Bytes sealed,
            MutBytes scratch,
            coap::Body& body) {
    if (sealed.size() < kTagSize) return Error::Unauthenticated;
    const std::size_t size = sealed.size() - kTagSize;
    if (size > scratch.size()) return Error::NoSpace;
    const MutBytes plaintext = scratch.first(size);
    if (!crypto::aead_open({cipher.key, cipher.nonce, cipher.aad.view(), kTag}, sealed, plaintext))
        return Error::Unauthenticated;
    if (coap::parse_body(plaintext, body) && is_expected(body.code)) return {};
    wipe(plaintext);
    return Error::Malformed;
}

}  // namespace

Result<Bytes> encode_plaintext(const coap::Message& message, MutBytes out) {
    coap::MessageWriter writer{out, message.header.code};
    for (const coap::Option& option : message.options) {
        // RFC 8613 §4.1.3.7: "Nested use of OSCORE is not supported"
        if (option.number == coap::kProxyUri || option.number == coap::kOscore)
            return Error::Unsupported;
        if (is_outer(option.number)) continue;
        // RFC 8613 §4.1.3.5.2: "For notifications, the Inner Observe option value MUST be empty"
        const bool is_notified =
            option.number == coap::kObserve && coap::is_response(message.header.code);
        writer.options().add(option.number, is_notified ? Bytes{} : option.value);
    }
    return writer.payload(message.payload).finish();
}

Outside outside_of(const coap::Message& message) {
    return {.type = message.header.type,
            .id = message.header.id,
            .token = message.header.token,
            .observe = message.options.find_uint(coap::kObserve),
            .options = message.options};
}

RequestBinding bind_request(Piv piv) { return {.piv = encode_piv(piv)}; }

Result<Bytes> protect_request(const ContextView& context,
                              const RequestOptions& options,
                              const Outside& outside,
                              Bytes plaintext,
                              MutBytes out) {
    if (options.kid_context && options.kid_context->size() > kIdContextSizeMax)
        return Error::TooLarge;
    const auto piv = encode_piv(options.piv);
    const OptionValue option{
        .piv = piv, .kid = context.sender_id, .kid_context = options.kid_context};
    const Origin origin{.id = context.sender_id, .piv = piv};
    const Cipher cipher{context.common_iv, context.sender_key, origin, origin};
    // RFC 8613 §4.1.3.5: FETCH with Observe; §4.2: POST otherwise
    const coap::Code code = outside.observe ? coap::Code::Fetch : coap::Code::Post;
    const Envelope envelope{.outside = outside, .code = code, .option = option};
    return seal(cipher, envelope, &outside.options, plaintext, out);
}

Status find_option(const coap::Message& message, OptionValue& option) {
    Bytes value;
    if (!message.options.find(coap::kOscore, value)) return Error::NotFound;
    // RFC 8613 §2: a message with the option and without payload is malformed. The option is not
    // repeatable, and critical.
    if (message.payload.empty() || message.options.count(coap::kOscore) != 1)
        return Error::Malformed;
    return parse_option(value, option);
}

Status unprotect_request(const ContextView& context,
                         const OptionValue& option,
                         const coap::Message& message,
                         MutBytes scratch,
                         Request& request) {
    // RFC 8613 §5: both "SHALL be present in requests"
    if (option.piv.empty() || !option.kid) return Error::Malformed;
    if (!equal(*option.kid, context.recipient_id)) return Error::Unauthenticated;
    const Origin origin{.id = context.recipient_id, .piv = option.piv};
    const Cipher cipher{context.common_iv, context.recipient_key, origin, origin};
    SOTTO_TRY(open(cipher, coap::is_request, message.payload, scratch, request.body));
    request.binding.piv.assign(option.piv);
    request.piv = decode_piv(option.piv);
    return {};
}

Result<Request> unprotect_request(const ContextView& context,
                                  const OptionValue& option,
                                  const coap::Message& message,
                                  MutBytes scratch) {
    Request request;
    SOTTO_TRY(unprotect_request(context, option, message, scratch, request));
    return request;
}

Result<Bytes> protect_response(const ContextView& context,
                               const RequestBinding& request,
                               std::optional<Piv> piv,
                               const Outside& outside,
                               Bytes plaintext,
                               MutBytes out) {
    SOTTO_ASSERT(piv || !outside.observe);
    const auto own = piv ? encode_piv(*piv) : FixedBytes<kPivSizeMax>{};
    const OptionValue option{.piv = own};
    const Origin requested{.id = context.recipient_id, .piv = request.piv};
    const Origin origin{.id = context.sender_id, .piv = own};
    const Cipher cipher{context.common_iv, context.sender_key, piv ? origin : requested, requested};
    // RFC 8613 §4.1.3.5: 2.05 with Observe; §4.2: 2.04 otherwise
    const coap::Code code = outside.observe ? coap::Code::Content : coap::Code::Changed;
    const Envelope envelope{.outside = outside, .code = code, .option = option};
    return seal(cipher, envelope, nullptr, plaintext, out);
}

Result<Response> unprotect_response(const ContextView& context,
                                    const RequestBinding& request,
                                    const coap::Message& message,
                                    MutBytes scratch) {
    SOTTO_TRY_ASSIGN(const OptionValue option, find_option(message));
    // RFC 8613 §5: kid "will not typically be present", kid context "SHOULD NOT"
    if (option.kid_context) return Error::Malformed;
    if (option.kid && !equal(*option.kid, context.recipient_id)) return Error::Unauthenticated;
    const bool has_own = !option.piv.empty();
    const Origin requested{.id = context.sender_id, .piv = request.piv};
    const Origin origin{.id = context.recipient_id, .piv = option.piv};
    const Cipher cipher{
        context.common_iv, context.recipient_key, has_own ? origin : requested, requested};
    Response response;
    SOTTO_TRY(open(cipher, coap::is_response, message.payload, scratch, response.body));
    if (has_own) response.piv = decode_piv(option.piv);
    return response;
}

}  // namespace sotto::oscore
