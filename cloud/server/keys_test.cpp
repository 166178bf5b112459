// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/keys.hpp"

#include <gtest/gtest.h>

#include "core/cose/credential.hpp"
#include "core/keystore/private_key.hpp"
#include "testing/seeded_entropy.hpp"

namespace sotto::cloud::server {
namespace {

keystore::Identity identity(std::uint32_t seed) {
    testing::SeededEntropy entropy{seed};
    auto key = *keystore::draw_private_key(entropy);
    const auto credential = *cose::Credential::create("cloud-1", crypto::dh_public(key));
    return {.private_key = std::move(key),
            .credential = keystore::CredentialBytes{credential.bytes()}};
}

TEST(Keys, TheGuestOfACloudIsAlwaysTheSameAndNeverTheCloud) {
    const keystore::Identity cloud = identity(1);
    const auto guest = derive_guest_identity(cloud);
    ASSERT_TRUE(guest);
    EXPECT_TRUE(match(*guest));
    EXPECT_TRUE(ct_equal(guest->private_key.expose(),
                         derive_guest_identity(identity(1))->private_key.expose()));
    EXPECT_TRUE(equal(guest->credential, derive_guest_identity(cloud)->credential));
    EXPECT_FALSE(ct_equal(guest->private_key.expose(), cloud.private_key.expose()));
    EXPECT_FALSE(equal(guest->credential, derive_guest_identity(identity(2))->credential));
}

}  // namespace
}  // namespace sotto::cloud::server
