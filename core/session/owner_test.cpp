// SPDX-License-Identifier: Apache-2.0
// The owner's next credential: SES-27.
#include "core/cbor/writer.hpp"
#include "core/session/talker_test.hpp"

namespace sotto::session {
namespace {

class OwnerTest : public ::testing::Test {
  protected:
    OwnerTest() { begin(); }
    // A new device, paired with the old phone.
    void begin() {
        storage_ = {};
        EXPECT_TRUE(
            Authority::commission(storage_, keystore::PairingSecret{Bytes{secret_}.first<16>()}));
        boot();
        old_phone_.emplace(former_, entropy_);
        new_phone_.emplace(former_, entropy_);
        EXPECT_TRUE(old_phone_->pair(*device_, secret_));
        EXPECT_EQ(switch_lamp(*old_phone_), coap::Code::Changed);
    }
    void boot() {
        storage_.reboot();
        device_ = std::make_unique<Device>(storage_, entropy_, device_party_);
        EXPECT_TRUE(device_->started);
    }
    coap::Code switch_lamp(Talker& talker) {
        const Request request{.code = coap::Code::Post,
                              .resource = "f",
                              .name = "lamp",
                              .content = Content{.payload = as_bytes("on")}};
        return Talker::code_of(talker.run(*device_, kNearby, request));
    }
    coap::Code put(Talker& talker, Bytes payload) {
        const Request request{.code = coap::Code::Put,
                              .resource = "m",
                              .name = "owner",
                              .content = Content{.format = Format::Cbor, .payload = payload}};
        return Talker::code_of(talker.run(*device_, kNearby, request));
    }
    coap::Code hand_over(Talker& talker, const Party& heir) {
        std::array<std::uint8_t, 256> buffer;
        cbor::Writer writer{buffer};
        writer.map(2).uint(1).bytes(heir.credential.bytes()).uint(2).bytes(token_key_);
        return put(talker, *writer.finish());
    }
    keystore::DeviceRoot root() { return *keystore::load_root(storage_); }

    MemoryStorage storage_;
    SeededEntropy entropy_{11};
    const std::array<std::uint8_t, 16> secret_{1, 2, 3};
    const std::array<std::uint8_t, 32> token_key_{4, 5, 6};
    const Party device_party_ = Party::make("lamp 1", entropy_);
    const Party former_ = Party::make("app-1", entropy_);
    const Party heir_ = Party::make("app-2", entropy_);
    std::unique_ptr<Device> device_;
    std::optional<Talker> old_phone_;
    std::optional<Talker> new_phone_;  // set up from a backup: the same key, no session
};

TEST_F(OwnerTest, TheOldPhoneIsLockedOut) {
    EXPECT_EQ(hand_over(*new_phone_, heir_), coap::Code::Changed);
    EXPECT_EQ(switch_lamp(*new_phone_), coap::Code::Changed);  // in the session that asked

    EXPECT_EQ(switch_lamp(*old_phone_), coap::Code::Empty);  // neither its session nor its key
    Talker thief{former_, entropy_};
    EXPECT_EQ(switch_lamp(thief), coap::Code::Empty);
    EXPECT_FALSE(thief.pair(*device_, secret_));
    EXPECT_EQ(device_->lamp.calls, 2);

    Talker heir{heir_, entropy_};
    EXPECT_EQ(switch_lamp(heir), coap::Code::Changed);
    EXPECT_EQ(root().generation, 2U);
    EXPECT_TRUE(equal(root().token_key.expose(), token_key_));
}

TEST_F(OwnerTest, ItHoldsOverABoot) {
    EXPECT_EQ(hand_over(*new_phone_, heir_), coap::Code::Changed);
    boot();
    EXPECT_EQ(switch_lamp(*old_phone_), coap::Code::Empty);
    EXPECT_EQ(switch_lamp(*new_phone_), coap::Code::Changed);
    Talker heir{heir_, entropy_};
    EXPECT_EQ(switch_lamp(heir), coap::Code::Changed);
}

TEST_F(OwnerTest, AskedAgainItIsTheSame) {
    EXPECT_EQ(hand_over(*new_phone_, heir_), coap::Code::Changed);
    EXPECT_EQ(hand_over(*new_phone_, heir_), coap::Code::Changed);
    Talker heir{heir_, entropy_};
    EXPECT_EQ(hand_over(heir, heir_), coap::Code::Changed);
    EXPECT_EQ(switch_lamp(heir), coap::Code::Changed);
}

TEST_F(OwnerTest, WhatIsNoCredentialChangesNothing) {
    const auto before = root().generation;
    EXPECT_EQ(hand_over(*new_phone_, device_party_), coap::Code::BadRequest);  // the device's own
    EXPECT_EQ(put(*new_phone_, {}), coap::Code::BadRequest);
    const std::array<std::uint8_t, 5> key_alone{0xa1, 0x02, 0x42, 1, 2};
    EXPECT_EQ(put(*new_phone_, key_alone), coap::Code::BadRequest);
    std::array<std::uint8_t, 256> buffer;
    for (const std::size_t size : {0U, 31U, 33U}) {
        cbor::Writer writer{buffer};
        writer.map(2).uint(1).bytes(heir_.credential.bytes()).uint(2);
        writer.bytes(Bytes{std::array<std::uint8_t, 33>{}}.first(size));
        EXPECT_EQ(put(*new_phone_, *writer.finish()), coap::Code::BadRequest);
    }
    const Request get{.resource = "m", .name = "owner"};
    EXPECT_EQ(Talker::code_of(new_phone_->run(*device_, kNearby, get)),
              coap::Code::MethodNotAllowed);
    EXPECT_EQ(root().generation, before);
    EXPECT_EQ(switch_lamp(*old_phone_), coap::Code::Changed);
}

TEST_F(OwnerTest, ThePowerCutAtAnyWriteLeavesOneOwner) {
    for (const auto cut : {MemoryStorage::Cut::Old, MemoryStorage::Cut::New}) {
        bool was_cut = true;
        for (std::size_t step = 0; was_cut; ++step) {
            begin();
            storage_.cut_power_at_write(step, cut);
            const auto code = hand_over(*new_phone_, heir_);
            was_cut = storage_.is_cut();
            boot();
            Talker heir{heir_, entropy_};
            Talker former{former_, entropy_};
            const bool has_heir = switch_lamp(heir) == coap::Code::Changed;
            EXPECT_NE(has_heir, switch_lamp(former) == coap::Code::Changed) << step;
            EXPECT_EQ(switch_lamp(*old_phone_) == coap::Code::Changed, !has_heir) << step;
            EXPECT_TRUE(has_heir || code != coap::Code::Changed) << step;
        }
        EXPECT_EQ(root().generation, 2U);
    }
}

TEST_F(OwnerTest, AFullStorageLeavesTheOwner) {
    bool has_failed = true;
    for (std::size_t step = 0; has_failed; ++step) {
        begin();
        storage_.fail_write(step);
        has_failed = hand_over(*new_phone_, heir_) != coap::Code::Changed;
        Talker former{former_, entropy_};
        EXPECT_EQ(switch_lamp(former) == coap::Code::Changed, has_failed) << step;
    }
}

}  // namespace
}  // namespace sotto::session
