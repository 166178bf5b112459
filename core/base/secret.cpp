// SPDX-License-Identifier: Apache-2.0
#include "core/base/secret.hpp"

#include <cstring>

namespace sotto {

void wipe(MutBytes bytes) {
    if (bytes.empty()) return;
    std::memset(bytes.data(), 0, bytes.size());
    asm volatile("" : : "r"(bytes.data()) : "memory");  // the bytes count as read: no dead store
}

bool ct_equal(Bytes a, Bytes b) {
    if (a.size() != b.size()) return false;
    std::uint8_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
        asm volatile("" : "+r"(difference));  // no early exit may be inferred
    }
    return difference == 0;
}

}  // namespace sotto
