// SPDX-License-Identifier: Apache-2.0
// fails with: nodiscard
#include "core/base/reader.hpp"

sotto::Status skip_a_byte(sotto::Reader& reader) {
#ifdef MUST_COMPILE
    SOTTO_TRY(reader.u8());
#else
    reader.u8();
#endif
    return reader.finish();
}
