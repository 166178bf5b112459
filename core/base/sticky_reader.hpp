// SPDX-License-Identifier: Apache-2.0
// What parsers read with: a view of bytes that shrinks, and the first failure, which is kept, as
// Writer keeps an overflow: from then on nothing is left to read. No allocation; what it returns
// points into the caller's bytes.
#pragma once

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace sotto {

class StickyReader {
  public:
    // Nothing is left, or a read has failed.
    bool empty() const { return rest_.empty(); }
    Bytes rest() const { return rest_; }

    // What the caller asks of what it has read: fails with `why` unless `is_right`.
    void require(bool is_right, Error why = Error::Malformed);
    // The first failure, if there was one.
    Status status() const { return status_; }
    // The same; Error::Malformed also if bytes are left.
    Status finish() const;

  protected:
    explicit StickyReader(Bytes bytes) : rest_(bytes) {}

    // So many bytes from the front; none after a failure, which it is if there are fewer.
    Bytes take(std::size_t count);

    Bytes rest_;
    Status status_;
};

}  // namespace sotto
