// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/hkdf.hpp"

namespace sotto::crypto {

void hkdf_extract(Bytes salt, Bytes ikm, Prk& prk) {
    HmacSha256 mac{salt};  // an empty key is padded with zeros, as the RFC asks
    mac.update(ikm);
    mac.finish(prk.fill());
}

Prk hkdf_extract(Bytes salt, Bytes ikm) {
    Prk prk;
    hkdf_extract(salt, ikm, prk);
    return prk;
}

Status hkdf_expand(const Prk& prk, Bytes info, MutBytes out) {
    if (out.size() > kHkdfSizeMax) return Error::TooLarge;
    std::ranges::fill(out, std::uint8_t{0});
    hkdf_expand_xor(prk, Pieces{&info, 1}, out);
    return {};
}

void hkdf_expand_xor(const Prk& prk, Pieces info, MutBytes data) {
    SOTTO_ASSERT(data.size() <= kHkdfSizeMax);
    Scratch<kHashSize> block;
    for (std::uint8_t counter = 1; !data.empty(); ++counter) {
        HmacSha256 mac{prk.expose()};
        if (counter > 1) mac.update(block.bytes());  // T(0) is empty
        for (const Bytes piece : info) mac.update(piece);
        mac.update(Bytes{&counter, 1});
        mac.finish(block.bytes());
        const std::size_t count = std::min(data.size(), kHashSize);
        for (std::size_t i = 0; i < count; ++i)
            data[i] = static_cast<std::uint8_t>(data[i] ^ block.bytes()[i]);
        data = data.subspan(count);
    }
}

}  // namespace sotto::crypto
