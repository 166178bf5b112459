// SPDX-License-Identifier: Apache-2.0
#include "core/framing/cobs.hpp"
#include "core/framing/fuzz.hpp"

using namespace sotto::framing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const sotto::Bytes input{data, size};
    std::vector<std::uint8_t> code(cobs_size_max(size));
    const auto encoded = cobs_encode(code, input);
    SOTTO_ASSERT(encoded.has_value());
    SOTTO_ASSERT(std::find(encoded->begin(), encoded->end(), 0) == encoded->end());
    std::vector<std::uint8_t> bytes(size);
    expect_same(cobs_decode(bytes, *encoded), input);
    // The input as a code, in its own memory and in memory that is too small.
    std::vector<std::uint8_t> own{input.begin(), input.end()};
    const auto decoded = cobs_decode(own, own);
    SOTTO_ASSERT(!decoded || decoded->size() < size);
    (void)cobs_decode(sotto::MutBytes{bytes}.first(size / 2), input);
    return 0;
}
