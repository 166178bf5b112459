// SPDX-License-Identifier: Apache-2.0
#include "core/framing/segment.hpp"

#include <algorithm>

namespace sotto::framing {

namespace {

constexpr std::uint8_t kFirst = 0x80;
constexpr std::uint8_t kLast = 0x40;
constexpr std::uint8_t kCounterMask = 0x3f;

std::uint8_t after(std::uint8_t counter) {
    return static_cast<std::uint8_t>((counter + 1U) & kCounterMask);
}

}  // namespace

Segmenter::Segmenter(std::size_t value_size) : value_size_(value_size) {
    set_value_size(value_size);
}

void Segmenter::set_value_size(std::size_t value_size) {
    SOTTO_ASSERT(value_size >= kValueSizeDefault && value_size <= kValueSizeMax);
    value_size_ = value_size;
}

Status Segmenter::begin(Bytes frame) {
    if (!is_idle()) return Error::WrongState;
    if (frame.empty()) return Error::InvalidArgument;
    if (frame.size() > kFrameSizeMax) return Error::TooLarge;
    rest_ = frame;
    first_ = true;
    return {};
}

Bytes Segmenter::next(MutBytes out) {
    SOTTO_ASSERT(!is_idle() && out.size() >= value_size_);
    const std::size_t size = std::min(rest_.size(), value_size_ - kSegmentHeaderSize);
    unsigned header = counter_;
    if (first_) header |= kFirst;
    if (size == rest_.size()) header |= kLast;
    out[0] = static_cast<std::uint8_t>(header);
    std::copy_n(rest_.begin(), size, out.begin() + kSegmentHeaderSize);
    rest_ = rest_.subspan(size);
    first_ = false;
    counter_ = after(counter_);
    return out.first(kSegmentHeaderSize + size);
}

std::optional<Bytes> Reassembler::receive(Bytes value) {
    too_long_ = 0;
    if (value.size() <= kSegmentHeaderSize) return drop();
    const std::uint8_t header = value[0];
    const Bytes part = value.subspan(kSegmentHeaderSize);
    const std::uint8_t counter = header & kCounterMask;
    if ((header & kFirst) != 0) {
        if (collecting_) drop();  // [AIR-6]: the frame under way has lost its end
        collecting_ = true;
        size_ = 0;
    } else if (!collecting_ || counter != expected_) {
        return drop();  // [AIR-6]
    }
    if (part.size() > buffer_.size() - size_) {
        too_long_ = size_;
        return drop();
    }
    std::copy(part.begin(), part.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += part.size();
    expected_ = after(counter);
    if ((header & kLast) == 0) return std::nullopt;
    collecting_ = false;
    return Bytes{buffer_.first(size_)};
}

void Reassembler::reset() {
    collecting_ = false;
    size_ = 0;
}

std::optional<Bytes> Reassembler::drop() {
    reset();
    ++dropped_;
    return std::nullopt;
}

}  // namespace sotto::framing
