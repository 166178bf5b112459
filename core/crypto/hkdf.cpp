// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/hkdf.hpp"

namespace sotto::crypto {

Prk hkdf_extract(Bytes salt, Bytes ikm) {
    HmacSha256 mac{salt};  // an empty key is padded with zeros, as the RFC asks
    mac.update(ikm);
    Hash hash = mac.finish();
    Prk prk{hash};
    wipe(hash);
    return prk;
}

Status hkdf_expand(const Prk& prk, Bytes info, MutBytes out) {
    if (out.size() > 255 * kHashSize) return Error::TooLarge;
    Scratch<kHashSize> block;
    Bytes previous;  // T(0) is empty
    for (std::uint8_t counter = 1; !out.empty(); ++counter) {
        HmacSha256 mac{prk.expose()};
        mac.update(previous);
        mac.update(info);
        mac.update(Bytes{&counter, 1});
        Hash hash = mac.finish();
        std::copy(hash.begin(), hash.end(), block.bytes().begin());
        wipe(hash);
        previous = block.bytes();
        const std::size_t count = std::min(out.size(), kHashSize);
        std::copy_n(block.bytes().begin(), count, out.begin());
        out = out.subspan(count);
    }
    return {};
}

}  // namespace sotto::crypto
