// SPDX-License-Identifier: Apache-2.0
// Frames of the bluz service in GATT values, and back: values of up to 20 bytes, then the value
// `03 04` alone as end of stream (docs/protocol/bluz.md, "Values"). No allocation; both own their
// buffers.
#pragma once

#include <array>
#include <optional>

#include "air/bluz/limits.hpp"
#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace sotto::air::bluz {

// One direction of one connection, receiving. Where the values of a frame were cut does not matter.
class Assembler {
  public:
    // The frame that this value ends, valid until the next call; it may be empty. Nothing while it
    // goes on. Error::Malformed for a value that the service cannot carry, Error::TooLarge at the
    // end of a frame over kFrameSizeMax; either is dropped, and the next frame is taken.
    Result<std::optional<Bytes>> receive(Bytes value);

  private:
    std::array<std::uint8_t, kFrameSizeMax> frame_{};
    std::size_t size_ = 0;
    bool overflowed_ = false;
};

// One direction of one connection, sending. The header goes in the first value.
class Packetizer {
  public:
    // Takes a copy. Precondition: is_idle(); 1 to kFrameSizeMax bytes in all.
    void begin(Bytes header, Bytes payload);
    bool is_idle() const { return at_ == size_ && !must_end_; }
    // The next value, valid until begin(); the last one of a frame is `03 04`, and no other begins
    // so. Precondition: !is_idle().
    Bytes next();

  private:
    Bytes rest() const { return Bytes{frame_}.first(size_).subspan(at_); }

    std::array<std::uint8_t, kFrameSizeMax> frame_{};
    std::size_t size_ = 0;
    std::size_t at_ = 0;
    bool must_end_ = false;
};

}  // namespace sotto::air::bluz
