// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/hash.hpp"

namespace sotto::crypto {
namespace {

constexpr std::size_t kBlockSize = 64;  // of SHA-256

void apply_pad(MutBytesN<kBlockSize> block, std::uint8_t pad) {
    for (std::uint8_t& byte : block) byte = static_cast<std::uint8_t>(byte ^ pad);
}

}  // namespace

Hash sha256(Bytes data) { return sha256(Pieces{&data, 1}); }

Hash sha256(Pieces pieces) {
    Sha256 hash;
    for (const Bytes piece : pieces) hash.update(piece);
    return hash.finish();
}

// RFC 2104 §2: H(K XOR opad, H(K XOR ipad, text)); a longer key is hashed first.
HmacSha256::HmacSha256(Bytes key) {
    constexpr std::uint8_t kInnerPad = 0x36;
    constexpr std::uint8_t kOuterPad = 0x5c;
    Scratch<kBlockSize> block;
    if (key.size() > kBlockSize) {
        Sha256 hash;
        hash.update(key);
        hash.finish(block.bytes().first<kHashSize>());
    } else {
        std::copy(key.begin(), key.end(), block.bytes().begin());
    }
    apply_pad(block.bytes(), kInnerPad);
    inner_.update(block.bytes());
    apply_pad(block.bytes(), kInnerPad ^ kOuterPad);
    outer_.update(block.bytes());
}

void HmacSha256::finish(MutBytesN<kHashSize> hash) {
    inner_.finish(hash);
    outer_.update(hash);
    outer_.finish(hash);
}

Hash hmac_sha256(Bytes key, Bytes message) {
    HmacSha256 mac{key};
    mac.update(message);
    return mac.finish();
}

}  // namespace sotto::crypto
