// SPDX-License-Identifier: Apache-2.0
// Any text as the address of a cloud: what is taken is in the text, part by part.
#include "core/base/assert.hpp"
#include "core/base/bytes.hpp"
#include "gateway/uplink/address.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sotto;
    const std::string_view text = as_text({data, size});
    const auto address = gateway::uplink::parse_address(text);
    if (!address) return 0;
    const bool has_brackets = text.starts_with('[');
    const std::string host = has_brackets ? "[" + address->host + "]" : address->host;
    SOTTO_ASSERT(host + ":" + address->port == text);
    return 0;
}
