// SPDX-License-Identifier: Apache-2.0
#include "app/client/backup.hpp"

#include <gtest/gtest.h>

#include "core/cose/credential.hpp"
#include "core/keystore/private_key.hpp"
#include "testing/seeded_entropy.hpp"

namespace sotto::app {
namespace {

class BackupTest : public ::testing::Test {
  protected:
    keystore::Identity identity(const std::string& subject) {
        auto key = *keystore::draw_private_key(entropy_);
        const auto credential = *cose::Credential::create(subject, crypto::dh_public(key));
        return {std::move(key), keystore::CredentialBytes{credential.bytes()}};
    }
    BackupDevice device(const std::string& name, std::uint32_t generation) {
        BackupDevice made;
        made.name = name;
        made.identity = identity("app");
        made.credential = identity("device").credential;
        made.generation = generation;
        EXPECT_TRUE(entropy_.fill(made.token_key.fill()));
        return made;
    }
    std::vector<std::uint8_t> encoded(const Backup& backup) {
        const auto bytes = encode_backup(backup);
        EXPECT_TRUE(bytes);
        return {bytes->view().begin(), bytes->view().end()};
    }

    testing::SeededEntropy entropy_{7};
};

TEST_F(BackupTest, WhatIsWrittenIsRead) {
    Backup backup;
    backup.devices.push_back(device("lamp", 1));
    backup.devices.push_back(device("", 0xffff'ffff));
    const auto read = parse_backup(encoded(backup));
    ASSERT_TRUE(read);
    ASSERT_EQ(read->devices.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_TRUE(ct_equal(read->devices[i].identity.private_key.expose(),
                             backup.devices[i].identity.private_key.expose()));
        EXPECT_EQ(read->devices[i].identity.credential, backup.devices[i].identity.credential);
        EXPECT_EQ(read->devices[i].name, backup.devices[i].name);
        EXPECT_EQ(read->devices[i].credential, backup.devices[i].credential);
        EXPECT_EQ(read->devices[i].generation, backup.devices[i].generation);
        EXPECT_TRUE(
            ct_equal(read->devices[i].token_key.expose(), backup.devices[i].token_key.expose()));
    }
}

TEST_F(BackupTest, NothingShorterOrLongerIsABackup) {
    Backup backup;
    backup.devices.push_back(device("lamp", 3));
    std::vector<std::uint8_t> bytes = encoded(backup);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_EQ(parse_backup(Bytes{bytes}.first(size)).error(), Error::Malformed) << size;
    bytes.push_back(0);
    EXPECT_EQ(parse_backup(bytes).error(), Error::Malformed);
}

TEST_F(BackupTest, WhatCannotBeIsRefused) {
    Backup other_key;
    other_key.devices.push_back(device("lamp", 1));
    other_key.devices[0].identity.credential = identity("app").credential;
    EXPECT_EQ(parse_backup(encoded(other_key)).error(), Error::Malformed);

    Backup twice;
    twice.devices.push_back(device("lamp", 1));
    twice.devices.push_back(device("heater", 1));
    twice.devices[1].credential = twice.devices[0].credential;
    EXPECT_EQ(parse_backup(encoded(twice)).error(), Error::Malformed);

    Backup escape;
    escape.devices.push_back(device("\x1b[2J", 1));
    EXPECT_EQ(parse_backup(encoded(escape)).error(), Error::Malformed);

    Backup long_name;
    long_name.devices.push_back(device(std::string(kBackupNameSizeMax + 1, 'x'), 1));
    EXPECT_EQ(encode_backup(long_name).error(), Error::TooLarge);
    EXPECT_EQ(parse_backup(std::vector<std::uint8_t>(kBackupSizeMax + 1)).error(), Error::TooLarge);
}

}  // namespace
}  // namespace sotto::app
