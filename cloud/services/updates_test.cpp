// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/updates.hpp"

#include <deque>

#include <gtest/gtest.h>

namespace sotto::cloud::services {
namespace {

constexpr model::AccountId kAnn{1};
constexpr model::AccountId kBob{2};

class Device final : public OpenDevice {
  public:
    const DeviceAttributes& attributes() const override { return attributes_; }
    void call(const std::string&, const std::string&, DeviceDone<Value> done) override {
        done(DeviceError::NoSuch);
    }
    void read(const std::string&, DeviceDone<Value> done) override { done(DeviceError::NoSuch); }
    void ping(DeviceDone<void> done) override { done({}); }
    void signal(bool, DeviceDone<void> done) override { done({}); }
    void update(FirmwarePtr firmware, UpdateSteps steps) override {
        images.push_back(std::move(firmware));
        updates.push_back(std::move(steps));
    }
    void on_event(const Event&) override {}
    void on_replaced() override {}

    void fail(UpdateError error, const char* why = "why") {
        updates.back().on_end(UpdateFailure{error, why});
    }

    std::vector<FirmwarePtr> images;
    std::vector<UpdateSteps> updates;

  private:
    DeviceAttributes attributes_;
};

FirmwarePtr make_firmware(std::size_t size = 1'000) {
    return std::make_shared<const Firmware>(
        Firmware{.name = "fw.bin", .bytes = std::vector<std::uint8_t>(size)});
}

class UpdatesTest : public testing::Test {
  protected:
    static model::DeviceId id(std::uint16_t number) {
        return {0xaa, static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)};
    }
    Device& connect(std::uint16_t number) {
        lines_.push_back(std::make_unique<Device>());
        devices_.on_connected(id(number), *lines_.back());
        settle();
        return *lines_.back();
    }
    void settle() {
        while (!posted_.empty()) {
            const auto function = std::move(posted_.front());
            posted_.pop_front();
            function();
        }
    }
    void begin(std::uint16_t number, FirmwarePtr firmware = make_firmware()) {
        updates_.begin({.device = id(number),
                        .owner = kAnn,
                        .firmware = std::move(firmware),
                        .on_begun = [this](const auto& result) { begun_.push_back(result); },
                        .on_end = [this](const auto& result) { ended_.push_back(result); }});
    }
    // What was said of updates since it was asked last.
    std::vector<std::string> told() {
        std::vector<std::string> texts;
        while (const EventPtr event = ring_.next({.owner = kAnn}, read_until_)) {
            if (event->what.name == "spark/flash/status") texts.push_back(*event->what.data);
        }
        return texts;
    }
    void pass(Duration time) {
        now_ = now_ + time;
        updates_.on_time();
    }

    Instant now_{1'000};
    std::deque<std::function<void()>> posted_;
    std::vector<std::unique_ptr<Device>> lines_;
    std::vector<UpdateResult> begun_;
    std::vector<UpdateResult> ended_;
    std::uint64_t read_until_ = 0;
    EventRing ring_{Instant{1}};
    OpenDevices devices_{ring_,
                         {.load_owner = [](const model::DeviceId&,
                                           const auto& done) { done(OpenDevices::Owner{kAnn}); },
                          .on_claim_code = {},
                          .save_traces = [](const auto&, const auto&) {},
                          .now = [this] { return now_; },
                          .on_online = [this](const auto& device,
                                              auto owner) { updates_.on_online(device, owner); }}};
    Updates updates_{devices_,
                     {.now = [this] { return now_; },
                      .later = [this](auto function) { posted_.push_back(std::move(function)); }}};
};

using Texts = std::vector<std::string>;

TEST_F(UpdatesTest, AreToldOfInTenSteps) {
    Device& device = connect(1);
    begin(1);
    EXPECT_TRUE(begun_.empty());
    for (std::size_t taken = 0; taken <= 1'000; taken += 50) device.updates[0].on_progress(taken);
    ASSERT_EQ(begun_.size(), 1U);
    EXPECT_TRUE(begun_[0]);
    ASSERT_TRUE(updates_.find(id(1), kAnn));
    EXPECT_EQ(updates_.find(id(1), kAnn)->taken, 1'000U);
    EXPECT_FALSE(updates_.find(id(1), kBob));
    device.updates[0].on_end({});
    EXPECT_EQ(told(),
              (Texts{"started fw.bin",
                     "progress 10%",
                     "progress 20%",
                     "progress 30%",
                     "progress 40%",
                     "progress 50%",
                     "progress 60%",
                     "progress 70%",
                     "progress 80%",
                     "progress 90%",
                     "success "}));
    ASSERT_EQ(ended_.size(), 1U);
    EXPECT_TRUE(ended_[0]);
    EXPECT_EQ(updates_.count(), 0U);
}

TEST_F(UpdatesTest, OfADeviceThatRefusesFailForWhoeverSentThem) {
    Device& device = connect(1);
    begin(1);
    device.fail(UpdateError::WrongImage, "for others");
    ASSERT_EQ(begun_.size(), 1U);
    EXPECT_EQ(begun_[0].error().why, "for others");
    EXPECT_EQ(ended_.size(), 1U);
    EXPECT_EQ(told(), Texts{});
    begin(1);
    device.updates.back().on_progress(0);
    device.fail(UpdateError::Failed, "it is so");
    EXPECT_EQ(told(), (Texts{"started fw.bin", "failed it is so"}));
}

TEST_F(UpdatesTest, GoOnWhenTheDeviceComesBackAndAreToldOfOnce) {
    Device& first = connect(1);
    begin(1);
    first.updates[0].on_progress(500);
    devices_.on_disconnected(id(1), first);
    first.fail(UpdateError::Interrupted);
    EXPECT_TRUE(updates_.find(id(1), kAnn)->is_waiting);
    pass(Duration{kUpdateReturnTime.ms - 1});
    Device& second = connect(1);
    ASSERT_EQ(second.updates.size(), 1U);
    EXPECT_EQ(second.images[0], first.images[0]);
    first.updates[0].on_progress(900);  // late
    EXPECT_EQ(updates_.find(id(1), kAnn)->taken, 0U);
    second.updates[0].on_progress(500);
    second.updates[0].on_end({});
    EXPECT_EQ(told(), (Texts{"started fw.bin", "progress 50%", "success "}));
    EXPECT_EQ(begun_.size(), 1U);
    EXPECT_EQ(ended_.size(), 1U);
}

// Its former connection may end later than the new one begins.
TEST_F(UpdatesTest, GoOnOverANewConnectionThoughTheOldOneDoesNotKnowItsEnd) {
    Device& first = connect(1);
    begin(1);
    first.updates[0].on_progress(0);
    Device& second = connect(1);
    first.fail(UpdateError::Interrupted);
    ASSERT_EQ(second.updates.size(), 1U);
    EXPECT_FALSE(updates_.find(id(1), kAnn)->is_waiting);
    second.updates[0].on_end({});
    EXPECT_EQ(told(), (Texts{"started fw.bin", "success "}));
}

TEST_F(UpdatesTest, OfADeviceThatDoesNotComeBackFail) {
    Device& device = connect(1);
    begin(1);
    device.updates[0].on_progress(500);
    devices_.on_disconnected(id(1), device);
    device.fail(UpdateError::Interrupted);
    pass(kUpdateReturnTime);
    EXPECT_EQ(told(),
              (Texts{"started fw.bin",
                     "progress 50%",
                     "failed the device went away in the middle of it and did not come back"}));
    EXPECT_EQ(updates_.count(), 0U);
    EXPECT_FALSE(ended_.at(0));
}

TEST_F(UpdatesTest, AreTriedAFewTimes) {
    for (int i = 0; i < kUpdateTriesMax; ++i) {
        Device& device = connect(1);
        if (i == 0) begin(1);
        ASSERT_EQ(device.updates.size(), 1U);
        device.updates[0].on_progress(0);
        EXPECT_TRUE(ended_.empty());
        devices_.on_disconnected(id(1), device);
        device.fail(UpdateError::Interrupted, "it ended");
    }
    EXPECT_EQ(told(), (Texts{"started fw.bin", "failed it ended"}));
    EXPECT_EQ(updates_.count(), 0U);
    // And where no connection says of its end.
    for (int i = 0; i < kUpdateTriesMax; ++i) {
        connect(2);
        if (i == 0) begin(2);
    }
    EXPECT_EQ(updates_.count(), 1U);
    connect(2);
    EXPECT_EQ(updates_.count(), 0U);
}

TEST_F(UpdatesTest, OfADeviceThatTakesItsTimeAreSaidToHaveBegun) {
    Device& device = connect(1);
    begin(1);
    pass(Duration{kUpdateAnswerTime.ms - 1});
    EXPECT_TRUE(begun_.empty());
    pass(milliseconds(1));
    ASSERT_EQ(begun_.size(), 1U);
    EXPECT_TRUE(begun_[0]);
    device.fail(UpdateError::Failed);
    EXPECT_EQ(begun_.size(), 1U);
    EXPECT_EQ(told(), (Texts{"started fw.bin", "failed why"}));
}

TEST_F(UpdatesTest, AreOneOfADeviceAndOfOnesOwnThatAreThere) {
    connect(1);
    begin(1);
    begin(1);
    ASSERT_EQ(begun_.size(), 1U);
    EXPECT_EQ(begun_[0].error().error, UpdateError::Busy);
    begin(2);
    EXPECT_EQ(begun_.at(1).error().error, UpdateError::NotConnected);
    updates_.begin({.device = id(1),
                    .owner = kBob,
                    .firmware = make_firmware(),
                    .on_begun = [this](const auto& result) { begun_.push_back(result); }});
    EXPECT_FALSE(begun_.at(2));
    EXPECT_EQ(updates_.count(), 1U);
}

TEST_F(UpdatesTest, AreBoundedInNumberAndInWhatTheyHold) {
    const FirmwarePtr shared = make_firmware();
    for (std::uint16_t i = 0; i <= kUpdatesMax; ++i) {
        connect(i);
        begin(i, shared);
    }
    EXPECT_EQ(updates_.count(), kUpdatesMax);
    ASSERT_EQ(begun_.size(), 1U);
    EXPECT_EQ(begun_[0].error().error, UpdateError::Busy);
    for (auto& line : lines_)
        if (!line->updates.empty()) line->updates[0].on_end({});
    EXPECT_EQ(updates_.count(), 0U);
    EXPECT_EQ(shared.use_count(), 1 + static_cast<long>(kUpdatesMax));  // of the devices here
    begun_.clear();
    begin(1, make_firmware(kUpdateBytesMax));
    begin(2);
    // What is the same is there once.
    begin(3, make_firmware(kUpdateBytesMax));
    EXPECT_EQ(updates_.count(), 2U);
    EXPECT_EQ(lines_[1]->images.back(), lines_[3]->images.back());
    ASSERT_EQ(begun_.size(), 1U);
    EXPECT_EQ(begun_[0].error().error, UpdateError::Busy);
}

}  // namespace
}  // namespace sotto::cloud::services
