// SPDX-License-Identifier: Apache-2.0
#include "core/session/last_result.hpp"

#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"

namespace sotto::session {

Result<Bytes> encode_last_result(const LastResult& result, MutBytes out) {
    cbor::Writer writer{out};
    writer.map(std::size_t{result.piv.has_value()} + result.code.has_value() +
               result.payload.has_value());
    if (result.piv) writer.uint(1).uint(result.piv->value());
    if (result.code) writer.uint(2).uint(static_cast<std::uint8_t>(*result.code));
    if (result.payload) writer.uint(3).bytes(*result.payload);
    return writer.finish();
}

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
