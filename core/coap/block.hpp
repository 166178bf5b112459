// SPDX-License-Identifier: Apache-2.0
// Bodies in blocks (RFC 7959): which block is sent next, whether one that comes fits, and which
// part of a body a block shows. Sans-I/O: the state of a transfer and nothing else. No allocation;
// borrows the room that it fills.
#pragma once

#include "core/coap/message.hpp"

namespace sotto::coap {

// RFC 7959 §2.2: a number has 20 bits; what is larger than our own limits is far below.
inline constexpr std::uint8_t kBlockExponentMax = 6;

// The exponent of the largest block that has at most this size. Precondition: size >= 16.
std::uint8_t block_exponent(std::size_t size);

// Block1 or Block2, if it is there. Error::Malformed.
Status find_block(const Options& options, OptionNumber number, std::optional<Block>& block);
Result<std::optional<Block>> find_block(const Options& options, OptionNumber number);

// The block of this exponent that begins at `offset`, of a body of `size` bytes.
// Precondition: offset is a multiple of the block's size.
Block block_at(std::size_t offset, std::size_t size, std::uint8_t exponent);

// A body that comes in blocks, each after the one before.
class IncomingBody {
  public:
    IncomingBody() = default;
    // `room` is borrowed.
    explicit IncomingBody(MutBytes room) : room_(room) {}

    // Whether append() may follow. Error::AlreadyExists: it is the block that came last;
    // Error::WrongState: another one is missing in between; Error::Malformed: its size does not go
    // with its option; Error::TooLarge: there is no room for it.
    Status check(const Block& block, Bytes payload) const;
    // Precondition: check() has said so.
    void append(const Block& block, Bytes payload);
    // So much of the room is the body from now on. Precondition: it is not more than all of it.
    void resize(std::size_t size);

    std::size_t size() const { return size_; }
    Bytes view() const { return room_.first(size_); }
    MutBytes room() const { return room_; }
    bool empty() const { return size_ == 0; }
    // Block by block from the front again.
    void clear() { size_ = last_ = 0; }

  private:
    MutBytes room_;
    std::uint32_t size_ = 0;
    std::uint32_t last_ = 0;  // where the last block began
};

// A body that goes out in blocks, each when the one before has been taken.
class OutgoingBody {
  public:
    OutgoingBody() = default;
    OutgoingBody(std::size_t size, std::uint8_t exponent) : size_(size), exponent_(exponent) {}

    // More than one block.
    bool is_divided() const { return size_ > block_size(); }
    // The block whose turn it is, and the part of the body that it carries.
    Block block() const { return block_at(offset_, size_, exponent_); }
    std::size_t offset() const { return offset_; }
    std::size_t part_size() const { return std::min(block_size(), size_ - offset_); }
    std::size_t size() const { return size_; }

    // 2.31 Continue with this Block1 came. Error::WrongState if it speaks of another block.
    // RFC 7959 §2.3: "the client SHOULD use this block size or a smaller one" from then on.
    Status on_continue(const Block& answer);
    // Begins again, in blocks of that size if it is smaller. False: it is not.
    bool shrink(std::uint8_t exponent);
    void restart() { offset_ = 0; }
    std::uint8_t exponent() const { return exponent_; }

  private:
    std::size_t block_size() const { return std::size_t{16} << exponent_; }

    std::size_t size_ = 0;
    std::size_t offset_ = 0;
    std::uint8_t exponent_ = kBlockExponentMax;
};

}  // namespace sotto::coap
