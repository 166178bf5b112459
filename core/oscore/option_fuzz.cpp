// SPDX-License-Identifier: Apache-2.0
#include "core/base/assert.hpp"
#include "core/oscore/option.hpp"

using namespace sotto;

// Whatever the parser takes, the encoder gives back byte for byte: each option has one form.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    const auto option = oscore::parse_option(input);
    if (!option || size > 512) return 0;
    std::array<std::uint8_t, 512> out{};
    const auto encoded = oscore::encode_option(*option, out);
    SOTTO_ASSERT(encoded.has_value() && equal(*encoded, input));
    return 0;
}
