// SPDX-License-Identifier: Apache-2.0
// Any blocks in any order into one body: what is taken follows what was taken before, byte by byte,
// and never leaves the room. The input is records of three bytes: option, size, content.
#include "core/base/reader.hpp"
#include "core/coap/block.hpp"

using namespace sotto;
using namespace sotto::coap;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t kRoom = 300;
    std::array<std::uint8_t, kRoom> room{};
    std::array<std::uint8_t, kRoom> expected{};
    std::size_t expected_size = 0;
    IncomingBody body{room};
    Reader input{Bytes{data, size}};
    while (input.size() >= 3) {
        const std::uint8_t option = *input.u8();
        const std::size_t payload_size = *input.u8();
        std::array<std::uint8_t, 255> payload;
        payload.fill(*input.u8());
        const auto block = parse_block(Bytes{&option, 1});
        if (!block) continue;
        SOTTO_ASSERT(block_value(*block) == option);
        const Bytes content = Bytes{payload}.first(payload_size);
        const Status fits = body.check(*block, content);
        if (!fits) {
            SOTTO_ASSERT(fits.error() != Error::AlreadyExists ||
                         block->offset() + payload_size == expected_size);
            continue;
        }
        SOTTO_ASSERT(block->offset() == expected_size && expected_size + payload_size <= kRoom);
        body.append(*block, content);
        std::ranges::copy(content, expected.begin() + static_cast<std::ptrdiff_t>(expected_size));
        expected_size += payload_size;
        SOTTO_ASSERT(equal(body.view(), Bytes{expected}.first(expected_size)));
        if (!block->has_more) {
            body.clear();
            expected_size = 0;
        }
    }
    return 0;
}
