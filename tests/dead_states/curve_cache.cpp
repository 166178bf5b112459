// SPDX-License-Identifier: Apache-2.0
// Remembers what the curve gave: the same seeds bring the same keys in a million sequences. The
// first time it is the real curve of the port. -Wl,--wrap in CMakeLists.txt puts this before it.
#include <string>
#include <unordered_map>

#include "core/crypto/dh.hpp"

namespace sotto::crypto {

#define SOTTO_DH_PUBLIC "_ZN5sotto6crypto9dh_publicERKNS_6SecretILm32ENS0_15DhPrivateKeyTagEEE"
#define SOTTO_DH_AGREE \
    "_ZN5sotto6crypto8dh_agreeERKNS_6SecretILm32ENS0_15DhPrivateKeyTagEEERKNS0_11DhPublicKeyE"
#define SOTTO_DH_IMPORT_X "_ZN5sotto6crypto11dh_import_xESt4spanIKhLm32EE"
DhPublicKey real_public(const DhPrivateKey&) asm("__real_" SOTTO_DH_PUBLIC);
DhPublicKey kept_public(const DhPrivateKey&) asm("__wrap_" SOTTO_DH_PUBLIC);
Result<DhSecret> real_agree(const DhPrivateKey&, const DhPublicKey&) asm("__real_" SOTTO_DH_AGREE);
Result<DhSecret> kept_agree(const DhPrivateKey&, const DhPublicKey&) asm("__wrap_" SOTTO_DH_AGREE);
Result<DhPublicKey> real_import_x(BytesN<kDhSize>) asm("__real_" SOTTO_DH_IMPORT_X);
Result<DhPublicKey> kept_import_x(BytesN<kDhSize>) asm("__wrap_" SOTTO_DH_IMPORT_X);

namespace {

constexpr std::size_t kKeptMax = 1 << 17;  // of each kind, in each thread

std::string text_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

template <class Value>
class Cache {
  public:
    template <class Make>
    const Value& get(const std::string& key, Make make) {
        if (const auto found = values_.find(key); found != values_.end()) return found->second;
        if (values_.size() >= kKeptMax) values_.clear();
        return values_.emplace(key, make()).first->second;
    }

  private:
    std::unordered_map<std::string, Value> values_;
};

}  // namespace

DhPublicKey kept_public(const DhPrivateKey& key) {
    thread_local Cache<DhPublicKey> cache;
    return cache.get(text_of(key.expose()), [&] { return real_public(key); });
}

Result<DhSecret> kept_agree(const DhPrivateKey& key, const DhPublicKey& peer) {
    thread_local Cache<Result<DhSecret>> cache;
    const Result<DhSecret>& kept =
        cache.get(text_of(key.expose()) + text_of(peer.x), [&] { return real_agree(key, peer); });
    if (!kept) return kept.error();
    return kept->clone();
}

Result<DhPublicKey> kept_import_x(BytesN<kDhSize> x) {
    thread_local Cache<Result<DhPublicKey>> cache;
    return cache.get(text_of(x), [&] { return real_import_x(x); });
}

}  // namespace sotto::crypto
