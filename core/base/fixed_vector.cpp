// SPDX-License-Identifier: Apache-2.0
#include "core/base/fixed_vector.hpp"

namespace sotto {

std::size_t copy_to(MutBytes room, Bytes bytes) {
    SOTTO_ASSERT(bytes.size() <= room.size());
    std::copy(bytes.begin(), bytes.end(), room.begin());
    return bytes.size();
}

}  // namespace sotto
