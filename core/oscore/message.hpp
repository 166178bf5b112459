// SPDX-License-Identifier: Apache-2.0
// Protecting and verifying CoAP messages with OSCORE (RFC 8613 §8). No allocation: messages are
// written to `out` and plaintext to `scratch`, both the caller's; wipe the latter after use.
//
// A plaintext is a coap::Body: code, Class E options, payload (§5.3), written with
// coap::MessageWriter{buffer, code}, or cut out of a whole message with encode_plaintext().
// Freshness, replay and whose session it is are the caller's.
#pragma once

#include "core/coap/message.hpp"
#include "core/oscore/context.hpp"
#include "core/oscore/option.hpp"

namespace sotto::oscore {

// What ties a response to its request: request_piv (§5.4). The request_kid is in the context.
struct RequestBinding {
    FixedBytes<kPivSizeMax> piv;
};

// The outside of a protected message: what every hop can read.
struct Outside {
    coap::Type type = coap::Type::Confirmable;
    std::uint16_t id = 0;
    Bytes token = {};
    std::optional<std::uint32_t> observe = std::nullopt;  // §4.1.3.5: also in the plaintext
    coap::Options options = {};  // those of them that are of Class U; of a request only
};

// What stands in front of the ciphertext if there are neither kid context nor Class U options.
inline constexpr std::size_t kOutsideSizeMax =
    coap::kHeaderSize + coap::kTokenSizeMax + (1 + 3) + (2 + 1 + kPivSizeMax + kIdSizeMax) + 1;

// The two halves of a whole CoAP message (§4). Error::Unsupported if it has a Proxy-Uri, which is
// to be decomposed first (§4.1.3.3), or has been protected already; Error::NoSpace.
Result<Bytes> encode_plaintext(const coap::Message& message, MutBytes out);
Outside outside_of(const coap::Message& message);

struct RequestOptions {
    Piv piv;  // never used before under this context
    std::optional<Bytes> kid_context = std::nullopt;
};

// The protected message, at the front of `out`. The plaintext may lie in `out`, behind the part
// that the outside takes (kOutsideSizeMax). Error::NoSpace; Error::TooLarge for a kid context over
// kIdContextSizeMax.
Result<Bytes> protect_request(const ContextView& context,
                              const RequestOptions& options,
                              const Outside& outside,
                              Bytes plaintext,
                              MutBytes out);
RequestBinding bind_request(Piv piv);

// The OSCORE option of a message, which leads to the context. Error::NotFound if it has none;
// Error::Malformed if it has two, or no payload (§2), or as parse_option(); Error::Truncated.
Status find_option(const coap::Message& message, OptionValue& option);
inline Result<OptionValue> find_option(const coap::Message& message) {
    OptionValue option;
    SOTTO_TRY(find_option(message, option));
    return option;
}

struct Request {
    coap::Body body;  // in the scratch memory
    RequestBinding binding;
    Piv piv;
};
// Verifies and decrypts a request whose option has led to this context; the kid context, if there
// is one, has been compared. `scratch` may be where the payload of the message is: what is
// decrypted in place. Error::Malformed if it has no Partial IV or kid, or is authentic and no
// request; Error::Unauthenticated if it does not verify; Error::NoSpace. On error nothing of the
// plaintext is left.
Status unprotect_request(const ContextView& context,
                         const OptionValue& option,
                         const coap::Message& message,
                         MutBytes scratch,
                         Request& request);
Result<Request> unprotect_request(const ContextView& context,
                                  const OptionValue& option,
                                  const coap::Message& message,
                                  MutBytes scratch);

// With `piv`, under a nonce of our own; without, under that of the request, which may be done once
// for each request (§5.2) and never for a notification (precondition). `out` and errors as above.
Result<Bytes> protect_response(const ContextView& context,
                               const RequestBinding& request,
                               std::optional<Piv> piv,
                               const Outside& outside,
                               Bytes plaintext,
                               MutBytes out);

struct Response {
    coap::Body body;         // in the scratch memory
    std::optional<Piv> piv;  // if it came with one of its own
};
// Error::NotFound, Malformed, Truncated, Unauthenticated, NoSpace, as above.
Result<Response> unprotect_response(const ContextView& context,
                                    const RequestBinding& request,
                                    const coap::Message& message,
                                    MutBytes scratch);

}  // namespace sotto::oscore
