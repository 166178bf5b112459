// SPDX-License-Identifier: Apache-2.0
// Any bytes as a message: what is parsed lies in them, and an event that was parsed is parsed from
// what it is encoded to.
#include "cloud/particle/message.hpp"
#include "core/base/assert.hpp"

namespace {

using namespace sotto;                   // NOLINT(google-build-using-namespace)
using namespace sotto::cloud::particle;  // NOLINT(google-build-using-namespace)

bool is_inside(Bytes part, Bytes whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

void check_event(const Message& message) {
    const std::string name = message.name();
    if (name.size() > kEventNameSizeMax || message.path.size() < 2) return;
    const Encoded encoded = encode_event(message.id,
                                         {.name = name,
                                          .data = as_text(message.payload),
                                          .ttl_s = message.max_age.value_or(60) & 0xffffffU});
    const auto again = parse_message(encoded);
    SOTTO_ASSERT(again && again->name() == name && equal(again->payload, message.payload));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes{data, size};
    const auto message = parse_message(bytes);
    if (!message) return 0;
    SOTTO_ASSERT(message->token.size() <= kTokenSizeMax && is_inside(message->token, bytes));
    for (const Bytes segment : message->path) SOTTO_ASSERT(is_inside(segment, bytes));
    for (const Bytes query : message->query) SOTTO_ASSERT(is_inside(query, bytes));
    SOTTO_ASSERT(is_inside(message->payload, bytes));
    check_event(*message);
    return 0;
}
