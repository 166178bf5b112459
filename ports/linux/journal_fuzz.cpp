// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "core/base/assert.hpp"
#include "ports/linux/journal.hpp"

// Any bytes as the front of a journal: what is found lies inside it and can be read again. The
// header is made good when the first byte says so, else nothing behind it would be reached.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sotto;
    namespace journal = ports::journal;
    const Bytes input{data, std::min(size, journal::kSizeStep)};
    std::vector<std::uint8_t> bytes(journal::kSizeStep);
    std::copy(input.begin(), input.end(), bytes.begin());
    if (!input.empty() && input[0] != 0)
        journal::encode_header({}, MutBytes{bytes}.first(journal::kHeaderSize));
    const auto contents = journal::scan(bytes);
    if (!contents) return 0;
    for (const auto& [id, place] : contents->records) {
        SOTTO_ASSERT(place.offset + place.size <= contents->end);
        const auto entry = journal::parse_entry(Bytes{bytes}.subspan(place.offset, place.size));
        SOTTO_ASSERT(entry && entry->id == id);
    }
    return 0;
}
