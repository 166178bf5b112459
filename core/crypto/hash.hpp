// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4), a facade: a port defines class Sha256. HMAC (RFC 2104) over it.
// No allocation; the context lives in the object. Nothing here can fail.
#pragma once

#include <array>

#include "core/base/bytes.hpp"
#include "core/base/secret.hpp"

namespace sotto::crypto {

inline constexpr std::size_t kHashSize = 32;
using Hash = std::array<std::uint8_t, kHashSize>;

// An incremental SHA-256. After finish() only destruction is allowed.
class Sha256 {
  public:
    static constexpr std::size_t kContextSize = 128;  // a port asserts that its context fits

    Sha256();
    ~Sha256();  // wipes
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;
    void update(Bytes data);
    void finish(MutBytesN<kHashSize> hash);
    Hash finish() {
        Hash hash;
        finish(hash);
        return hash;
    }

  private:
    alignas(8) std::array<std::uint8_t, kContextSize> context_;
};

// A byte string in pieces.
using Pieces = std::span<const Bytes>;

// SHA-256 of some bytes, or of all arguments behind each other.
Hash sha256(Bytes data);
Hash sha256(Pieces pieces);
template <class... Parts>
    requires(sizeof...(Parts) > 1)
Hash sha256(const Parts&... parts) {
    return sha256(Pieces{std::array{Bytes{parts}...}});
}

// HMAC-SHA-256 of a message under a key of any size.
Hash hmac_sha256(Bytes key, Bytes message);

// An incremental HMAC-SHA-256. After finish() only destruction is allowed.
class HmacSha256 {
  public:
    explicit HmacSha256(Bytes key);
    void update(Bytes data) { inner_.update(data); }
    void finish(MutBytesN<kHashSize> hash);
    Hash finish() {
        Hash hash;
        finish(hash);
        return hash;
    }

  private:
    Sha256 inner_;  // has taken key ^ ipad
    Sha256 outer_;  // has taken key ^ opad
};

}  // namespace sotto::crypto
