// SPDX-License-Identifier: Apache-2.0
// Any bytes as the argument of a function, in any format (the first byte): a text comes of them, or
// one of the listed errors.
#include "core/base/assert.hpp"
#include "device/sdk/value.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sotto;
    if (size == 0) return 0;
    const session::Content argument{.format = static_cast<session::Format>(data[0]),
                                    .payload = Bytes{data, size}.subspan(1)};
    std::array<std::uint8_t, device::kNumberTextSizeMax> scratch{};
    const auto text = device::decode_argument(argument, scratch);
    if (text) {
        SOTTO_ASSERT(text->size() <= std::max(size, scratch.size()));
    } else {
        const Error why = text.error();
        SOTTO_ASSERT(why == Error::Malformed || why == Error::Unsupported ||
                     why == Error::Truncated || why == Error::TooLarge);
    }
    return 0;
}
