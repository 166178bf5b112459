// SPDX-License-Identifier: Apache-2.0
// How the boot program of a bluz board takes a key over its UART, while it is in setup mode: a
// letter and the size; it erases and says the size; then blocks, each of which it answers with its
// size. Nothing of it is authenticated: whoever holds the cable may do this.
//
// Sans-I/O: what is to be written is pulled with next_bytes() after each call. No allocation;
// borrows the content.
#pragma once

#include <array>
#include <optional>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace sotto::app {

inline constexpr std::size_t kUartBlockSize = 1'024;
inline constexpr Duration kUartEraseTime = seconds(15);
inline constexpr Duration kUartBlockTime = seconds(5);

class UartTransfer {
  public:
    enum class Item : std::uint8_t { DeviceKey = 'r', ServerKey = 'u' };
    enum class State : std::uint8_t {
        Erasing,
        Sending,
        Done,
        Silent,  // it does not answer in time
        Strange  // it answers, and not with what was sent: it may have taken a part of it
    };

    // `content` must live as long as this, and have 1 byte at least.
    UartTransfer(Item item, Bytes content, Instant now);

    State state() const { return state_; }
    bool is_over() const { return state_ != State::Erasing && state_ != State::Sending; }
    // Bytes that the board has said it has.
    std::size_t taken() const { return taken_; }

    // What is to be written now, each once; valid as long as this and the content.
    std::optional<Bytes> next_bytes();
    void receive(Bytes bytes, Instant now);
    void on_time(Instant now);
    Instant wake_at() const { return until_; }

  private:
    void on_line(Instant now);
    void send_block(Instant now);

    Bytes content_;
    std::array<std::uint8_t, 5> head_{};
    State state_ = State::Erasing;
    Bytes unwritten_;
    std::size_t taken_ = 0;
    std::size_t block_size_ = 0;
    Instant until_{};
    // The line that is coming: a number, or something that the board prints for people.
    std::size_t number_ = 0;
    std::size_t digit_count_ = 0;
    bool is_number_ = true;
};

}  // namespace sotto::app
