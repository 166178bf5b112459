// SPDX-License-Identifier: Apache-2.0
// Protecting and verifying CoAP messages with OSCORE (RFC 8613 §8). No allocation: messages are
// written to `out` and plaintext to `scratch`, both the caller's; wipe the latter.
//
// A plaintext is a coap::Body: code, Class E options, payload (§5.3), written with
// coap::MessageWriter{buffer, code}. Freshness, replay and whose session it is are the caller's.
#pragma once

#include "core/coap/message.hpp"
#include "core/oscore/context.hpp"
#include "core/oscore/option.hpp"

namespace sotto::oscore {

// What ties a response to its request: request_kid and request_piv (§5.4).
struct RequestBinding {
    Id kid;
    FixedBytes<kPivSizeMax> piv;
};

// The outside of a protected message: what every hop can read.
struct Outside {
    coap::Type type = coap::Type::Confirmable;
    std::uint16_t id = 0;
    Bytes token;
    std::optional<std::uint32_t> observe = std::nullopt;  // §4.1.3.5: also in the plaintext
};

struct RequestOptions {
    Piv piv;  // never used before under this context
    std::optional<Bytes> kid_context = std::nullopt;
};

// Error::NoSpace, Error::TooLarge.
Result<Bytes> protect_request(const Context& context,
                              const RequestOptions& options,
                              const Outside& outside,
                              Bytes plaintext,
                              MutBytes out);
RequestBinding bind_request(const Context& context, Piv piv);

struct Request {
    coap::Body body;  // in the scratch memory
    RequestBinding binding;
    Piv piv;
};
// Verifies and decrypts a request whose option has been parsed and has led to this context.
// Error::Malformed if it has no Partial IV or kid or its plaintext is no body of a request,
// Error::Unauthenticated if it does not verify, Error::NoSpace.
Result<Request> unprotect_request(const Context& context,
                                  const OptionValue& option,
                                  const coap::Message& message,
                                  MutBytes scratch);

// With `piv`, under a nonce of our own; without, under that of the request, which may be done once
// for each request (§5.2). Error::NoSpace, Error::TooLarge.
Result<Bytes> protect_response(const Context& context,
                               const RequestBinding& request,
                               std::optional<Piv> piv,
                               const Outside& outside,
                               Bytes plaintext,
                               MutBytes out);

struct Response {
    coap::Body body;         // in the scratch memory
    std::optional<Piv> piv;  // if it came with one of its own
};
// Error::Malformed, Unauthenticated, NoSpace, as above.
Result<Response> unprotect_response(const Context& context,
                                    const RequestBinding& request,
                                    const coap::Message& message,
                                    MutBytes scratch);

}  // namespace sotto::oscore
