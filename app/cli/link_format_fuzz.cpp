// SPDX-License-Identifier: Apache-2.0
// Any text as what a device says that it offers: each offer is in the text, and has a name.
#include "app/cli/link_format.hpp"
#include "core/base/assert.hpp"
#include "core/base/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sotto;
    const std::string_view text = as_text({data, size});
    for (const app::Offer& offer : app::parse_offers(text)) {
        SOTTO_ASSERT(!offer.kind.empty() && !offer.name.empty());
        SOTTO_ASSERT(text.find("/" + offer.name + ">") != std::string_view::npos);
    }
    return 0;
}
