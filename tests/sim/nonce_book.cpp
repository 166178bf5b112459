// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/nonce_book.hpp"

#include <string>
#include <unordered_map>

#include "core/crypto/aead.hpp"
#include "core/crypto/hash.hpp"

namespace sotto::sim {
namespace {

struct Book {
    std::unordered_map<std::string, crypto::Hash> content_of;
    std::uint64_t twice = 0;
    std::uint64_t count = 0;
};

Book& book() {
    static Book the_book;
    return the_book;
}

}  // namespace

std::uint64_t nonces_used_twice() { return book().twice; }
std::uint64_t seal_count() { return book().count; }
void forget_nonces() { book() = Book{}; }

}  // namespace sotto::sim

namespace sotto::crypto {

// The linker's names for the wrapped function: -Wl,--wrap in CMakeLists.txt.
#define SOTTO_SEAL                                                                         \
    "_ZN5sotto6crypto9aead_sealERKNS0_14AeadParametersESt4spanIKhLm18446744073709551615EE" \
    "S4_IhLm18446744073709551615EE"
// NOLINTNEXTLINE(readability-identifier-naming)
Status real_seal(const AeadParameters&, Bytes, MutBytes) asm("__real_" SOTTO_SEAL);
Status wrapped_seal(const AeadParameters&, Bytes, MutBytes) asm("__wrap_" SOTTO_SEAL);

Status wrapped_seal(const AeadParameters& with, Bytes plaintext, MutBytes out) {
    std::string name{as_text(with.key.expose())};
    name += as_text(with.nonce);
    const Hash content = sha256(with.aad, plaintext);
    auto& book = sim::book();
    ++book.count;
    const auto [place, is_new] = book.content_of.try_emplace(name, content);
    if (!is_new && place->second != content) ++book.twice;
    return real_seal(with, plaintext, out);
}

}  // namespace sotto::crypto
