// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/frames.hpp"

#include "core/base/assert.hpp"

namespace sotto::cloud::particle {

namespace {

Iv first_iv(const Credentials& credentials) {
    Iv iv{};
    std::copy_n(credentials.expose().begin() + AesKey::kSize, iv.size(), iv.begin());
    return iv;
}

}  // namespace

FrameWriter::FrameWriter(const Credentials& credentials) : iv_(first_iv(credentials)) {}

void FrameWriter::write(Cipher& cipher,
                        const AesKey& key,
                        Bytes message,
                        std::vector<std::uint8_t>& out) {
    const std::size_t padding = kBlockSize - message.size() % kBlockSize;
    const std::size_t size = message.size() + padding;
    SOTTO_ASSERT(size <= kFrameSizeMax);
    Plaintext scratch;
    const MutBytes plain = scratch.first(size);
    std::copy(message.begin(), message.end(), plain.begin());
    std::fill_n(plain.end() - static_cast<std::ptrdiff_t>(padding),
                padding,
                static_cast<std::uint8_t>(padding));
    const std::size_t place = out.size();
    out.resize(place + 2 + size);
    out[place] = static_cast<std::uint8_t>(size >> 8U);
    out[place + 1] = static_cast<std::uint8_t>(size);
    const MutBytes sealed = MutBytes{out}.subspan(place + 2);
    cipher.encrypt(key, iv_, plain, sealed);
    std::copy_n(sealed.begin(), iv_.size(), iv_.begin());
}

FrameReader::FrameReader(const Credentials& credentials) : iv_(first_iv(credentials)) {}

Bytes FrameReader::begin(Bytes received) {
    if (part_.empty()) return received;
    part_.insert(part_.end(), received.begin(), received.end());
    return part_;
}

Result<std::size_t> FrameReader::size_of_first(Bytes rest) {
    if (rest.size() < 2) return std::size_t{0};
    const std::size_t size = static_cast<std::size_t>(rest[0]) << 8U | rest[1];
    if (size > kFrameSizeMax) return Error::TooLarge;
    if (size == 0 || size % kBlockSize != 0) return Error::Unauthenticated;
    return rest.size() - 2 < size ? std::size_t{0} : size;
}

Result<Bytes> FrameReader::open(Cipher& cipher, const AesKey& key, Bytes frame, MutBytes out) {
    cipher.decrypt(key, iv_, frame, out);
    std::copy_n(frame.begin(), iv_.size(), iv_.begin());
    const std::size_t padding = out.back();
    if (padding == 0 || padding > kBlockSize) return Error::Unauthenticated;
    const Bytes tail = out.last(padding);
    if (!std::all_of(tail.begin(), tail.end(), [&](auto byte) { return byte == padding; }))
        return Error::Unauthenticated;
    return Bytes{out}.first(out.size() - padding);
}

// Without the room of the largest frame: most sessions are silent most of the time.
void FrameReader::keep(Bytes rest) {
    if (rest.empty() && part_.empty()) return;
    part_ = std::vector<std::uint8_t>(rest.begin(), rest.end());
}

}  // namespace sotto::cloud::particle
