// SPDX-License-Identifier: Apache-2.0
// Which of BearSSL's implementations this machine gets, and how its contexts are wiped.
// No allocation: everything lives on the caller's stack.
#pragma once

#include "core/base/secret.hpp"

namespace sotto::ports::bearssl {

// ARMv6-M multiplies 32x32 bits to 32 only and has no cache: it gets the 15-bit arithmetic, and
// table AES leaks no time there. Everything else gets the 31-bit arithmetic and bit-sliced AES.
#ifdef __ARM_ARCH_6M__
inline constexpr bool kIsCortexM0 = true;
#else
inline constexpr bool kIsCortexM0 = false;
#endif

// A context of BearSSL's that held secrets: wiped when it goes out of scope.
template <class T>
struct Wiped {
    Wiped() = default;
    Wiped(const Wiped&) = delete;
    Wiped& operator=(const Wiped&) = delete;
    ~Wiped() { wipe({static_cast<std::uint8_t*>(static_cast<void*>(&value)), sizeof value}); }

    T value;
};

}  // namespace sotto::ports::bearssl
