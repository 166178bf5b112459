// SPDX-License-Identifier: Apache-2.0
// Any CoAP message, protected by one end, is the same at the other: inside what is of Class E,
// outside what is of Class U.
#include "core/oscore/peers_test.hpp"

using namespace sotto;
using namespace sotto::oscore;

namespace {

const Peers& peers() {
    static const Peers peers{.client_id = {}, .server_id = {0x01}};
    return peers;
}

void expect_same(const coap::Body& received, const coap::Message& sent, Bytes plaintext) {
    SOTTO_ASSERT(received.code == sent.header.code);
    SOTTO_ASSERT(equal(received.payload, sent.payload));
    const auto body = coap::parse_body(plaintext);
    SOTTO_ASSERT(body.has_value());
    SOTTO_ASSERT(equal(body->options.encoded(), received.options.encoded()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2 || size > 4'096) return 0;
    const Piv piv{data[0]};
    const auto message = coap::parse_message({data + 1, size - 1});
    if (!message || message->header.code == coap::Code::Empty) return 0;
    Buffer plaintext(2 * size);
    const auto inner = encode_plaintext(*message, plaintext);
    if (!inner) return 0;
    Buffer out(5 * size + kOutsideSizeMax + kTagSize);
    Buffer scratch(out.size());
    const Outside outside = outside_of(*message);
    if (coap::is_request(message->header.code)) {
        const auto sealed = protect_request(peers().client, {.piv = piv}, outside, *inner, out);
        const auto received = coap::parse_message(*sealed);
        const auto option = find_option(*received);
        const auto request = unprotect_request(peers().server, *option, *received, scratch);
        SOTTO_ASSERT(request.has_value() && request->piv == piv);
        expect_same(request->body, *message, *inner);
    } else {
        const RequestBinding binding = bind_request(piv);
        const auto sealed = protect_response(peers().server, binding, piv, outside, *inner, out);
        const auto received = coap::parse_message(*sealed);
        const auto response = unprotect_response(peers().client, binding, *received, scratch);
        SOTTO_ASSERT(response.has_value() && response->piv == piv);
        expect_same(response->body, *message, *inner);
    }
    return 0;
}
