// SPDX-License-Identifier: Apache-2.0
// The low-level SHA256_* functions are marked deprecated since OpenSSL 3.0 and used all the same:
// they run the same assembly and live in the caller's object. EVP_MD_CTX lives on the heap; a hash
// of 64 bytes takes 2.3 times as long with it, 1.6 times with one context kept and reset.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "core/crypto/hash.hpp"

#include <memory>
#include <new>

#include <openssl/sha.h>

#include "core/base/assert.hpp"

namespace sotto::crypto {
namespace {

using Native = SHA256_CTX;
static_assert(sizeof(Native) <= Sha256::kContextSize);
static_assert(alignof(Native) <= 8);

Native* native(std::uint8_t* context) { return std::launder(reinterpret_cast<Native*>(context)); }

}  // namespace

Sha256::Sha256() { SHA256_Init(std::construct_at(reinterpret_cast<Native*>(context_.data()))); }

Sha256::~Sha256() { wipe(context_); }

void Sha256::update(Bytes data) {
    SHA256_Update(native(context_.data()), data.data(), data.size());
}

void Sha256::finish(MutBytesN<kHashSize> hash) {
    SHA256_Final(hash.data(), native(context_.data()));
}

}  // namespace sotto::crypto
