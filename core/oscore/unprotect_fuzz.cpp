// SPDX-License-Identifier: Apache-2.0
// Any bytes, to both ends of a context whose keys the fuzzer can't guess. The first byte says what
// follows: with bit 0 a message as it is, else a plaintext that is sealed first, so that the parser
// behind the decryption gets its share.
#include "core/oscore/peers_test.hpp"

using namespace sotto;
using namespace sotto::oscore;

namespace {

const Peers& peers() {
    static const Peers peers{.client_id = {0x01, 0x02}, .server_id = {0x03}};
    return peers;
}

void receive(Bytes bytes) {
    Buffer scratch(bytes.size());
    const auto message = coap::parse_message(bytes);
    if (!message) return;
    if (const auto option = find_option(*message))
        (void)unprotect_request(peers().server, *option, *message, scratch);
    (void)unprotect_response(peers().client, bind_request(Piv{5}), *message, scratch);
}

void receive_sealed(Bytes plaintext) {
    Buffer out(kOutsideSizeMax + plaintext.size() + kTagSize);
    const auto message = protect_request(peers().client, {.piv = Piv{5}}, {}, plaintext, out);
    SOTTO_ASSERT(message.has_value());
    receive(*message);
    const auto response =
        protect_response(peers().server, bind_request(Piv{5}), {}, {}, plaintext, out);
    SOTTO_ASSERT(response.has_value());
    receive(*response);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > crypto::kAeadPlaintextSizeMax) return 0;
    const Bytes input = Bytes{data, size}.subspan(1);
    if ((data[0] & 1) != 0) {
        receive(input);
    } else {
        receive_sealed(input);
    }
    return 0;
}
