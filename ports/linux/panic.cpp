// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>

#include "core/base/assert.hpp"

void sotto::panic(const char* file, int line) {
    std::fprintf(
        stderr,
        "This is a bug in Sotto: an invariant is broken at %s:%d. The program stops before "
        "it does harm; what it had stored stays valid.\n",
        file,
        line);
    std::abort();
}
