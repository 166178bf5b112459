// SPDX-License-Identifier: Apache-2.0
// The cloud as a guest, over its own router, without a device. With devices:
// tests/integration/openings_test.cpp.
#include "cloud/server/openings.hpp"

#include <deque>

#include <gtest/gtest.h>

#include "cloud/server/limits.hpp"
#include "cloud/store/memory_store.hpp"
#include "core/keystore/private_key.hpp"
#include "testing/seeded_entropy.hpp"

namespace sotto::cloud::server {
namespace {

class OpeningsTest : public ::testing::Test {
  protected:
    OpeningsTest() {
        store_.create_account("ann", now_, [](const auto&) {});
        settle();
    }
    static model::Opening opening(std::uint32_t number) {
        model::Opening opening{
            .account = model::AccountId{1}, .name = "lamp", .token = {1}, .scope = "f/lamp"};
        for (std::size_t i = 0; i < 4; ++i)
            opening.device[i] = static_cast<std::uint8_t>(number >> (8 * i));
        std::ranges::copy(opening.device, opening.credential.begin());
        return opening;
    }
    void settle() {
        while (!posted_.empty()) {
            const auto function = std::move(posted_.front());
            posted_.pop_front();
            function();
            hub_.pump();
        }
    }

    Instant now_{1'000};
    std::deque<std::function<void()>> posted_;
    store::MemoryStore store_{[this](auto function) { posted_.push_back(std::move(function)); }};
    services::Hub hub_{
        store_,
        {.router = {.credential = {}, .hash_token = [](auto) { return model::TokenHash{}; }},
         .now = [this] { return now_; },
         .on_device_event = nullptr}};
    services::EventRing ring_{now_};
    services::OpenDevices devices_{
        ring_,
        {.load_owner = [](const auto&, auto done) { done(std::optional{model::AccountId{1}}); },
         .on_claim_code = nullptr,
         .save_traces = [](const auto&, const auto&) {},
         .now = [this] { return now_; }}};
    testing::SeededEntropy entropy_{1};
    const crypto::DhPrivateKey key_ = *keystore::draw_private_key(entropy_);
    const cose::Credential credential_ =
        *cose::Credential::create("cloud-guest", crypto::dh_public(key_));
    std::string text_;
    ports::Log log_{{.write = [this](std::string_view line) { text_ += line; },
                     .now = [this] { return now_; }}};
    std::vector<std::vector<std::uint8_t>> sent_;
    GuestLine::World world_{
        .devices = devices_,
        .identity = {.credential = credential_, .private_key = key_},
        .entropy = entropy_,
        .now = [this] { return now_; },
        .send = [this](const model::Opening&,
                       Bytes message) { sent_.emplace_back(message.begin(), message.end()); },
        .on_refused = nullptr};
};

TEST_F(OpeningsTest, BeyondSoManyNoMoreAreServed) {
    Openings openings{{.store = store_,
                       .hub = hub_,
                       .devices = devices_,
                       .identity = {.credential = credential_, .private_key = key_},
                       .entropy = entropy_,
                       .log = log_,
                       .later = [this](auto function) { posted_.push_back(std::move(function)); },
                       .now = [this] { return now_; }}};
    for (std::uint32_t i = 0; i < kOpeningsMax; ++i) openings.open(opening(i));
    settle();
    EXPECT_EQ(openings.count(), kOpeningsMax);
    EXPECT_EQ(text_, "");
    openings.open(opening(0));
    EXPECT_EQ(text_, "") << "in the place of what was";
    openings.open(opening(kOpeningsMax));
    EXPECT_EQ(openings.count(), kOpeningsMax);
    EXPECT_NE(text_.find("too-many-openings"), std::string::npos);
    EXPECT_EQ(hub_.line_count(), 1U) << "one channel for an account";
    openings.close(opening(7).device);
    openings.open(opening(kOpeningsMax));
    EXPECT_EQ(openings.count(), kOpeningsMax);
}

TEST_F(OpeningsTest, ADeviceThatDoesNotAnswerIsAskedAgain) {
    GuestLine line{world_, opening(1)};
    line.on_up();
    EXPECT_FALSE(sent_.empty());
    const auto pass = [&](Duration duration) {
        for (const Instant end = now_ + duration; now_ < end; now_ = now_ + seconds(1))
            line.on_time(now_);
    };
    pass(seconds(32));
    sent_.clear();
    pass(milliseconds(kProbeAgainAfter.ms - 5'000));
    EXPECT_TRUE(sent_.empty()) << "it is left alone for a while";
    pass(seconds(10));
    EXPECT_FALSE(sent_.empty());
    EXPECT_EQ(devices_.count(), 0U);
}

TEST_F(OpeningsTest, WhoeverWaitsIsAnsweredWhenTheWayIsCut) {
    auto line = std::make_unique<GuestLine>(world_, opening(1));
    line->on_up();
    std::vector<services::DeviceError> errors;
    const auto note = [&](const auto& given) { errors.push_back(given.error()); };
    line->call("lamp", "on", note);
    line->call("door", "on", note);
    EXPECT_EQ(errors, std::vector{services::DeviceError::Sealed}) << "without asking the device";
    line->on_down();
    EXPECT_EQ(errors.back(), services::DeviceError::NotConnected);
    line->on_up();
    line->call("lamp", "on", note);
    line.reset();
    EXPECT_EQ(errors.size(), 3U);
}

}  // namespace
}  // namespace sotto::cloud::server
