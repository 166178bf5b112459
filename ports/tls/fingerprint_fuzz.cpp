// SPDX-License-Identifier: Apache-2.0
// Any text as a fingerprint: what is taken is written back with the same digits.
#include <cctype>

#include "core/base/assert.hpp"
#include "core/base/bytes.hpp"
#include "ports/tls/fingerprint.hpp"

namespace {

std::string digits_of(std::string_view text) {
    std::string digits;
    for (const char c : text) {
        if (c != ':')
            digits.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    }
    return digits;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sotto;
    const std::string_view text = as_text({data, size});
    const auto fingerprint = ports::parse_fingerprint(text);
    if (!fingerprint) return 0;
    const std::string written = ports::to_string(*fingerprint);
    SOTTO_ASSERT(digits_of(written) == digits_of(text));
    SOTTO_ASSERT(ports::parse_fingerprint(written).value() == *fingerprint);
    return 0;
}
