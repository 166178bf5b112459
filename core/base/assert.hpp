// SPDX-License-Identifier: Apache-2.0
// Broken invariants end the program. SOTTO_ASSERT is always on.
#pragma once

namespace sotto {

// Ends the program or resets the chip. Defined by a port (ports/linux, the firmware) or by
// `testing`.
[[noreturn]] void panic(const char* file, int line);

}  // namespace sotto

#ifdef __FILE_NAME__
#define SOTTO_FILE_NAME __FILE_NAME__
#else
#define SOTTO_FILE_NAME __FILE__
#endif

#define SOTTO_ASSERT(condition)                                      \
    do {                                                             \
        if (!(condition)) ::sotto::panic(SOTTO_FILE_NAME, __LINE__); \
    } while (false)
