// SPDX-License-Identifier: Apache-2.0
// The first byte chooses how the stream is cut; the rest is the stream.
#include "core/framing/fuzz.hpp"
#include "core/framing/uplink.hpp"

using namespace sotto::framing;

namespace {

void try_record(sotto::Bytes bytes) {
    for (const auto side : {uplink::Side::Gateway, uplink::Side::Cloud}) {
        if (const auto record = uplink::parse_record(bytes, side)) {
            std::array<std::uint8_t, kUplinkBytesMax> out{};
            const auto encoded = uplink::encode_record(out, *record);
            SOTTO_ASSERT(encoded.has_value());
            expect_same(encoded->subspan(kUplinkSizeSize), bytes);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t step = data[0] + 1U;
    uplink::Splitter splitter;
    sotto::Bytes stream = sotto::Bytes{data, size}.subspan(1);
    while (!stream.empty()) {
        sotto::Bytes input = stream.first(std::min(step, stream.size()));
        stream = stream.subspan(input.size());
        while (true) {
            const auto record = splitter.next(input);
            if (!record) return 0;
            if (!*record) break;
            try_record(**record);
        }
        SOTTO_ASSERT(input.empty());
    }
    return 0;
}
