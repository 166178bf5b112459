// SPDX-License-Identifier: Apache-2.0
#include "app/client/uart_transfer.hpp"

#include <algorithm>
#include <utility>

#include "core/base/assert.hpp"

namespace sotto::app {

namespace {

constexpr std::size_t kDigitsMax = 9;

}  // namespace

UartTransfer::UartTransfer(Item item, Bytes content, Instant now) : content_(content) {
    SOTTO_ASSERT(!content.empty() && content.size() <= 0xffff'ffffU);
    head_[0] = static_cast<std::uint8_t>(item);
    for (std::size_t i = 0; i < 4; ++i)
        head_[1 + i] = static_cast<std::uint8_t>(content.size() >> (8 * (3 - i)));
    unwritten_ = head_;
    until_ = now + kUartEraseTime;
}

std::optional<Bytes> UartTransfer::next_bytes() {
    if (unwritten_.empty()) return std::nullopt;
    return std::exchange(unwritten_, Bytes{});
}

void UartTransfer::receive(Bytes bytes, Instant now) {
    for (const std::uint8_t byte : bytes) {
        if (is_over()) return;
        if (byte == '\n') {
            on_line(now);
            number_ = digit_count_ = 0;
            is_number_ = true;
        } else if (byte >= '0' && byte <= '9' && digit_count_ < kDigitsMax) {
            number_ = 10 * number_ + (byte - '0');
            ++digit_count_;
        } else if (byte != '\r') {
            is_number_ = false;
        }
    }
}

// What is no number is for people.
void UartTransfer::on_line(Instant now) {
    if (!is_number_ || digit_count_ == 0) return;
    const std::size_t expected = state_ == State::Erasing ? content_.size() : block_size_;
    if (number_ != expected) {
        state_ = State::Strange;
        return;
    }
    if (state_ == State::Sending) taken_ += block_size_;
    if (taken_ == content_.size()) {
        state_ = State::Done;
    } else {
        send_block(now);
    }
}

void UartTransfer::send_block(Instant now) {
    state_ = State::Sending;
    block_size_ = std::min(content_.size() - taken_, kUartBlockSize);
    unwritten_ = content_.subspan(taken_, block_size_);
    until_ = now + kUartBlockTime;
}

void UartTransfer::on_time(Instant now) {
    if (!is_over() && now >= until_) state_ = State::Silent;
}

}  // namespace sotto::app
