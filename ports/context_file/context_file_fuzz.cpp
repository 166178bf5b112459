// SPDX-License-Identifier: Apache-2.0
// Any text as the file of an OSCORE context: a context whose ids differ, or a complaint in words.
#include "core/base/assert.hpp"
#include "core/base/bytes.hpp"
#include "ports/context_file/context_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sotto;
    const auto file = ports::parse_context_file(as_text({data, size}));
    if (!file) {
        SOTTO_ASSERT(!file.error().empty());
        return 0;
    }
    SOTTO_ASSERT(!(file->context.sender_id == file->context.recipient_id));
    SOTTO_ASSERT(!file->name.empty());
    return 0;
}
