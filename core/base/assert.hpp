// SPDX-License-Identifier: Apache-2.0
// Broken invariants end the program. SOTTO_ASSERT is always on.
#pragma once

namespace sotto {

// Ends the program or resets the chip. Defined by a port (ports/linux, the firmware) or by
// `testing`. On a chip its return address says where: names and lines would cost a kilobyte.
#if __STDC_HOSTED__
[[noreturn]] void panic(const char* file, int line);
#else
[[noreturn]] void panic();
#endif

}  // namespace sotto

#if !__STDC_HOSTED__
#define SOTTO_PANIC() ::sotto::panic()
#elif defined(__FILE_NAME__)
#define SOTTO_PANIC() ::sotto::panic(__FILE_NAME__, __LINE__)
#else
#define SOTTO_PANIC() ::sotto::panic(__FILE__, __LINE__)
#endif

#define SOTTO_ASSERT(condition)          \
    do {                                 \
        if (!(condition)) SOTTO_PANIC(); \
    } while (false)
