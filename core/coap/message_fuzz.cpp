// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "core/base/assert.hpp"
#include "core/coap/message.hpp"

using namespace sotto;

namespace {

// What has been parsed, written again, says the same when parsed once more. The bytes may differ:
// deltas and sizes of options have long forms that the writer does not use.
void check(const coap::Message& message) {
    std::vector<std::uint8_t> out(coap::kHeaderSize + coap::kTokenSizeMax + 1 +
                                  2 * message.options.encoded().size() + message.payload.size());
    coap::MessageWriter writer{out, message.header};
    for (const coap::Option& option : message.options) {
        writer.options().add(option.number, option.value);
        (void)coap::has_valid_size(option);
        (void)coap::parse_block(option.value);
    }
    const auto written = writer.payload(message.payload).finish();
    SOTTO_ASSERT(written.has_value());
    const auto again = coap::parse_message(*written);
    SOTTO_ASSERT(again.has_value());
    SOTTO_ASSERT(again->header.type == message.header.type);
    SOTTO_ASSERT(again->header.code == message.header.code);
    SOTTO_ASSERT(again->header.id == message.header.id);
    SOTTO_ASSERT(equal(again->header.token, message.header.token));
    SOTTO_ASSERT(equal(again->payload, message.payload));
    auto other = again->options.begin();
    for (const coap::Option& option : message.options) {
        SOTTO_ASSERT(other != again->options.end());
        SOTTO_ASSERT(other->number == option.number && equal(other->value, option.value));
        ++other;
    }
    SOTTO_ASSERT(other == again->options.end());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    (void)coap::rejection_of(input);
    (void)coap::parse_body(input);
    const auto message = coap::parse_message(input);
    if (!message) return 0;
    check(*message);
    (void)message->options.path_is("/.well-known/core");
    (void)message->options.find_bad_critical({});
    return 0;
}
