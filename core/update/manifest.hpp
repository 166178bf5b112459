// SPDX-License-Identifier: Apache-2.0
// The manifest of a firmware (docs/formats/update.md): for which hardware it is, which version, and
// what its images are, signed by its publisher as COSE_Sign1 with ES256 (RFC 9052 §4.2, RFC 9053
// §2.1). No allocation; views into the caller's bytes.
#pragma once

#include <string_view>

#include "core/crypto/signature.hpp"
#include "core/update/limits.hpp"

namespace sotto::update {

inline constexpr std::size_t kImageCount = 2;  // one for each slot
inline constexpr std::size_t kImageAlignment = 4;

struct Image {
    std::uint32_t size = 0;  // a multiple of kImageAlignment
    crypto::Hash hash{};     // SHA-256
    friend bool operator==(const Image&, const Image&) = default;
};

struct Manifest {
    std::string_view hardware;  // 1 to kHardwareSizeMax visible ASCII characters
    std::uint32_t version = 0;  // rises with every firmware; never 0
    std::array<Image, kImageCount> images{};
    friend bool operator==(const Manifest&, const Manifest&) = default;
};

// What a publisher signs. Error::InvalidArgument if the manifest breaks a rule above; NoSpace.
Result<Bytes> encode_manifest(const Manifest& manifest, MutBytes out);
// The hash that is signed: of the Sig_structure with this payload.
crypto::Hash hash_to_sign(Bytes manifest);
// Both together. Error::NoSpace.
Result<Bytes> encode_signed(Bytes manifest, const crypto::Signature& signature, MutBytes out);

// Error::Malformed, Truncated; Error::Unauthenticated: it was not signed with this key;
// Error::Unsupported: another format of ours, or another algorithm; Error::TooLarge.
Result<Manifest> open_manifest(Bytes signed_manifest, const crypto::DhPublicKey& publisher);
// The same without looking at the signature: for programs that only show or carry it.
Result<Manifest> parse_manifest(Bytes signed_manifest);

}  // namespace sotto::update
