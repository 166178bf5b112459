// SPDX-License-Identifier: Apache-2.0
#include "core/base/sticky_reader.hpp"

namespace sotto {

void StickyReader::require(bool is_right, Error why) {
    if (is_right || !status_) return;
    status_ = why;
    rest_ = {};
}

Bytes StickyReader::take(std::size_t count) {
    require(count <= rest_.size(), Error::Truncated);
    if (!status_) return {};
    const Bytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
}

Status StickyReader::finish() const {
    if (!rest_.empty()) return Error::Malformed;
    return status_;
}

}  // namespace sotto
