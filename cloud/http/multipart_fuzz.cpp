// SPDX-License-Identifier: Apache-2.0
// Any body under a boundary, and any type with a body: what is parsed lies in the body and in its
// bounds. The input: the type up to a line feed, then the body.
#include "cloud/http/multipart.hpp"
#include "core/base/assert.hpp"
#include "core/base/bytes.hpp"

namespace {

using namespace sotto::cloud::http;  // NOLINT(google-build-using-namespace)

void check(std::string_view type, std::string_view body) {
    const auto parts = parse_multipart(type, body);
    if (!parts) return;
    SOTTO_ASSERT(parts->size() <= kPartsMax);
    std::size_t size = 0;
    for (const Part& part : *parts) {
        size += part.content.size();
        SOTTO_ASSERT(part.content.empty() ||
                     (part.content.data() >= body.data() &&
                      part.content.data() + part.content.size() <= body.data() + body.size()));
        SOTTO_ASSERT(part.name.size() <= kPartHeaderSizeMax);
    }
    SOTTO_ASSERT(size <= body.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = sotto::as_text({data, size});
    const std::size_t line = std::min(text.find('\n'), text.size());
    check(text.substr(0, line), text.substr(std::min(line + 1, text.size())));
    check("multipart/form-data; boundary=x", text);
    return 0;
}
