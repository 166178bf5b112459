// SPDX-License-Identifier: Apache-2.0
// fails with: nodiscard
#include "core/base/reader.hpp"

bool is_done(const sotto::Reader& reader) {
#ifdef MUST_COMPILE
    return reader.finish().has_value();
#else
    reader.finish();
    return true;
#endif
}
