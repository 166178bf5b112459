// SPDX-License-Identifier: Apache-2.0
// The device as the chip has it, over flash that loses power in each of its operations: during a
// pairing, a command, a takeover and a reset. Afterwards it works, has one owner or none as before,
// and has used no nonce twice.
#include <set>

#include <gtest/gtest.h>

#include "core/cbor/writer.hpp"
#include "core/session/talker_test.hpp"
#include "ports/flash/flash_storage.hpp"
#include "ports/flash/memory_flash_test.hpp"

namespace sotto::session {
namespace {

using ports::FlashStorage;
using ports::MemoryFlash;

constexpr std::size_t kPages = 64;  // of 256 bytes: the 16 KB of the chip

class PowerCutTest : public ::testing::Test {
  protected:
    // A chip as it leaves the factory.
    void begin(std::uint32_t seed) {
        flash_.emplace(kPages, seed);
        FlashStorage storage{*flash_};
        ASSERT_TRUE(storage.open());
        ASSERT_TRUE(Authority::commission(storage, secret()));
        boot();
        owner_.emplace(owner_party_, entropy_);
    }
    keystore::PairingSecret secret() const {
        return keystore::PairingSecret{Bytes{secret_}.first<16>()};
    }
    // Power goes and comes. Whether the device could start.
    bool boot() {
        flash_->reboot();
        const Instant now = device_ ? device_->now : Instant{1'000'000};
        device_.reset();
        storage_.emplace(*flash_);
        if (!storage_->open()) return false;
        device_ = std::make_unique<Device>(*storage_, entropy_, device_party_);
        device_->now = now;
        return device_->started;
    }
    bool pair(Talker& talker) { return talker.pair(*device_, secret_); }
    coap::Code call(Talker& talker, std::string_view argument) {
        return Talker::code_of(talker.run(*device_,
                                          kNearby,
                                          {.code = coap::Code::Post,
                                           .resource = "f",
                                           .name = "lamp",
                                           .content = Content{.payload = as_bytes(argument)}}));
    }
    coap::Code hand_over(Talker& talker, const Party& heir) {
        std::array<std::uint8_t, 256> buffer;
        cbor::Writer writer{buffer};
        writer.map(2)
            .uint(1)
            .bytes(heir.credential.bytes())
            .uint(2)
            .bytes(std::array<std::uint8_t, 32>{7});
        return Talker::code_of(
            talker.run(*device_,
                       kNearby,
                       {.code = coap::Code::Put,
                        .resource = "m",
                        .name = "owner",
                        .content = Content{.format = Format::Cbor, .payload = *writer.finish()}}));
    }
    // Nothing of what the device has sealed before and after a boot may share a nonce: the number
    // of a session's next message never goes back.
    std::uint32_t reserved(std::uint8_t slot) {
        const auto counters = keystore::load_counters(*storage_, slot);
        return counters ? counters->reserved : 0;
    }

    SeededEntropy entropy_{21};
    const std::array<std::uint8_t, 16> secret_{1, 2, 3};
    const Party device_party_ = Party::make("lamp 1", entropy_);
    const Party owner_party_ = Party::make("app-1", entropy_);
    const Party heir_party_ = Party::make("app-2", entropy_);
    std::optional<MemoryFlash> flash_;
    std::optional<FlashStorage> storage_;
    std::unique_ptr<Device> device_;
    std::optional<Talker> owner_;
};

TEST_F(PowerCutTest, APairingIsDoneOrNotDone) {
    bool was_cut = true;
    std::size_t steps = 0;
    for (std::size_t step = 0; was_cut; ++step, ++steps) {
        begin(static_cast<std::uint32_t>(step));
        flash_->cut_power_at(step);
        const bool is_paired = pair(*owner_) && call(*owner_, "on") == coap::Code::Changed;
        was_cut = flash_->is_cut();
        ASSERT_TRUE(boot()) << step;
        Talker stranger{heir_party_, entropy_};
        const bool has_owner = device_->server->authority().has_owner();
        ASSERT_TRUE(has_owner || !is_paired) << step;
        ASSERT_FALSE(has_owner && pair(stranger)) << step;
        ASSERT_TRUE(pair(*owner_)) << step;  // in either case
        ASSERT_EQ(call(*owner_, "on"), coap::Code::Changed) << step;
    }
    EXPECT_GT(steps, 100U);
}

TEST_F(PowerCutTest, ACommandRunsOnceAtMostAndNoNumberIsUsedTwice) {
    bool was_cut = true;
    for (std::size_t step = 0; was_cut; ++step) {
        begin(static_cast<std::uint32_t>(step));
        ASSERT_TRUE(pair(*owner_));
        ASSERT_EQ(call(*owner_, "first"), coap::Code::Changed);
        const std::uint32_t before = reserved(0);
        flash_->cut_power_at(step);
        const coap::Code code = call(*owner_, "second");
        const int runs = device_->lamp.calls;
        was_cut = flash_->is_cut();
        ASSERT_LE(runs, 2) << step;
        ASSERT_TRUE(runs == 2 || code != coap::Code::Changed) << step;
        ASSERT_TRUE(boot()) << step;
        ASSERT_GE(reserved(0), before) << step;
        ASSERT_EQ(call(*owner_, "third"), coap::Code::Changed) << step;
        ASSERT_EQ(device_->lamp.last, "third") << step;
    }
}

TEST_F(PowerCutTest, ATakeoverLeavesOneOwner) {
    bool was_cut = true;
    for (std::size_t step = 0; was_cut; ++step) {
        begin(static_cast<std::uint32_t>(step));
        ASSERT_TRUE(pair(*owner_));
        Talker phone{owner_party_, entropy_};
        ASSERT_EQ(call(phone, "here"), coap::Code::Changed);
        flash_->cut_power_at(step);
        (void)hand_over(phone, heir_party_);
        was_cut = flash_->is_cut();
        ASSERT_TRUE(boot()) << step;
        Talker heir{heir_party_, entropy_};
        Talker former{owner_party_, entropy_};
        const bool is_heirs = call(heir, "mine") == coap::Code::Changed;
        ASSERT_NE(is_heirs, call(former, "mine") == coap::Code::Changed) << step;
    }
}

TEST_F(PowerCutTest, AResetIsDoneOrNotDone) {
    bool was_cut = true;
    for (std::size_t step = 0; was_cut; ++step) {
        begin(static_cast<std::uint32_t>(step));
        ASSERT_TRUE(pair(*owner_));
        ASSERT_EQ(call(*owner_, "on"), coap::Code::Changed);
        flash_->cut_power_at(step);
        const bool is_done = device_->server->factory_reset().has_value();
        was_cut = flash_->is_cut();
        ASSERT_TRUE(boot()) << step;
        const bool has_owner = device_->server->authority().has_owner();
        ASSERT_TRUE(!has_owner || !is_done) << step;
        ASSERT_EQ(call(*owner_, "on") == coap::Code::Changed, has_owner) << step;
    }
}

}  // namespace
}  // namespace sotto::session
