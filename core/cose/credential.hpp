// SPDX-License-Identifier: Apache-2.0
// A credential: a CWT Claims Set with a P-256 key in it (CCS; RFC 8392, RFC 8747 §3.2, RFC 9528
// §3.5.2). No allocation; owns its bytes, which are never re-encoded.
#pragma once

#include <array>

#include "core/base/result.hpp"
#include "core/crypto/dh.hpp"
#include "core/crypto/hash.hpp"

namespace sotto::cose {

inline constexpr std::size_t kCredentialSizeMax = 192;
inline constexpr std::size_t kSubjectSizeMax = 96;  // of credentials that we create
inline constexpr std::size_t kHashKidSize = 8;

class Credential {
  public:
    Credential() = default;  // nobody's, with no key that could be used: room for parse()
    // From a CCS of anybody's making: definite lengths, no claim or key parameter twice.
    // Error::Malformed or Truncated if it is not one or its point is not on the curve,
    // Error::TooLarge over kCredentialSizeMax, Error::Unsupported if its key is not on P-256.
    static Result<Credential> parse(Bytes ccs) {
        Credential credential;
        SOTTO_TRY(parse(ccs, credential));
        return credential;
    }
    // The same, in place; after an error it is void.
    static Status parse(Bytes ccs, Credential& credential);

    // Our own kind, in deterministic CBOR: {2: subject, 8: {1: {1: 2, -1: 1, -2: x, -3: y}}}.
    // Error::InvalidArgument if the subject is empty or over kSubjectSizeMax or not UTF-8.
    static Result<Credential> create(std::string_view subject,
                                     const crypto::DhPublicKey& public_key);

    // The CCS, exactly as it was given: CRED_x of EDHOC.
    Bytes bytes() const { return Bytes{bytes_}.first(size_); }
    // SHA-256 of bytes(): what is stored and authorised.
    const crypto::Hash& hash() const { return hash_; }
    // `sub`; empty if the CCS has none.
    std::string_view subject() const { return as_text(view(subject_)); }
    // If the CCS gives no y, or only its sign, y is the even one: the shared secret is the same.
    const crypto::DhPublicKey& public_key() const { return public_key_; }
    // The kid of the COSE_Key, or the first kHashKidSize bytes of hash() if it has none.
    // It selects candidates and authorises nothing.
    Bytes kid() const;
    bool has_own_kid() const { return has_kid_; }

    // The same CCS, byte for byte.
    friend bool operator==(const Credential& a, const Credential& b) { return a.hash_ == b.hash_; }

  private:
    struct Part {
        std::uint8_t begin = 0;
        std::uint8_t size = 0;
    };
    friend class CredentialParser;

    Bytes view(Part part) const { return Bytes{bytes_}.subspan(part.begin, part.size); }

    std::uint8_t size_ = 0;
    bool has_kid_ = false;
    Part subject_;
    Part kid_;
    crypto::Hash hash_{};
    crypto::DhPublicKey public_key_;
    std::array<std::uint8_t, kCredentialSizeMax> bytes_{};
};
static_assert(kCredentialSizeMax <= 255);

}  // namespace sotto::cose
