// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/aead.hpp"

#include <cstring>
#include <type_traits>

#include <bearssl.h>

#include "ports/bearssl/platform.hpp"

namespace sotto::crypto {
namespace {

using ports::bearssl::kIsCortexM0;
using AesKeys = std::conditional_t<kIsCortexM0, br_aes_big_ctrcbc_keys, br_aes_ct_ctrcbc_keys>;

[[maybe_unused]] void expand(br_aes_big_ctrcbc_keys& keys, const AeadKey& key) {
    br_aes_big_ctrcbc_init(&keys, key.expose().data(), key.kSize);
}
[[maybe_unused]] void expand(br_aes_ct_ctrcbc_keys& keys, const AeadKey& key) {
    br_aes_ct_ctrcbc_init(&keys, key.expose().data(), key.kSize);
}

// One message: the expanded key and the CCM state over it, wiped at the end.
class Message {
  public:
    Message(const AeadParameters& with, std::size_t size) {
        expand(keys_.value, with.key);
        br_ccm_init(&ccm_.value, &keys_.value.vtable);
        const int ready = br_ccm_reset(&ccm_.value,
                                       with.nonce.data(),
                                       with.nonce.size(),
                                       with.aad.size(),
                                       size,
                                       size_of(with.tag));
        SOTTO_ASSERT(ready == 1);  // the sizes were checked
        if (!with.aad.empty()) br_ccm_aad_inject(&ccm_.value, with.aad.data(), with.aad.size());
        br_ccm_flip(&ccm_.value);
    }
    void encrypt(MutBytes data) { run(1, data); }
    void decrypt(MutBytes data) { run(0, data); }
    void write_tag(std::uint8_t* out) { br_ccm_get_tag(&ccm_.value, out); }
    bool verifies(const std::uint8_t* tag) { return br_ccm_check_tag(&ccm_.value, tag) == 1; }

  private:
    void run(int encrypts, MutBytes data) {
        if (data.empty()) return;  // BearSSL would count on from a null pointer
        br_ccm_run(&ccm_.value, encrypts, data.data(), data.size());
    }

    ports::bearssl::Wiped<AesKeys> keys_;
    ports::bearssl::Wiped<br_ccm_context> ccm_;
};

}  // namespace

Status aead_seal(const AeadParameters& with, Bytes plaintext, MutBytes out) {
    if (plaintext.size() > kAeadPlaintextSizeMax) return Error::TooLarge;
    if (out.size() != plaintext.size() + size_of(with.tag)) return Error::InvalidArgument;
    if (!plaintext.empty()) std::memmove(out.data(), plaintext.data(), plaintext.size());
    Message message{with, plaintext.size()};
    message.encrypt(out.first(plaintext.size()));
    message.write_tag(out.data() + plaintext.size());
    return {};
}

Status aead_open(const AeadParameters& with, Bytes sealed, MutBytes out) {
    if (sealed.size() < size_of(with.tag)) return Error::Truncated;
    const Bytes ciphertext = sealed.first(sealed.size() - size_of(with.tag));
    if (ciphertext.size() > kAeadPlaintextSizeMax) return Error::TooLarge;
    if (out.size() != ciphertext.size()) return Error::InvalidArgument;
    if (!out.empty()) std::memmove(out.data(), ciphertext.data(), ciphertext.size());
    Message message{with, ciphertext.size()};
    message.decrypt(out);
    if (message.verifies(sealed.data() + ciphertext.size())) return {};
    wipe(out);
    return Error::Unauthenticated;
}

}  // namespace sotto::crypto
