// SPDX-License-Identifier: Apache-2.0
#include "core/base/assert.hpp"
#include "core/keystore/pairing_code.hpp"

// Any text: what is taken for a code is, but for case and white space, the one text of that code.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sotto;
    const auto code = keystore::parse_pairing_code(as_text({data, size}));
    if (!code) {
        SOTTO_ASSERT(keystore::to_string(code.error()) != "?");
        return 0;
    }
    std::array<char, keystore::kPairingCodeSize> text{};
    const auto again = keystore::parse_pairing_code(keystore::encode_pairing_code(*code, text));
    SOTTO_ASSERT(again && again->credential_hash_prefix == code->credential_hash_prefix);
    SOTTO_ASSERT(ct_equal(again->secret.expose(), code->secret.expose()));
    return 0;
}
