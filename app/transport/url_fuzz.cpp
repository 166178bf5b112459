// SPDX-License-Identifier: Apache-2.0
// Any text as an address: what is taken is an address that is taken again, unchanged.
#include "app/transport/url.hpp"
#include "core/base/assert.hpp"
#include "core/base/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sotto;
    const std::string_view text = as_text({data, size});
    if (const auto cloud = app::parse_cloud_url(text)) {
        const auto again = app::parse_cloud_url(cloud->to_string());
        SOTTO_ASSERT(again && again->to_string() == cloud->to_string());
        SOTTO_ASSERT(again->is_tls == cloud->is_tls);
    }
    if (const auto coap = app::parse_coap_url(text)) {
        SOTTO_ASSERT(!coap->endpoint.host.empty() && !coap->endpoint.port.empty());
    }
    return 0;
}
