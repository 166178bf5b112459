// SPDX-License-Identifier: Apache-2.0
// No decision on a secret in what handles secrets: run under valgrind by `./dev ct`, skipped
// elsewhere. The port is BearSSL's, which promises it of itself; it is held to that promise with
// the compiler and the flags of this build.
#include <gtest/gtest.h>

#include "core/crypto/aead.hpp"
#include "core/crypto/dh.hpp"
#include "core/crypto/hkdf.hpp"
#include "testing/constant_time.hpp"

namespace sotto::crypto {
namespace {

using testing::is_secret;
using testing::mark_public;

class ConstantTime : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!testing::is_checking_constant_time()) GTEST_SKIP() << "only under valgrind";
        before_ = testing::decisions_on_secrets();
    }
    unsigned decisions() const { return testing::decisions_on_secrets() - before_; }

  private:
    unsigned before_ = 0;
};

constexpr DhCoordinate kScalar = {0x7d, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
                                  16,   0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  9};

DhPrivateKey secret_scalar() {
    DhPrivateKey key = *dh_private_from_candidate(kScalar);
    SOTTO_CT_SECRET(key.expose());
    return key;
}

AeadKey secret_key() {
    AeadKey key;
    SOTTO_CT_SECRET(key.expose());
    return key;
}

TEST_F(ConstantTime, TheCheckerFiresOnABranch) {
    std::array<std::uint8_t, 1> secret{};
    SOTTO_CT_SECRET(secret);
    if (secret[0] == 7) asm volatile("" : : : "memory");  // a branch that the compiler must keep
    EXPECT_EQ(decisions(), 1U);
}

TEST_F(ConstantTime, TheCheckerFiresOnAnAddress) {
    std::array<std::uint8_t, 256> table{};
    std::array<std::uint8_t, 1> secret{};
    SOTTO_CT_SECRET(secret);
    table[1] = table[secret[0]];
    mark_public(table);  // and so the compiler must do it
    EXPECT_EQ(decisions(), 1U);
}

TEST_F(ConstantTime, ComparisonDecidesOnTheVerdictAlone) {
    for (const std::uint8_t first : {std::uint8_t{0}, std::uint8_t{1}}) {
        std::array<std::uint8_t, 32> a{first};
        std::array<std::uint8_t, 32> b{};
        SOTTO_CT_SECRET(a);
        std::array<std::uint8_t, 1> verdict{ct_equal(a, b)};
        mark_public(verdict);
        EXPECT_EQ(verdict[0], 1 - first);
    }
    EXPECT_EQ(decisions(), 0U);
}

TEST_F(ConstantTime, DhAgree) {
    const DhPublicKey peer = dh_public(*dh_private_from_candidate(kScalar));
    const DhPrivateKey key = secret_scalar();
    const auto secret = dh_agree(key, peer);
    EXPECT_EQ(decisions(), 0U);
    EXPECT_TRUE(is_secret(secret->expose())) << "the mark must have come all the way through";
}

TEST_F(ConstantTime, DhPublic) {
    const DhPrivateKey key = secret_scalar();
    const DhPublicKey own = dh_public(key);
    EXPECT_EQ(decisions(), 0U);
    EXPECT_TRUE(is_secret(own.x));
}

TEST_F(ConstantTime, HkdfOfASecret) {
    std::array<std::uint8_t, 48> ikm{};
    SOTTO_CT_SECRET(ikm);
    const Prk prk = hkdf_extract({}, ikm);
    std::array<std::uint8_t, 80> okm;
    EXPECT_TRUE(hkdf_expand(prk, as_bytes("info"), okm).has_value());
    EXPECT_EQ(decisions(), 0U);
    EXPECT_TRUE(is_secret(okm));
}

TEST_F(ConstantTime, AeadSeal) {
    const AeadKey key = secret_key();
    std::array<std::uint8_t, 40> plaintext{};
    SOTTO_CT_SECRET(plaintext);
    std::array<std::uint8_t, 48> sealed;
    EXPECT_TRUE(
        aead_seal({key, Nonce{}, as_bytes("aad"), TagSize::Short}, plaintext, sealed).has_value());
    EXPECT_EQ(decisions(), 0U);
    EXPECT_TRUE(is_secret(sealed));
}

// Whether it verified is public: that one decision is taken, and no other.
TEST_F(ConstantTime, AeadOpenDecidesOnTheVerdictAlone) {
    std::array<std::uint8_t, 40> plaintext{};
    std::array<std::uint8_t, 48> sealed;
    for (const std::uint8_t damage : {std::uint8_t{0}, std::uint8_t{1}}) {
        const AeadKey key;
        EXPECT_TRUE(aead_seal({key, Nonce{}, {}, TagSize::Short}, plaintext, sealed).has_value());
        sealed[3] ^= damage;
        SOTTO_CT_SECRET(key.expose());
        const unsigned before = decisions();
        const Status status = aead_open({key, Nonce{}, {}, TagSize::Short}, sealed, plaintext);
        EXPECT_EQ(decisions() - before, 1U);
        EXPECT_EQ(status.has_value(), damage == 0);
    }
}

}  // namespace
}  // namespace sotto::crypto
