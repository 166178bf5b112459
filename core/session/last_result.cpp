// SPDX-License-Identifier: Apache-2.0
#include "core/session/last_result.hpp"

#include "core/cbor/reader.hpp"

namespace sotto::session {

Result<LastResult> parse_last_result(Bytes bytes) {
    cbor::Reader in{bytes};
    LastResult result;
    const std::size_t count = in.map();
    for (std::size_t i = 1; i <= count; ++i) {
        in.require(in.uint() == i && i <= 3);
        if (i == 1) {
            const std::uint64_t piv = in.uint();
            in.require(piv <= oscore::kPivMax);
            result.piv = oscore::Piv{piv};
        } else if (i == 2) {
            const std::uint64_t code = in.uint();
            in.require(code <= 0xff && coap::is_response(static_cast<coap::Code>(code)));
            result.code = static_cast<coap::Code>(code);
        } else {
            result.payload = in.bytes();
        }
    }
    SOTTO_TRY(in.finish());
    return result;
}

}  // namespace sotto::session
