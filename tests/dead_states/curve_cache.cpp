// SPDX-License-Identifier: Apache-2.0
// Remembers what the curve gave: the same seeds bring the same keys in a million sequences. The
// first time it is the real curve of the port. -Wl,--wrap in CMakeLists.txt puts this before it.
#include <string>
#include <unordered_map>

#include "core/crypto/dh.hpp"

namespace sotto::crypto {

#define SOTTO_DH_PUBLIC "_ZN5sotto6crypto9dh_publicERKNS_6SecretILm32ENS0_15DhPrivateKeyTagEEE"
#define SOTTO_DH_AGREE                                                                         \
    "_ZN5sotto6crypto8dh_agreeERKNS_6SecretILm32ENS0_15DhPrivateKeyTagEEERKNS0_11DhPublicKeyE" \
    "RNS1_ILm32ENS0_11DhSecretTagEEE"
#define SOTTO_DH_IMPORT_X "_ZN5sotto6crypto11dh_import_xESt4spanIKhLm32EERNS0_11DhPublicKeyE"
DhPublicKey real_public(const DhPrivateKey&) asm("__real_" SOTTO_DH_PUBLIC);
DhPublicKey kept_public(const DhPrivateKey&) asm("__wrap_" SOTTO_DH_PUBLIC);
Status real_agree(const DhPrivateKey&, const DhPublicKey&, DhSecret&) asm("__real_" SOTTO_DH_AGREE);
Status kept_agree(const DhPrivateKey&, const DhPublicKey&, DhSecret&) asm("__wrap_" SOTTO_DH_AGREE);
Status real_import_x(BytesN<kDhSize>, DhPublicKey&) asm("__real_" SOTTO_DH_IMPORT_X);
Status kept_import_x(BytesN<kDhSize>, DhPublicKey&) asm("__wrap_" SOTTO_DH_IMPORT_X);

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

Status kept_agree(const DhPrivateKey& key, const DhPublicKey& peer, DhSecret& secret) {
    thread_local Cache<Result<DhSecret>> cache;
    const auto make = [&]() -> Result<DhSecret> {
        DhSecret made;
        SOTTO_TRY(real_agree(key, peer, made));
        return made;
    };
    const Result<DhSecret>& kept = cache.get(text_of(key.expose()) + text_of(peer.x), make);
    if (!kept) return kept.error();
    secret = kept->clone();
    return {};
}

Status kept_import_x(BytesN<kDhSize> x, DhPublicKey& point) {
    thread_local Cache<Result<DhPublicKey>> cache;
    const auto make = [&]() -> Result<DhPublicKey> {
        DhPublicKey made;
        SOTTO_TRY(real_import_x(x, made));
        return made;
    };
    const Result<DhPublicKey>& kept = cache.get(text_of(x), make);
    if (!kept) return kept.error();
    point = *kept;
    return {};
}

}  // namespace sotto::crypto
