// SPDX-License-Identifier: Apache-2.0
// What a device answers inside the sealed channel, as a client reads it. Whatever is taken is
// written again as the same bytes.
#include "core/cbor/writer.hpp"
#include "core/session/last_result.hpp"
#include "core/session/pairing.hpp"

namespace {

sotto::Result<sotto::Bytes> encode(const sotto::session::LastResult& result, sotto::MutBytes out) {
    sotto::cbor::Writer writer{out};
    writer.map(std::size_t{result.piv.has_value()} + result.code.has_value() +
               result.payload.has_value());
    if (result.piv) writer.uint(1).uint(result.piv->value());
    if (result.code) writer.uint(2).uint(static_cast<std::uint8_t>(*result.code));
    if (result.payload) writer.uint(3).bytes(*result.payload);
    return writer.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sotto;
    if (size > 256) return 0;
    const Bytes bytes{data, size};
    std::array<std::uint8_t, 300> buffer{};
    if (const auto answer = session::parse_pairing_answer(bytes)) {
        std::array<std::uint8_t, session::kPairingAnswerSizeMax> room{};
        SOTTO_ASSERT(equal(session::encode_pairing_answer(*answer, room), bytes));
    }
    if (const auto result = session::parse_last_result(bytes)) {
        const auto again = encode(*result, buffer);
        SOTTO_ASSERT(again && equal(*again, bytes));
    }
    return 0;
}
