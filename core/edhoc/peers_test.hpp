// SPDX-License-Identifier: Apache-2.0
// What the tests of EDHOC share: identities and ephemeral keys from numbers.
#pragma once

#include <string>
#include <vector>

#include "core/crypto/hash.hpp"
#include "core/edhoc/initiator.hpp"
#include "core/edhoc/responder.hpp"
#include "testing/vectors.hpp"

namespace sotto::edhoc {

inline std::string hex(Bytes bytes) { return testing::to_hex({bytes.begin(), bytes.end()}); }

inline crypto::DhPrivateKey private_key(const std::vector<std::uint8_t>& bytes) {
    auto key = crypto::dh_private_from_candidate(BytesN<crypto::kDhSize>{bytes});
    SOTTO_ASSERT(key.has_value());
    return std::move(*key);
}

// Never the same key twice for different numbers, always the same for one.
inline crypto::DhPrivateKey private_key(std::uint8_t number) {
    const crypto::Hash hash = crypto::sha256(as_bytes("test key"), Bytes{&number, 1});
    return private_key({hash.begin(), hash.end()});
}

inline EphemeralKey ephemeral_key(std::uint8_t number) {
    return EphemeralKey::from(private_key(number));
}

inline ConnectionId connection_id(Bytes bytes) { return *ConnectionId::from(bytes); }

struct Party {
    Party(std::string_view subject, std::uint8_t number)
        : key(private_key(number)),
          credential(*cose::Credential::create(subject, crypto::dh_public(key))) {}

    Identity identity() const { return {credential, key}; }

    crypto::DhPrivateKey key;
    cose::Credential credential;
};

}  // namespace sotto::edhoc
