// SPDX-License-Identifier: Apache-2.0
// A frame cut into GATT values and put together again (docs/protocol/air.md, "Segments").
// No allocation. The segmenter reads the caller's frame, the reassembler fills a buffer of the
// caller; both borrow until the frame is through.
#pragma once

#include <optional>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/framing/limits.hpp"

namespace sotto::framing {

// One direction of one connection, sending.
class Segmenter {
  public:
    // A new connection: the counter is at 0 and no frame under way.
    // Precondition: kValueSizeDefault <= value_size <= kValueSizeMax.
    explicit Segmenter(std::size_t value_size = kValueSizeDefault);

    // The size of the values from the next one on. Precondition as above.
    void set_value_size(std::size_t value_size);
    std::size_t value_size() const { return value_size_; }

    // Takes a frame, which must stay where it is until is_idle(). Error::WrongState while another
    // one is under way, Error::InvalidArgument if it is empty, Error::TooLarge over kFrameSizeMax.
    Status begin(Bytes frame);
    bool is_idle() const { return rest_.empty(); }

    // The next value, at the front of `out`. Precondition: !is_idle(), out.size() >= value_size().
    Bytes next(MutBytes out);

  private:
    Bytes rest_;
    std::size_t value_size_;
    bool first_ = true;
    std::uint8_t counter_ = 0;
};

// One direction of one connection, receiving.
class Reassembler {
  public:
    // A new connection. Frames longer than the buffer are dropped.
    explicit Reassembler(MutBytes buffer) : buffer_(buffer) {}

    // The frame that this value completes, in the buffer until the next call; nothing if the frame
    // goes on or the value is dropped. Any bytes may be given.
    std::optional<Bytes> receive(Bytes value);

    // What there is of a frame that the latest value made too long for the buffer: its front.
    Bytes too_long() const { return buffer_.first(too_long_); }

    // Forgets a frame under way, as for a new connection.
    void reset();
    // How many partial frames and values were dropped.
    std::uint32_t dropped() const { return dropped_; }

  private:
    std::optional<Bytes> drop();

    MutBytes buffer_;
    std::size_t size_ = 0;
    std::size_t too_long_ = 0;
    bool collecting_ = false;
    std::uint8_t expected_ = 0;
    std::uint32_t dropped_ = 0;
};

}  // namespace sotto::framing
