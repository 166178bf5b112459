// SPDX-License-Identifier: Apache-2.0
// Moving a device to another cloud: SES-60 to SES-63.
#include <gtest/gtest.h>

#include "core/cbor/writer.hpp"
#include "core/session/talker_test.hpp"

namespace sotto::session {
namespace {

constexpr Channel kRelay{.label = 5};
constexpr Channel kCloudLabel{.label = 1};

class TrialTest : public ::testing::Test {
  protected:
    TrialTest() {
        EXPECT_TRUE(
            Authority::commission(storage_, keystore::PairingSecret{Bytes{secret_}.first<16>()}));
        boot();
        EXPECT_TRUE(owner_.pair(*device_, secret_));
    }
    void boot() {
        const Instant now = device_ ? device_->now : Instant{1'000'000};
        storage_.reboot();
        device_ = std::make_unique<Device>(storage_, entropy_, device_party_);
        device_->now = now;
        EXPECT_TRUE(device_->started);
    }
    coap::Code put(Channel channel, Bytes payload) {
        return Talker::code_of(
            owner_.run(*device_,
                       channel,
                       {.code = coap::Code::Put,
                        .resource = "n",
                        .content = Content{.format = Format::Cbor, .payload = payload}}));
    }
    coap::Code try_cloud(std::uint32_t version, const Party& cloud) {
        std::array<std::uint8_t, 128> buffer;
        cbor::Writer writer{buffer};
        writer.map(4).uint(1).uint(version).uint(2).text("cloud:1");
        writer.uint(3)
            .bytes(cloud.credential.hash())
            .uint(4)
            .bytes(std::array<std::uint8_t, keystore::kClaimSize>{});
        return put(kNearby, *writer.finish());
    }
    coap::Code confirm(std::uint32_t version, Channel channel = kRelay) {
        std::array<std::uint8_t, 8> buffer;
        cbor::Writer writer{buffer};
        writer.map(1).uint(1).uint(version);
        return put(channel, *writer.finish());
    }
    coap::Code attach(const Party& cloud) {
        Talker talker{cloud, entropy_};
        return Talker::code_of(
            talker.run(*device_, kCloudLabel, {.code = coap::Code::Post, .resource = "a"}));
    }
    // Everything of a move to that cloud.
    bool move(std::uint32_t version, const Party& cloud) {
        return try_cloud(version, cloud) == coap::Code::Changed &&
               attach(cloud) == coap::Code::Changed && confirm(version) == coap::Code::Changed;
    }
    bool is_at(const Party& cloud) const {
        const auto& there = device_->server->authority().cloud();
        return there && there->credential_hash == cloud.credential.hash();
    }
    bool is_on_trial() const { return device_->parts.trial().is_on_trial(); }
    void pass(Duration duration) {
        device_->now = device_->now + duration;
        device_->server->poll(device_->now, device_->out);
    }

    SeededEntropy entropy_{7};
    MemoryStorage storage_;
    const std::array<std::uint8_t, 16> secret_{4, 5, 6};
    const Party device_party_ = Party::make("lamp-1", entropy_);
    const Party owner_party_ = Party::make("phone-1", entropy_);
    const Party old_cloud_ = Party::make("old", entropy_);
    const Party new_cloud_ = Party::make("new", entropy_);
    std::unique_ptr<Device> device_;
    Talker owner_{owner_party_, entropy_};
};

TEST_F(TrialTest, IsConfirmedThroughTheCloudThatHasProvedItself) {
    EXPECT_EQ(try_cloud(1, old_cloud_), coap::Code::Changed);
    EXPECT_TRUE(is_on_trial());
    EXPECT_EQ(confirm(1), coap::Code::Conflict) << "it has not proved itself";
    EXPECT_EQ(attach(new_cloud_), coap::Code::Empty) << "another cloud is not admitted";
    EXPECT_EQ(attach(old_cloud_), coap::Code::Changed);
    EXPECT_EQ(confirm(2), coap::Code::Conflict) << "there is no such trial";
    EXPECT_EQ(confirm(1, kNearby), coap::Code::Forbidden);
    EXPECT_EQ(confirm(1), coap::Code::Changed);
    EXPECT_FALSE(is_on_trial());
    pass(minutes(20));
    EXPECT_TRUE(is_at(old_cloud_));
}

TEST_F(TrialTest, EndsByItselfAndTheCloudBeforeCountsAgain) {
    ASSERT_TRUE(move(1, old_cloud_));
    ASSERT_EQ(try_cloud(2, new_cloud_), coap::Code::Changed);
    EXPECT_TRUE(is_at(new_cloud_));
    EXPECT_EQ(attach(old_cloud_), coap::Code::Empty) << "not while another is on trial";
    const std::uint32_t revision = device_->server->revision();
    pass(kCloudTrial);
    EXPECT_TRUE(is_at(old_cloud_));
    EXPECT_GT(device_->server->revision(), revision) << "the central must hear of it";
    EXPECT_EQ(attach(old_cloud_), coap::Code::Changed);
    EXPECT_EQ(attach(new_cloud_), coap::Code::Empty);
    EXPECT_EQ(confirm(2), coap::Code::Conflict);
    EXPECT_EQ(try_cloud(2, new_cloud_), coap::Code::Conflict) << "versions only rise";
    EXPECT_TRUE(move(3, new_cloud_));
}

TEST_F(TrialTest, TheFirstCloudThatDoesNotWorkIsForgotten) {
    ASSERT_EQ(try_cloud(1, new_cloud_), coap::Code::Changed);
    pass(kCloudTrial);
    EXPECT_FALSE(device_->server->authority().cloud());
}

TEST_F(TrialTest, BeginsAnewAfterABoot) {
    ASSERT_TRUE(move(1, old_cloud_));
    ASSERT_EQ(try_cloud(2, new_cloud_), coap::Code::Changed);
    ASSERT_EQ(attach(new_cloud_), coap::Code::Changed);
    boot();
    EXPECT_TRUE(is_on_trial());
    EXPECT_EQ(confirm(2), coap::Code::Conflict) << "it must prove itself in this boot";
    EXPECT_EQ(attach(new_cloud_), coap::Code::Changed);
    EXPECT_EQ(confirm(2), coap::Code::Changed);
}

TEST_F(TrialTest, AResetEndsIt) {
    ASSERT_TRUE(move(1, old_cloud_));
    ASSERT_EQ(try_cloud(2, new_cloud_), coap::Code::Changed);
    ASSERT_TRUE(device_->server->factory_reset());
    EXPECT_FALSE(device_->server->authority().cloud());
    boot();
    EXPECT_FALSE(device_->server->authority().cloud());
}

// With the power cut at every write of a move the device is at one of the two clouds, never at
// none, and the move can be made again.
TEST_F(TrialTest, SurvivesAPowerCutAtEveryStep) {
    ASSERT_TRUE(move(1, old_cloud_));
    std::uint32_t version = 1;
    for (const auto cut : {MemoryStorage::Cut::Old, MemoryStorage::Cut::New}) {
        for (std::size_t step = 0;; ++step) {
            const Party& from = is_at(old_cloud_) ? old_cloud_ : new_cloud_;
            const Party& to = is_at(old_cloud_) ? new_cloud_ : old_cloud_;
            storage_.cut_power_at_write(step, cut);
            move(++version, to);
            const bool was_cut = storage_.is_cut();
            boot();
            ASSERT_TRUE(is_at(from) || is_at(to)) << step;
            const Party& there = is_at(from) ? from : to;
            ASSERT_EQ(attach(there), coap::Code::Changed) << step;
            pass(kCloudTrial);
            ASSERT_TRUE(is_at(from) || is_at(to)) << step;
            version = device_->server->authority().cloud()->version;
            if (!was_cut) {
                EXPECT_TRUE(is_at(to));
                break;
            }
        }
    }
}

}  // namespace
}  // namespace sotto::session
