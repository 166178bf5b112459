// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/hash.hpp"

#include <memory>
#include <new>

#include <bearssl.h>

namespace sotto::crypto {
namespace {

using Native = br_sha256_context;
static_assert(sizeof(Native) <= Sha256::kContextSize);
static_assert(alignof(Native) <= 8);

Native* native(std::uint8_t* context) { return std::launder(reinterpret_cast<Native*>(context)); }

}  // namespace

Sha256::Sha256() { br_sha256_init(std::construct_at(reinterpret_cast<Native*>(context_.data()))); }

Sha256::~Sha256() { wipe(context_); }

void Sha256::update(Bytes data) {
    br_sha256_update(native(context_.data()), data.data(), data.size());
}

void Sha256::finish(MutBytesN<kHashSize> hash) {
    br_sha256_out(native(context_.data()), hash.data());
}

}  // namespace sotto::crypto
