// SPDX-License-Identifier: Apache-2.0
// Finds branches and addresses that depend on secrets: under valgrind a secret is marked as
// undefined memory, and memcheck reports each decision made on it. Needs valgrind's headers.
#pragma once

#include <valgrind/memcheck.h>

#include "core/base/bytes.hpp"

namespace sotto::testing {

inline bool is_checking_constant_time() { return RUNNING_ON_VALGRIND != 0; }
inline unsigned decisions_on_secrets() { return VALGRIND_COUNT_ERRORS; }

inline void mark_secret(Bytes bytes) { VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size()); }
inline void mark_public(Bytes bytes) { VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size()); }
// Whether every byte is marked: the mark follows a secret through all that is computed from it.
inline bool is_secret(Bytes bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](const std::uint8_t& byte) {
        std::uint8_t undefined_bits = 0;
        VALGRIND_GET_VBITS(&byte, &undefined_bits, 1);
        return undefined_bits != 0;
    });
}

}  // namespace sotto::testing

#define SOTTO_CT_SECRET(bytes) ::sotto::testing::mark_secret(bytes)
