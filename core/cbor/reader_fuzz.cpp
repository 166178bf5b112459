// SPDX-License-Identifier: Apache-2.0
// Any bytes, under either rule: no crash, and what is taken is consistent with itself.
#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"

namespace {

using sotto::Bytes;
using sotto::cbor::Reader;
using sotto::cbor::Rules;

void try_each_read(Bytes data, Rules rules) {
    Reader in{data, rules};
    static_cast<void>(Reader{in}.integer());
    static_cast<void>(Reader{in}.bytes());
    static_cast<void>(Reader{in}.text());
    static_cast<void>(Reader{in}.array());
    static_cast<void>(Reader{in}.map());
    static_cast<void>(Reader{in}.tag());
    static_cast<void>(Reader{in}.boolean());
    static_cast<void>(Reader{in}.null());
    static_cast<void>(Reader{in}.floating());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    Reader strict{input};
    Reader lenient{input, Rules::WellFormed};
    while (!lenient.empty()) {
        try_each_read(strict.rest(), Rules::Deterministic);
        try_each_read(lenient.rest(), Rules::WellFormed);
        const Bytes one = strict.skip();
        const Bytes other = lenient.skip();
        if (!lenient.status()) {
            SOTTO_ASSERT(!strict.status());  // deterministic CBOR is well-formed
            break;
        }
        if (!strict.status()) break;
        SOTTO_ASSERT(sotto::equal(one, other));
    }
    return 0;
}
