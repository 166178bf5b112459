// SPDX-License-Identifier: Apache-2.0
#include "ports/openssl/password.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "core/base/hex.hpp"

namespace sotto::ports {
namespace {

constexpr ScryptCost kCheap{.log2_n = 4, .r = 1, .p = 1};

class Counting final : public hal::Entropy {
  public:
    Status fill(MutBytes out) override {
        if (fails) return Error::EntropyFailed;
        std::ranges::fill(out, ++next_);
        return {};
    }
    bool fails = false;

  private:
    std::uint8_t next_ = 0;
};

TEST(Password, IsKnownAgainAndNoOtherIs) {
    Counting entropy;
    const std::string line = hash_password("correct horse", entropy, kCheap).value();
    EXPECT_TRUE(line.starts_with("$scrypt$ln=4,r=1,p=1$01010101"));
    EXPECT_TRUE(is_password("correct horse", line));
    for (const char* wrong : {"", "correct hors", "correct horse ", "Correct horse"})
        EXPECT_FALSE(is_password(wrong, line)) << wrong;
}

TEST(Password, TheSameOneHasAnotherLineEachTime) {
    Counting entropy;
    EXPECT_NE(hash_password("p", entropy, kCheap).value(),
              hash_password("p", entropy, kCheap).value());
}

TEST(Password, IsWhatScryptMakesOfIt) {
    Counting entropy;
    const std::string line = hash_password("p", entropy, kCheap).value();
    std::array<std::uint8_t, 16> salt{};
    salt.fill(1);
    std::array<std::uint8_t, 32> hash{};
    ASSERT_TRUE(scrypt(as_bytes("p"), salt, kCheap, hash));
    EXPECT_TRUE(line.ends_with("$01010101010101010101010101010101$" + to_hex<std::string>(hash)));
}

TEST(Password, ALineThatIsNoneIsTheLineOfNoPassword) {
    Counting entropy;
    const std::string line = hash_password("p", entropy, kCheap).value();
    EXPECT_FALSE(is_password("", ""));
    EXPECT_FALSE(is_password("p", line + "0"));
    EXPECT_FALSE(is_password("p", line.substr(1)));
    EXPECT_FALSE(is_password("p", "x" + line));
    for (std::size_t i = 0; i < line.size(); ++i) EXPECT_FALSE(is_password("p", line.substr(0, i)));
    EXPECT_FALSE(is_password("p", "$scrypt$ln=63,r=8,p=1$" + line.substr(line.size() - 97)));
}

TEST(Password, WithoutRandomNumbersThereIsNone) {
    Counting entropy;
    entropy.fails = true;
    EXPECT_EQ(hash_password("p", entropy, kCheap).error(), Error::EntropyFailed);
}

// As the spark-server of Brewskey, version 1.0.17, keeps "correct horse".
const Pbkdf2Hash kOther{
    .salt =
        "/iRsX9MkUZmSvTg9xnnJFYfxKKK7wp+JNgf1MogX6LL4GaMrhdC881pKlBH27lcf1NXlHkgqVrNmYE6uG8t9Eg"
        "==",
    .hash =
        "c9AEOdGGodoOFTNQFc7YoKWzMVQUkkGMqjoKJGGyLA1xsPjj9A1g7FXXZ+ojg6Tyng3qnxdgZofYRu+YfU4WO"
        "g==",
    .iterations = 30'000};

TEST(Password, ThatAnotherServerHashedIsKnownThroughItsHash) {
    Counting entropy;
    const std::string line = wrap_password_hash(kOther, entropy, kCheap).value();
    EXPECT_TRUE(is_password("correct horse", line));
    for (const char* wrong : {"", "correct hors", "correct horse ", kOther.hash.c_str()})
        EXPECT_FALSE(is_password(wrong, line)) << wrong;
    EXPECT_TRUE(is_password("correct horse", kOther));
    EXPECT_FALSE(is_password("correct hors", kOther));
    EXPECT_FALSE(is_password("", Pbkdf2Hash{}));
    EXPECT_TRUE(is_wrapped(line));
    EXPECT_FALSE(is_wrapped(hash_password("correct horse", entropy, kCheap).value()));
    EXPECT_EQ(line.find(kOther.hash), std::string::npos);
    for (const std::size_t size : {17UL, 23UL, 60UL, line.size() - 1})
        EXPECT_FALSE(is_password("correct horse", line.substr(0, size)));
    EXPECT_FALSE(is_password(kOther.hash, line));
}

TEST(Password, AHashThatIsNoneIsNotWrapped) {
    Counting entropy;
    for (const Pbkdf2Hash& bad : {Pbkdf2Hash{kOther.salt, kOther.hash.substr(1), 30'000},
                                  Pbkdf2Hash{kOther.salt, kOther.hash, 0},
                                  Pbkdf2Hash{kOther.salt, kOther.hash, 1'000'001},
                                  Pbkdf2Hash{"a$b", kOther.hash, 30'000},
                                  Pbkdf2Hash{std::string(129, 'a'), kOther.hash, 30'000},
                                  Pbkdf2Hash{}})
        EXPECT_EQ(wrap_password_hash(bad, entropy, kCheap).error(), Error::InvalidArgument);
}

}  // namespace
}  // namespace sotto::ports
