// SPDX-License-Identifier: Apache-2.0
#include "core/framing/channel.hpp"
#include "core/framing/fuzz.hpp"

using namespace sotto::framing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const sotto::Bytes input{data, size};
    for (const auto side : {channel::Side::App, channel::Side::Cloud}) {
        if (const auto record = channel::parse_record(input, side)) {
            std::array<std::uint8_t, kChannelRecordSizeMax> out{};
            expect_same(channel::encode_record(out, *record), input);
        }
    }
    return 0;
}
