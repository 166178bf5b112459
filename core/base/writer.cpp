// SPDX-License-Identifier: Apache-2.0
#include "core/base/writer.hpp"

namespace sotto {

MutBytes Writer::reserve(std::size_t size) {
    if (overflowed_ || size > out_.size() - size_) {
        overflowed_ = true;
        return {};
    }
    const MutBytes place = out_.subspan(size_, size);
    size_ += size;
    return place;
}

Writer& Writer::uint_be(std::uint64_t value, std::size_t size) {
    SOTTO_ASSERT(size <= sizeof(value));
    const MutBytes place = reserve(size);
    for (std::size_t i = place.size(); i > 0; --i) {
        place[i - 1] = static_cast<std::uint8_t>(value);
        value >>= 8;
    }
    return *this;
}

Writer& Writer::short_uint_be(std::uint32_t value, std::size_t size) {
    const MutBytes place = reserve(size);
    for (std::size_t i = place.size(); i > 0; --i) {
        place[i - 1] = static_cast<std::uint8_t>(value);
        value >>= 8;
    }
    return *this;
}

Writer& Writer::u8(std::uint8_t value) { return short_uint_be(value, 1); }
Writer& Writer::u16_be(std::uint16_t value) { return short_uint_be(value, 2); }
Writer& Writer::u32_be(std::uint32_t value) { return short_uint_be(value, 4); }
Writer& Writer::u64_be(std::uint64_t value) { return uint_be(value, 8); }

Writer& Writer::bytes(Bytes bytes) {
    const MutBytes place = reserve(bytes.size());
    if (!overflowed_) std::copy(bytes.begin(), bytes.end(), place.begin());
    return *this;
}

Bytes Writer::written() const { return overflowed_ ? Bytes{} : Bytes{out_.first(size_)}; }

Result<Bytes> Writer::finish() const {
    if (overflowed_) return Error::NoSpace;
    return Bytes{out_.first(size_)};
}

}  // namespace sotto
