// SPDX-License-Identifier: Apache-2.0
#include "ports/openssl/key_file.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "testing/vectors.hpp"

namespace sotto::ports {
namespace {

Result<crypto::DhPrivateKey, KeyFileError> load(const std::string& name) {
    return load_private_key(std::string{SOTTO_SOURCE_DIR} + "/tests/vectors/keys/" + name);
}

TEST(KeyFile, ReadsWhatOpensslWrites) {
    const auto vector = testing::load_vectors("keys/p256.txt").front();
    for (const char* name : {"p256_sec1.pem",
                             "p256_sec1_with_parameters.pem",
                             "p256_explicit.pem",
                             "p256_pkcs8.pem"}) {
        const auto key = load(name);
        ASSERT_TRUE(key) << name << to_string(key.error());
        EXPECT_TRUE(ct_equal(key->expose(), vector.bytes("private"))) << name;
        EXPECT_TRUE(equal(crypto::dh_public(*key).x, vector.bytes("x"))) << name;
        EXPECT_TRUE(equal(crypto::dh_public(*key).y, vector.bytes("y"))) << name;
    }
    EXPECT_TRUE(parse_private_key(vector.bytes("private")));
}

TEST(KeyFile, SaysWhatIsWrongWithAnotherFile) {
    const std::pair<const char*, KeyFileError> cases[] = {
        {"p256_sec1_encrypted.pem", KeyFileError::Encrypted},
        {"p256_pkcs8_encrypted.pem", KeyFileError::Encrypted},
        {"p256_public.pem", KeyFileError::NotAKey},
        {"p256.txt", KeyFileError::NotAKey},
        {"p384.pem", KeyFileError::WrongKind},
        {"secp256k1.pem", KeyFileError::WrongKind},
        {"ed25519.pem", KeyFileError::WrongKind},
        {"rsa.pem", KeyFileError::WrongKind},
        {"none.pem", KeyFileError::Unreadable},
        {".", KeyFileError::Unreadable},
    };
    for (const auto& [name, error] : cases) {
        const auto key = load(name);
        ASSERT_FALSE(key) << name;
        EXPECT_EQ(key.error(), error) << name;
        EXPECT_NE(to_string(key.error()), "?");
    }
}

TEST(KeyFile, RefusesScalarsOutsideTheGroup) {
    std::array<std::uint8_t, crypto::kDhSize> scalar{};
    EXPECT_EQ(parse_private_key(scalar).error(), KeyFileError::OutOfRange);
    scalar.fill(0xff);
    EXPECT_EQ(parse_private_key(scalar).error(), KeyFileError::OutOfRange);
    EXPECT_EQ(parse_private_key({}).error(), KeyFileError::NotAKey);
}

TEST(KeyFile, ATruncatedFileIsNoKeyWhereverItEnds) {
    std::ifstream file{std::string{SOTTO_SOURCE_DIR} + "/tests/vectors/keys/p256_pkcs8.pem"};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    for (std::size_t size = 33; size + 2 < text.size(); ++size)
        EXPECT_FALSE(parse_private_key(as_bytes(text).first(size))) << size;
}

}  // namespace
}  // namespace sotto::ports
