// SPDX-License-Identifier: Apache-2.0
// Writes into a buffer of the caller. Overflow is sticky: write on, check once in finish().
// No allocation.
#pragma once

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace sotto {

class Writer {
  public:
    explicit Writer(MutBytes out) : out_(out) {}

    Writer& u8(std::uint8_t value);
    Writer& u16_be(std::uint16_t value);
    Writer& u32_be(std::uint32_t value);
    Writer& u64_be(std::uint64_t value);
    // The low `size` bytes of value, big-endian. Precondition: size <= 8.
    Writer& uint_be(std::uint64_t value, std::size_t size);
    Writer& bytes(Bytes bytes);
    Writer& text(std::string_view text) { return bytes(as_bytes(text)); }
    // Leaves room for `size` bytes that the caller fills in place; empty after an overflow.
    MutBytes reserve(std::size_t size);

    std::size_t size() const { return size_; }
    bool has_overflowed() const { return overflowed_; }
    // What has been written so far; empty after an overflow.
    Bytes written() const;
    // The written bytes, or Error::NoSpace if anything did not fit.
    Result<Bytes> finish() const;

  private:
    // As uint_be(), of what fits a register of a small chip. Precondition: size <= 4.
    Writer& short_uint_be(std::uint32_t value, std::size_t size);

    MutBytes out_;
    std::size_t size_ = 0;
    bool overflowed_ = false;
};

}  // namespace sotto
