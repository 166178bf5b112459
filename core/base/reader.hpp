// SPDX-License-Identifier: Apache-2.0
// A view of bytes that shrinks as it is read. No allocation; what it returns points into the
// caller's bytes.
#pragma once

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace sotto {

class Reader {
  public:
    explicit Reader(Bytes bytes) : rest_(bytes) {}

    bool empty() const { return rest_.empty(); }
    std::size_t size() const { return rest_.size(); }
    Bytes rest() const { return rest_; }

    // Each read takes its bytes from the front; Error::Truncated leaves the reader as it was.
    Result<Bytes> take(std::size_t count);
    Result<std::uint8_t> u8();
    Result<std::uint16_t> u16_be();
    Result<std::uint32_t> u32_be();
    Result<std::uint64_t> u64_be();
    // A big-endian integer of `size` bytes. Precondition: size <= 8.
    Result<std::uint64_t> uint_be(std::size_t size);
    // Everything that is left.
    Bytes take_rest();
    // Error::Malformed if bytes are left: formats are strict about trailing bytes.
    Status finish() const;

  private:
    Bytes rest_;
};

}  // namespace sotto
