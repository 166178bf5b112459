// SPDX-License-Identifier: Apache-2.0
#include "air/bluz/packets.hpp"

#include <utility>

#include "core/base/assert.hpp"

namespace sotto::air::bluz {

namespace {

constexpr std::uint8_t kEndOfStream[] = {0x03, 0x04};

bool begins_as_end(Bytes bytes) {
    return bytes.size() >= 2 && bytes[0] == kEndOfStream[0] && bytes[1] == kEndOfStream[1];
}

}  // namespace

// [BLZ-2]: only a value of exactly two bytes is the end of stream.
Result<std::optional<Bytes>> Assembler::receive(Bytes value) {
    if (value.empty() || value.size() > kValueSizeMax) return Error::Malformed;
    if (value.size() == 2 && begins_as_end(value)) {
        const std::size_t size = std::exchange(size_, 0);
        if (std::exchange(overflowed_, false)) return Error::TooLarge;
        return std::optional{Bytes{frame_}.first(size)};
    }
    overflowed_ = overflowed_ || value.size() > kFrameSizeMax - size_;
    if (overflowed_) return std::optional<Bytes>{};
    std::copy(value.begin(), value.end(), frame_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += value.size();
    return std::optional<Bytes>{};
}

void Packetizer::begin(Bytes header, Bytes payload) {
    SOTTO_ASSERT(is_idle() && header.size() + payload.size() <= kFrameSizeMax);
    SOTTO_ASSERT(header.size() + payload.size() > 0);
    const auto middle = std::copy(header.begin(), header.end(), frame_.begin());
    std::copy(payload.begin(), payload.end(), middle);
    size_ = header.size() + payload.size();
    at_ = 0;
    must_end_ = true;
}

Bytes Packetizer::next() {
    SOTTO_ASSERT(!is_idle());
    if (at_ == size_) {
        must_end_ = false;
        return kEndOfStream;
    }
    std::size_t size = std::min(kValueSizeMax, rest().size());
    // [BLZ-3]: the cut moves where the next value would pass for the end.
    if (begins_as_end(rest().subspan(size))) --size;
    const Bytes value = rest().first(size);
    at_ += size;
    return value;
}

}  // namespace sotto::air::bluz
