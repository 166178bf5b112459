// SPDX-License-Identifier: Apache-2.0
#include "core/framing/frame.hpp"
#include "core/framing/fuzz.hpp"

using namespace sotto::framing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const sotto::Bytes input{data, size};
    if (const auto frame = parse_frame(input)) {
        std::array<std::uint8_t, kFrameSizeMax> out{};
        expect_same(encode_frame(out, *frame), input);
    }
    return 0;
}
