// SPDX-License-Identifier: Apache-2.0
// Signing with ECDSA on P-256, for programs that sign (a firmware's publisher). Allocates.
#pragma once

#include <string>

#include "core/crypto/signature.hpp"
#include "ports/openssl/key_file.hpp"

namespace sotto::ports {

// Signs the message with this hash.
crypto::Signature sign(const crypto::DhPrivateKey& key, const crypto::Hash& hash);

// A public key on P-256 in a PEM file ("PUBLIC KEY"), or that of the private key in it.
// KeyFileError::NotAKey: it holds neither.
Result<crypto::DhPublicKey, KeyFileError> parse_public_key(Bytes content);

}  // namespace sotto::ports
