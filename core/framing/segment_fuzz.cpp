// SPDX-License-Identifier: Apache-2.0
// The input is a list of values, each after its size in one byte. Whatever they were, the next good
// frame arrives whole.
#include <array>

#include "core/framing/fuzz.hpp"
#include "core/framing/segment.hpp"

using namespace sotto::framing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sotto::Bytes rest{data, size};
    std::array<std::uint8_t, 256> buffer{};
    Reassembler reassembler{buffer};
    while (!rest.empty()) {
        const std::size_t value_size = std::min<std::size_t>(rest[0], rest.size() - 1);
        const auto frame = reassembler.receive(rest.subspan(1, value_size));
        SOTTO_ASSERT(!frame || (!frame->empty() && frame->size() <= buffer.size()));
        rest = rest.subspan(1 + value_size);
    }
    const std::vector<std::uint8_t> good(100, 7);
    Segmenter segmenter;
    SOTTO_ASSERT(segmenter.begin(good).has_value());
    std::array<std::uint8_t, kValueSizeMax> value{};
    std::optional<sotto::Bytes> frame;
    while (!segmenter.is_idle()) frame = reassembler.receive(segmenter.next(value));
    SOTTO_ASSERT(frame.has_value() && sotto::equal(*frame, good));
    return 0;
}
