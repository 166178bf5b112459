// SPDX-License-Identifier: Apache-2.0
#include "device/particle/channel.hpp"

#include "core/base/assert.hpp"

namespace sotto::device::particle {

namespace {

constexpr std::size_t padded_size(std::size_t size) {
    return size - size % kBlockSize + kBlockSize;
}

}  // namespace

Channel::Channel(const Credentials& credentials)
    : key_(credentials.expose().first<AesKey::kSize>()) {
    std::copy_n(credentials.expose().begin() + AesKey::kSize, kBlockSize, iv_in_.begin());
    iv_out_ = iv_in_;
}

void Channel::seal(Crypto& crypto, Bytes message, std::vector<std::uint8_t>& out) {
    SOTTO_ASSERT(message.size() <= kMessageSizeMax);
    const std::size_t size = padded_size(message.size());
    const std::size_t padding = size - message.size();
    Scratch<padded_size(kMessageSizeMax)> scratch;
    const MutBytes plain = scratch.bytes().first(size);
    std::copy(message.begin(), message.end(), plain.begin());
    for (std::uint8_t& byte : plain.last(padding)) byte = static_cast<std::uint8_t>(padding);
    const std::size_t place = out.size();
    out.resize(place + kSizeSize + size);
    out[place] = static_cast<std::uint8_t>(size >> 8U);
    out[place + 1] = static_cast<std::uint8_t>(size);
    const MutBytes sealed = MutBytes{out}.subspan(place + kSizeSize);
    crypto.encrypt(key_, iv_out_, plain, sealed);
    std::copy_n(sealed.begin(), iv_out_.size(), iv_out_.begin());
}

Result<std::size_t> Channel::size_of_next(Bytes bytes) {
    if (bytes.size() < kSizeSize) return std::size_t{0};
    const std::size_t size = static_cast<std::size_t>(bytes[0]) << 8U | bytes[1];
    if (size > kFrameSizeMax) return Error::TooLarge;
    if (size == 0 || size % kBlockSize != 0) return Error::Malformed;
    return size;
}

Result<Bytes> Channel::open(Crypto& crypto, Bytes frame, MutBytes out) {
    SOTTO_ASSERT(!frame.empty() && frame.size() == out.size());
    crypto.decrypt(key_, iv_in_, frame, out);
    std::copy_n(frame.begin(), iv_in_.size(), iv_in_.begin());
    const std::size_t padding = out.back();
    if (padding == 0 || padding > kBlockSize) return Error::Unauthenticated;
    for (const std::uint8_t byte : out.last(padding)) {
        if (byte != padding) return Error::Unauthenticated;
    }
    return Bytes{out}.first(out.size() - padding);
}

}  // namespace sotto::device::particle
