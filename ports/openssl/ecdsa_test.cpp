// SPDX-License-Identifier: Apache-2.0
#include "ports/openssl/ecdsa.hpp"

#include <gtest/gtest.h>

namespace sotto::ports {
namespace {

// openssl ecparam -name prime256v1 -genkey, once.
constexpr std::string_view kPrivate =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHrRescNc5z+m/Bux\n"
    "QHxkv3vmjkm3fG5rR+aVBH1MAWehRANCAARK17tY9joGE8gpUknZoR3DFsBJojGc\n"
    "Y4MFtH+/QaqDalNtf6dbO56m/JT+NtTmRRgMbjodr/APR9AW7BgmXGpV\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kPublic =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAESte7WPY6BhPIKVJJ2aEdwxbASaIx\n"
    "nGODBbR/v0Gqg2pTbX+nWzuepvyU/jbU5kUYDG46Ha/wD0fQFuwYJlxqVQ==\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kOtherCurve =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEv+9a3XCBspgJ65HAQdHoUWCcxLXAs5+Z\n"
    "HDq0YbA1kqCcW4/F1MKuAcThZ0wObSamgIvQqOb0sEvrZBJFLHKzDrdJ/0O5Xeod\n"
    "WcOX9RoD94ivz5XDU7cVvbY0t3WhV3kk\n"
    "-----END PUBLIC KEY-----\n";

TEST(Ecdsa, WhatIsSignedVerifiesUnderThePublicKeyAlone) {
    const auto private_key = parse_private_key(as_bytes(kPrivate));
    const auto public_key = parse_public_key(as_bytes(kPublic));
    ASSERT_TRUE(private_key.has_value() && public_key.has_value());
    const crypto::Hash hash = crypto::sha256(as_bytes("a firmware"));
    const crypto::Signature signature = sign(*private_key, hash);
    EXPECT_TRUE(crypto::verify_signature(*public_key, hash, signature));
    const crypto::Hash other = crypto::sha256(as_bytes("another"));
    EXPECT_FALSE(crypto::verify_signature(*public_key, other, signature));
}

TEST(Ecdsa, APublicKeyIsReadFromEitherFile) {
    EXPECT_EQ(*parse_public_key(as_bytes(kPrivate)), *parse_public_key(as_bytes(kPublic)));
}

TEST(Ecdsa, WhatIsNoKeyIsRefused) {
    EXPECT_EQ(parse_public_key(as_bytes("hello")).error(), KeyFileError::NotAKey);
    EXPECT_EQ(parse_public_key({}).error(), KeyFileError::NotAKey);
    EXPECT_EQ(parse_public_key(as_bytes(kOtherCurve)).error(), KeyFileError::WrongKind);
}

}  // namespace
}  // namespace sotto::ports
