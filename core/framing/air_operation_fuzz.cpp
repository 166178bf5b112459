// SPDX-License-Identifier: Apache-2.0
// The first byte chooses how the stream is cut; the rest is the stream. However it is cut, the same
// operations must be found; and the rest as one operation without COBS must survive a round trip.
#include "core/framing/air_operation.hpp"
#include "core/framing/fuzz.hpp"

using namespace sotto::framing;

namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer encoded(const AirOperation& operation) {
    Buffer out(kAirBytesMax);
    const auto bytes = encode_air_operation(out, operation);
    SOTTO_ASSERT(bytes.has_value());
    return {bytes->begin(), bytes->end()};
}

std::vector<Buffer> decode(sotto::Bytes stream, std::size_t step) {
    std::array<std::uint8_t, kAirCodeSizeMax> room{};
    AirDecoder decoder{room};
    std::vector<Buffer> found;
    while (!stream.empty()) {
        sotto::Bytes input = stream.first(std::min(step, stream.size()));
        stream = stream.subspan(input.size());
        while (const auto operation = decoder.next(input)) found.push_back(encoded(*operation));
        SOTTO_ASSERT(input.empty());
    }
    return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const sotto::Bytes stream = sotto::Bytes{data, size}.subspan(1);
    SOTTO_ASSERT(decode(stream, data[0] + 1U) == decode(stream, size));
    if (const auto operation = parse_air_operation(stream)) {
        const Buffer bytes = encoded(*operation);
        SOTTO_ASSERT(decode(bytes, bytes.size()) == std::vector<Buffer>{bytes});
    }
    return 0;
}
