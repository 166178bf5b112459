// SPDX-License-Identifier: Apache-2.0
#include "app/cli/home.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "app/cli/stored_sequence.hpp"
#include "core/base/hex.hpp"
#include "core/cose/credential.hpp"
#include "core/keystore/private_key.hpp"
#include "testing/memory_storage.hpp"
#include "testing/seeded_entropy.hpp"

namespace sotto::app {
namespace {

namespace fs = std::filesystem;

class HomeTest : public ::testing::Test {
  protected:
    HomeTest() {
        std::string name = ::testing::TempDir() + "sotto_home_XXXXXX";
        root_ = ::mkdtemp(name.data());
    }
    ~HomeTest() override { fs::remove_all(root_); }

    Home home() const { return *Home::open(root_ + "/state"); }
    // A device that is known by a name.
    framing::DeviceId add(std::uint8_t first, const std::string& name) const {
        framing::DeviceId id{};
        id[0] = first;
        EXPECT_TRUE(home().take_session(id));
        EXPECT_TRUE(home().set_name(id, name));
        return id;
    }

    std::string root_;
    testing::SeededEntropy entropy_{3};
};

TEST_F(HomeTest, TheIdentityIsMadeOnceAndStays) {
    const auto first = home().identity(entropy_);
    ASSERT_TRUE(first) << first.error().what;
    const auto second = home().identity(entropy_);
    ASSERT_TRUE(second);
    EXPECT_EQ(first->credential, second->credential);
    const auto credential = cose::Credential::parse(first->credential);
    ASSERT_TRUE(credential);
    EXPECT_TRUE(credential->subject().starts_with("app-"));
    EXPECT_EQ(crypto::dh_public(first->private_key), credential->public_key());
}

TEST_F(HomeTest, TheLoginIsKept) {
    ASSERT_FALSE(*home().account());
    const Account account{"https://cloud:443", "token", true, {1, 2, 3}, "cloud:5683"};
    ASSERT_TRUE(home().store_account(account));
    EXPECT_EQ(**home().account(), account);
    Account pinned = account;
    pinned.pin.emplace().fill(7);
    ASSERT_TRUE(home().store_account(pinned));
    EXPECT_EQ(**home().account(), pinned);
}

TEST_F(HomeTest, ADeviceIsFoundByNameIdAndBeginningOfId) {
    EXPECT_EQ(home().find("lamp").error().trouble, Trouble::Usage);
    const auto lamp = add(0xa1, "lamp");
    const auto heater = add(0xa2, "heater");
    EXPECT_EQ(home().find("lamp")->id, lamp);
    EXPECT_EQ(home().find(to_hex<std::string>(heater))->id, heater);
    EXPECT_EQ(home().find("A2")->id, heater);
    EXPECT_FALSE(home().find("a2")->is_paired);
    for (const char* text : {"a", "", "b", "a3", "lam"})
        EXPECT_EQ(home().find(text).error().trouble, Trouble::Usage) << text;
    EXPECT_NE(home().find("a").error().what.find("heater"), std::string::npos);
}

TEST_F(HomeTest, ADeviceThatWasOnlyLookedForIsNotKnown) {
    ASSERT_TRUE(home().take_session(framing::DeviceId{5}));
    EXPECT_TRUE(home().devices()->empty());
}

TEST_F(HomeTest, ANameMeansOneDeviceOnly) {
    const auto lamp = add(0xa1, "lamp");
    const auto other = add(0xb1, "other");
    EXPECT_TRUE(home().check_name(lamp, "lamp"));
    EXPECT_TRUE(home().check_name(other, "another"));
    for (const char* name : {"lamp", "a1", "", "-x", "two\nlines"})
        EXPECT_EQ(home().check_name(other, name).error().trouble, Trouble::Usage) << name;
}

TEST_F(HomeTest, EachCommandHasASessionOfItsOwn) {
    framing::DeviceId id{9};
    std::vector<std::unique_ptr<DeviceStorage>> sessions;
    std::vector<AppId> ids;
    for (int i = 0; i < Home::kSessionsMax; ++i) {
        auto session = home().take_session(id);
        ASSERT_TRUE(session) << i;
        ids.push_back(*app_id_of(**session, entropy_));
        sessions.push_back(*std::move(session));
    }
    EXPECT_EQ(home().take_session(id).error().trouble, Trouble::State);
    for (std::size_t i = 1; i < ids.size(); ++i) EXPECT_NE(ids[i], ids[0]);
    sessions[2].reset();
    auto again = home().take_session(id);
    ASSERT_TRUE(again);
    EXPECT_EQ(*app_id_of(**again, entropy_), ids[2]);
}

TEST_F(HomeTest, SessionsShareTheRecordsOfTheirDevice) {
    const framing::DeviceId id{9};
    auto one = *home().take_session(id);
    auto other = *home().take_session(id);
    const hal::RecordId of_device{4};
    const hal::RecordId of_session{0x0100};
    ASSERT_TRUE(one->store(of_device, as_bytes("device")));
    ASSERT_TRUE(one->store(of_session, as_bytes("session")));
    std::array<std::uint8_t, 16> out{};
    EXPECT_EQ(*other->load(of_device, out), 6U);
    EXPECT_EQ(other->load(of_session, out).error(), Error::NotFound);
    EXPECT_TRUE(other->erase(of_device));
    EXPECT_EQ(one->load(of_device, out).error(), Error::NotFound);
}

TEST_F(HomeTest, ACopiedSessionIsEmptiedAndTheDeviceKept) {
    const framing::DeviceId id{9};
    {
        auto session = *home().take_session(id);
        ASSERT_TRUE(session->store(hal::RecordId{4}, as_bytes("device")));
        ASSERT_TRUE(session->store(hal::RecordId{0x0100}, as_bytes("session")));
    }
    fs::copy(root_ + "/state", root_ + "/copy", fs::copy_options::recursive);
    auto session = *Home::open(root_ + "/copy")->take_session(id);
    std::array<std::uint8_t, 16> out{};
    EXPECT_EQ(session->load(hal::RecordId{0x0100}, out).error(), Error::NotFound);
    EXPECT_TRUE(session->load(hal::RecordId{4}, out));
}

TEST_F(HomeTest, DamageIsReportedAndDoesNotHideTheOthers) {
    add(0xa1, "lamp");
    const auto broken = add(0xb1, "broken");
    ASSERT_TRUE(home().identity(entropy_));
    const std::string state = root_ + "/state/";
    for (const std::string& journal :
         {"devices/" + to_hex<std::string>(broken) + "/device/journal", std::string{"app/journal"}})
        std::fstream{state + journal, std::ios::in | std::ios::out}.seekp(40).put('x');
    EXPECT_EQ(home().identity(entropy_).error().trouble, Trouble::State);
    const auto devices = home().devices();
    ASSERT_TRUE(devices);
    ASSERT_EQ(devices->size(), 2U);
    EXPECT_TRUE(devices->front().is_damaged);
    EXPECT_TRUE(home().find("lamp"));
}

TEST_F(HomeTest, AStateFolderThatCannotBeIsSaidSo) {
    std::ofstream{root_ + "/file"} << "x";
    const auto opened = Home::open(root_ + "/file");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().trouble, Trouble::State);
}

TEST_F(HomeTest, SequenceNumbersAreNeverUsedTwice) {
    using Known = StoredSequenceNumbers::Known;
    const std::string folder = root_ + "/oscore";
    EXPECT_EQ(StoredSequenceNumbers::open(folder, Known::Before).error().trouble, Trouble::State);
    std::uint64_t highest = 0;
    {
        auto numbers = StoredSequenceNumbers::open(folder, Known::New);
        ASSERT_TRUE(numbers);
        for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(numbers->take()->value(), i);
        highest = 99;
        EXPECT_EQ(StoredSequenceNumbers::open(folder, Known::New).error().trouble, Trouble::State);
    }
    for (const Known known : {Known::Before, Known::New}) {
        auto numbers = StoredSequenceNumbers::open(folder, known);
        ASSERT_TRUE(numbers);
        const std::uint64_t next = numbers->take()->value();
        EXPECT_GT(next, highest);
        highest = next;
    }
    fs::copy(folder, root_ + "/copy", fs::copy_options::recursive);
    EXPECT_EQ(StoredSequenceNumbers::open(root_ + "/copy", Known::Before).error().trouble,
              Trouble::State);
}

// A backup of a state folder with two paired devices, and what restoring it does elsewhere.
class RestoreTest : public HomeTest {
  protected:
    RestoreTest() {
        EXPECT_TRUE(home().identity(entropy_));
        lamp_ = pair("lamp", 3);
        heater_ = pair("heater", 1);
    }
    framing::DeviceId pair(const std::string& name, std::uint32_t generation) {
        auto key = *keystore::draw_private_key(entropy_);
        const auto ccs = *cose::Credential::create("device", crypto::dh_public(key));
        const auto id = device_id_of(ccs.bytes());
        auto storage = *home().take_session(id);
        EXPECT_TRUE(keystore::store_peer(*storage, peer_of(ccs.bytes(), generation)));
        EXPECT_TRUE(storage->store(kSessionKey, as_bytes("session")));
        EXPECT_TRUE(home().set_name(id, name));
        return id;
    }
    static keystore::PeerRecord peer_of(Bytes credential, std::uint32_t generation) {
        keystore::PeerRecord peer;
        peer.is_paired = true;
        peer.generation = generation;
        peer.credential = keystore::CredentialBytes{credential};
        peer.token_key.fill()[0] = static_cast<std::uint8_t>(generation);
        return peer;
    }
    Home other() const { return *Home::open(root_ + "/other"); }

    static constexpr hal::RecordId kSessionKey{0x0100};
    framing::DeviceId lamp_{};
    framing::DeviceId heater_{};
};

TEST_F(RestoreTest, AnEmptyFolderBecomesTheSameAppWithoutItsSessions) {
    const auto backup = home().backup(entropy_);
    ASSERT_TRUE(backup) << backup.error().what;
    ASSERT_EQ(backup->devices.size(), 2U);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(other().restore(*backup)) << "again is the same";
    EXPECT_EQ(other().identity_of(lamp_, entropy_)->credential,
              home().identity_of(lamp_, entropy_)->credential);
    EXPECT_NE(other().identity(entropy_)->credential, home().identity(entropy_)->credential)
        << "devices of the new phone are none of the old one's";
    EXPECT_EQ(other().find("lamp")->id, lamp_);
    EXPECT_TRUE(other().find("heater")->is_paired);
    auto storage = *other().take_session(lamp_);
    EXPECT_EQ(keystore::load_peer(*storage)->generation, 3U);
    std::array<std::uint8_t, 16> out{};
    EXPECT_EQ(storage->load(kSessionKey, out).error(), Error::NotFound);
}

TEST_F(RestoreTest, NoSessionAndNoLoginIsInABackup) {
    ASSERT_TRUE(home().store_account({"https://cloud", "the-token", false, {}, "cloud:1"}));
    const auto content = encode_backup(*home().backup(entropy_));
    ASSERT_TRUE(content);
    const std::string_view text = as_text(content->view());
    EXPECT_NE(text.find("heater"), std::string_view::npos);
    for (const char* secret : {"session", "the-token", "https:"})
        EXPECT_EQ(text.find(secret), std::string_view::npos) << secret;
}

TEST_F(RestoreTest, SessionsThatAreHereAreErased) {
    ASSERT_TRUE(home().restore(*home().backup(entropy_)));
    std::array<std::uint8_t, 16> out{};
    for (const auto& id : {lamp_, heater_})
        EXPECT_EQ((*home().take_session(id))->load(kSessionKey, out).error(), Error::NotFound);
}

TEST_F(RestoreTest, AnotherIdentityStays) {
    const auto own = other().identity(entropy_)->credential;
    ASSERT_TRUE(other().restore(*home().backup(entropy_)));
    EXPECT_EQ(other().identity(entropy_)->credential, own);
    EXPECT_NE(other().identity_of(lamp_, entropy_)->credential, own);
}

TEST_F(RestoreTest, ATakeoverCutShortIsFinishedOrStaysOpen) {
    const auto backup = home().backup(entropy_);
    const auto begun = home().begin_takeover(lamp_, entropy_);
    ASSERT_TRUE(begun);
    EXPECT_EQ(begun->former.credential, home().identity(entropy_)->credential);
    EXPECT_EQ(home().identity_of(lamp_, entropy_).error().trouble, Trouble::State);
    EXPECT_EQ(home().backup(entropy_).error().trouble, Trouble::State);
    EXPECT_TRUE(home().identity_of(heater_, entropy_));

    ASSERT_TRUE(home().restore(*backup));  // must not forget the key that the device may know
    const auto again = home().begin_takeover(lamp_, entropy_);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->heir.identity.credential, begun->heir.identity.credential);
    EXPECT_TRUE(again->heir.token_key.expose()[0] == begun->heir.token_key.expose()[0]);

    ASSERT_TRUE(home().finish_takeover(lamp_, again->heir, 4));
    EXPECT_EQ(home().identity_of(lamp_, entropy_)->credential, again->heir.identity.credential);
    EXPECT_EQ(keystore::load_peer(**home().take_session(lamp_))->generation, 4U);
    ASSERT_TRUE(home().restore(*backup));  // older than what is here
    EXPECT_EQ(home().identity_of(lamp_, entropy_)->credential, again->heir.identity.credential);
    const auto newest = home().backup(entropy_);
    ASSERT_TRUE(newest);
    ASSERT_TRUE(other().restore(*newest));
    EXPECT_EQ(other().identity_of(lamp_, entropy_)->credential, again->heir.identity.credential);
}

TEST_F(RestoreTest, ASessionInUseStopsIt) {
    const auto backup = home().backup(entropy_);
    const auto held = home().take_session(lamp_);
    const auto restored = home().restore(*backup);
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().trouble, Trouble::State);
}

TEST_F(RestoreTest, WhatIsNewerHereStays) {
    const auto backup = home().backup(entropy_);
    {
        auto storage = *home().take_session(lamp_);
        const auto peer = *keystore::load_peer(*storage);
        ASSERT_TRUE(keystore::store_peer(*storage, peer_of(peer.credential, 4)));
        ASSERT_TRUE(home().set_name(lamp_, "lantern"));
    }
    ASSERT_TRUE(home().restore(*backup));
    EXPECT_EQ(home().find("lantern")->id, lamp_);
    EXPECT_EQ(keystore::load_peer(**home().take_session(lamp_))->generation, 4U);
}

// As a power cut leaves it: any number of the steps of restore() done.
TEST_F(RestoreTest, AnImportThatWasCutShortIsDoneAgain) {
    const auto backup = home().backup(entropy_);
    for (std::size_t count = 0; count < backup->devices.size(); ++count) {
        Backup part = *home().backup(entropy_);
        while (part.devices.size() > count) part.devices.pop_back();
        ASSERT_TRUE(other().restore(part));
        EXPECT_EQ(other().devices()->size(), count);
    }
    ASSERT_TRUE(other().restore(*backup));
    EXPECT_EQ(other().devices()->size(), 2U);
}

TEST_F(RestoreTest, ThereIsNoBackupOfNothingAndNoneOfDamage) {
    EXPECT_EQ(other().backup(entropy_).error().trouble, Trouble::Usage);
    const std::string journal =
        root_ + "/state/devices/" + to_hex<std::string>(lamp_) + "/device/journal";
    std::fstream{journal, std::ios::in | std::ios::out}.seekp(40).put('x');
    EXPECT_EQ(home().backup(entropy_).error().trouble, Trouble::State);
}

TEST(AppRecords, AreStrictAndSurviveAnyBytes) {
    testing::MemoryStorage storage;
    const Account account{"u", "t", false, {1}, "a"};
    ASSERT_TRUE(store_account(storage, account));
    const hal::RecordId id = storage.records().begin()->first;
    const auto good = storage.records().begin()->second;
    for (std::size_t size = 0; size < good.size(); ++size) {
        ASSERT_TRUE(storage.store(id, Bytes{good}.first(size)));
        EXPECT_EQ(load_account(storage).error(), Error::Malformed) << size;
    }
    auto longer = good;
    longer.push_back(0);
    ASSERT_TRUE(storage.store(id, longer));
    EXPECT_EQ(load_account(storage).error(), Error::Malformed);
    ASSERT_TRUE(storage.store(id, good));
    EXPECT_EQ(*load_account(storage), account);
    EXPECT_EQ(store_account(storage, {std::string(513, 'a'), "", false, {}, ""}).error(),
              Error::TooLarge);
}

}  // namespace
}  // namespace sotto::app
