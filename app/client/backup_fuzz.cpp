// SPDX-License-Identifier: Apache-2.0
// Any bytes as the content of a backup: refused, or written again as the same bytes.
#include "app/client/backup.hpp"
#include "core/base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sotto;
    const Bytes given{data, size};
    const auto backup = app::parse_backup(given);
    if (!backup) {
        SOTTO_ASSERT(backup.error() == Error::Malformed || backup.error() == Error::TooLarge);
        return 0;
    }
    const auto again = app::encode_backup(*backup);
    SOTTO_ASSERT(again && equal(again->view(), given));
    return 0;
}
