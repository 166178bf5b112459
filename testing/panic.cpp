// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>

#include "core/base/assert.hpp"

void sotto::panic(const char* file, int line) {
    std::fprintf(stderr, "panic at %s:%d\n", file, line);
    std::abort();
}
