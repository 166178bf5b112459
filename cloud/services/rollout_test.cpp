// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/rollout.hpp"

#include <deque>
#include <set>

#include <gtest/gtest.h>

#include "cloud/services/rollouts.hpp"
#include "cloud/store/memory_store.hpp"

namespace sotto::cloud::services {
namespace {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

TEST(Rollout, BeginsWithAFewAndGrowsWithEachThatSucceeds) {
    Rollout rollout{{}};
    std::size_t begun = 0;
    while (rollout.may_begin()) {
        rollout.on_begun();
        ++begun;
    }
    EXPECT_EQ(begun, kRolloutFirst);
    rollout.on_success();
    EXPECT_EQ(rollout.room() - rollout.active(), 1 + kRolloutGrowth);
    rollout.on_begun();
    rollout.on_void();
    EXPECT_EQ(rollout.record().succeeded, 1U);
    EXPECT_EQ(rollout.record().recent, "+") << "what came to nothing says nothing";
    for (std::size_t i = 0; i < kRolloutAtOnceMax; ++i) {
        rollout.on_begun();
        rollout.on_success();
    }
    EXPECT_EQ(rollout.room(), kRolloutAtOnceMax);
    EXPECT_EQ(rollout.record().recent.size(), kRolloutWindow);
}

// 'x' fails, 'o' succeeds; how many until it is stopped, 0: it is not.
std::size_t stopped_after(std::string_view outcomes) {
    Rollout rollout{{}};
    std::size_t count = 0;
    for (const char outcome : outcomes) {
        ++count;
        rollout.on_begun();
        if (outcome == 'o')
            rollout.on_success();
        else if (rollout.on_failure("no room"))
            return count;
    }
    return 0;
}

TEST(Rollout, IsStoppedWhereTooManyOfTheLastFailed) {
    EXPECT_EQ(stopped_after("xx"), 0U);
    EXPECT_EQ(stopped_after("xxx"), 3U);
    EXPECT_EQ(stopped_after("oxoxox"), 6U);
    EXPECT_EQ(stopped_after("oooooooooooooxxx"), 0U) << "3 of 16";
    EXPECT_EQ(stopped_after("ooooooooooooooooooooxxxxxx"), 26U) << "6 of the last 20";
    std::string rare;
    for (int i = 0; i < 100; ++i) rare += "oooox";
    EXPECT_EQ(stopped_after(rare), 0U) << "a fifth";
}

TEST(Rollout, GoesOnAfterARestartWithWhatItHasComeTo) {
    Rollout before{{.version = 3}};
    for (int i = 0; i < 2; ++i) {
        before.on_begun();
        before.on_failure("no room");
    }
    before.on_begun();
    Rollout after{before.record()};
    EXPECT_EQ(after.active(), 0U);
    after.on_begun();
    EXPECT_TRUE(after.on_failure("it vanished"));
    EXPECT_EQ(after.record().state, ReleaseState::Stopped);
    EXPECT_EQ(after.record().why, "3 of the last 3 updates failed, the last one: it vanished");
    EXPECT_FALSE(after.may_begin());
    Rollout stopped{after.record()};
    EXPECT_FALSE(stopped.may_begin());
    stopped.on_begun();
    EXPECT_FALSE(stopped.on_failure("again")) << "it is told once";
}

constexpr AccountId kAnn{1};
constexpr ProductId kLamps{1'000};

DeviceId lamp(std::uint8_t number) { return {0xaa, number}; }

class Lamp final : public OpenDevice {
  public:
    explicit Lamp(std::uint16_t version) {
        attributes_.product_id = kLamps.value();
        attributes_.firmware_version = version;
    }
    const DeviceAttributes& attributes() const override { return attributes_; }
    void call(const std::string&, const std::string&, DeviceDone<Value> done) override {
        done(DeviceError::NoSuch);
    }
    void read(const std::string&, DeviceDone<Value> done) override { done(DeviceError::NoSuch); }
    void ping(DeviceDone<void> done) override { done({}); }
    void signal(bool, DeviceDone<void> done) override { done({}); }
    void update(FirmwarePtr firmware, UpdateSteps given) override {
        sent = std::move(firmware);
        steps = std::move(given);
        steps.on_progress(0);
    }
    void on_event(const Event&) override {}
    void on_replaced() override {}

    FirmwarePtr sent;
    UpdateSteps steps;

  private:
    DeviceAttributes attributes_;
};

class RolloutsTest : public ::testing::Test {
  protected:
    RolloutsTest() {
        store.create_account("ann", now, [](const auto&) {});
        const ProductRecord product{.id = kLamps, .account = kAnn, .slug = "lamps"};
        store.add_product(product, [](const auto&) {});
        fleet.put(product);
        add_firmware(1);
        add_firmware(2);
        begin();
    }
    // The cloud starts, with what the store has.
    void begin() {
        rollouts.reset();
        updates.reset();
        lamps.clear();
        devices.emplace(
            ring,
            OpenDevices::Config{
                .load_owner = [](const auto&, auto done) { done(OpenDevices::Owner{kAnn}); },
                .on_claim_code = [](const auto&, const auto&) {},
                .save_traces = [](const auto&, const auto&) {},
                .now = [this] { return now; },
                .on_online =
                    [this](const DeviceId& device, AccountId owner) {
                        updates->on_online(device, owner);
                        rollouts->on_online(device, owner);
                    },
                .on_published =
                    [this](const EventPtr& event) {
                        if (event->what.name == "sotto/release/stopped")
                            stopped.push_back(*event->what.data);
                    }});
        updates.emplace(
            *devices,
            Updates::Config{
                .now = [this] { return now; },
                .later = [this](auto function) { posted.push_back(std::move(function)); }});
        rollouts.emplace(
            store,
            fleet,
            *devices,
            *updates,
            Rollouts::Config{.now = [this] { return now; },
                             .draw = [this](std::uint32_t below) { return ++drawn * 997 % below; },
                             .spread = seconds(30)});
    }
    void add_firmware(FirmwareVersion version) {
        const FirmwareRecord record{
            .product = kLamps, .version = version, .file_name = "fw.bin", .size = 3};
        store.add_firmware(
            kAnn, record, {1, 2, static_cast<std::uint8_t>(version)}, [](const auto&) {});
        fleet.put(record);
    }
    ProductDevice add_device(std::uint8_t number, ProductDevice device = {}) {
        device.product = kLamps;
        device.device = lamp(number);
        store.add_product_device(kAnn, device, [](const auto&) {});
        fleet.put(device);
        settle();
        return device;
    }
    void connect(std::uint8_t number, std::uint16_t version) {
        disconnect(number);
        Lamp& device = lamps.try_emplace(number, version).first->second;
        devices->on_connected(lamp(number), device);
        settle();
    }
    void disconnect(std::uint8_t number) {
        const auto found = lamps.find(number);
        if (found == lamps.end()) return;
        devices->on_disconnected(lamp(number), found->second);
        lamps.erase(found);
    }
    ReleaseRecord release(FirmwareVersion version, bool is_immediate = false) {
        ReleaseRecord made;
        store.add_release(kAnn,
                          {.product = kLamps,
                           .version = version,
                           .is_default = true,
                           .is_immediate = is_immediate},
                          [&made](const auto& added) { made = *added; });
        settle();
        fleet.put(made);
        rollouts->on_release(made);
        return made;
    }
    ReleaseRecord stored() {
        std::vector<ReleaseRecord> all;
        store.list_releases([&all](const auto& list) { all = *list; });
        settle();
        return all.back();
    }
    void pass(Duration time) {
        const Instant end = now + time;
        while (now < end) {
            now = std::min(end, now + seconds(1));
            updates->on_time();
            rollouts->on_time();
            settle();
        }
    }
    // Those that are being sent something.
    std::set<int> active() {
        std::set<int> numbers;
        for (auto& [number, device] : lamps) {
            if (device.sent) numbers.insert(number);
        }
        return numbers;
    }
    // It takes it, goes, and is back with it.
    void finish(std::uint8_t number, std::uint16_t version) {
        const auto on_end = lamps.at(number).steps.on_end;
        lamps.at(number).sent = nullptr;
        on_end({});
        connect(number, version);
    }
    void break_off(std::uint8_t number, UpdateError error = UpdateError::Refused) {
        const auto on_end = lamps.at(number).steps.on_end;
        lamps.at(number).sent = nullptr;
        on_end(UpdateFailure{error, "it does not want it"});
        settle();
    }
    UpdateTrouble trouble(std::uint8_t number) {
        return fleet.find(kLamps)->devices.at(lamp(number)).trouble;
    }
    void settle() {
        while (!posted.empty()) {
            const auto function = std::move(posted.front());
            posted.pop_front();
            function();
        }
    }

    Instant now{1'800'000'000'000};
    std::deque<std::function<void()>> posted;
    store::MemoryStore store{[this](auto function) { posted.push_back(std::move(function)); }};
    EventRing ring{now};
    Fleet fleet;
    std::map<std::uint8_t, Lamp> lamps;
    std::optional<OpenDevices> devices;
    std::optional<Updates> updates;
    std::optional<Rollouts> rollouts;
    std::vector<std::string> stopped;
    std::uint32_t drawn = 0;
};

TEST_F(RolloutsTest, ADeviceIsUpdatedWhenItComesTheNextTimeWithinTheSpread) {
    add_device(1);
    connect(1, 1);
    const auto made = release(2);
    pass(minutes(2));
    EXPECT_TRUE(active().empty()) << "it was here before";
    connect(1, 1);
    EXPECT_EQ(rollouts->progress(made.id).waiting, 1U);
    EXPECT_TRUE(active().empty());
    pass(seconds(31));
    ASSERT_EQ(active(), std::set<int>{1});
    EXPECT_EQ(lamps.at(1).sent->bytes, (std::vector<std::uint8_t>{1, 2, 2}));
    EXPECT_EQ(lamps.at(1).sent->name, "fw.bin");
    EXPECT_EQ(rollouts->progress(made.id).updating, 1U);
    finish(1, 2);
    EXPECT_EQ(rollouts->progress(made.id).updating, 0U);
    EXPECT_EQ(stored().succeeded, 1U);
    pass(minutes(2));
    connect(1, 2);
    pass(minutes(2));
    EXPECT_TRUE(active().empty()) << "it has it";
}

TEST_F(RolloutsTest, AnImmediateReleaseReachesThoseThatAreThereAFewFirst) {
    for (std::uint8_t i = 1; i <= 20; ++i) {
        add_device(i);
        connect(i, 1);
    }
    const auto made = release(2, true);
    pass(seconds(31));
    const auto first = active();
    EXPECT_EQ(first.size(), kRolloutFirst);
    EXPECT_EQ(rollouts->progress(made.id).waiting, 20 - kRolloutFirst);
    finish(static_cast<std::uint8_t>(*first.begin()), 2);
    pass(seconds(2));
    EXPECT_EQ(active().size(), kRolloutFirst + kRolloutGrowth);
    while (!active().empty()) {
        finish(static_cast<std::uint8_t>(*active().begin()), 2);
        pass(seconds(2));
    }
    EXPECT_EQ(stored().succeeded, 20U);
    EXPECT_EQ(stored().state, ReleaseState::Running) << "for those that come later";
    add_device(30);
    connect(30, 1);
    pass(seconds(31));
    EXPECT_EQ(active(), std::set<int>{30});
}

TEST_F(RolloutsTest, ABadReleaseIsStoppedAndTheRestIsLeftAlone) {
    for (std::uint8_t i = 1; i <= 20; ++i) {
        add_device(i);
        connect(i, 1);
    }
    const auto made = release(2, true);
    pass(seconds(31));
    const auto first = active();
    ASSERT_EQ(first.size(), 3U);
    for (const int number : first) finish(static_cast<std::uint8_t>(number), 1);
    EXPECT_EQ(stopped.size(), 1U);
    EXPECT_NE(stopped.at(0).find("version 2: 3 of the last 3 updates failed"), std::string::npos)
        << stopped.at(0);
    EXPECT_NE(stopped.at(0).find("came back with version 1"), std::string::npos);
    EXPECT_EQ(stored().state, ReleaseState::Stopped);
    pass(minutes(10));
    connect(7, 1);
    pass(minutes(10));
    EXPECT_TRUE(active().empty());
    EXPECT_EQ(rollouts->progress(made.id).waiting, 0U);
    begin();
    connect(8, 1);
    pass(minutes(10));
    EXPECT_TRUE(active().empty()) << "also after a restart of the cloud";
    release(1, true);
    pass(minutes(1));
    EXPECT_TRUE(active().empty()) << "they have the version before";
    release(2, true);
    pass(minutes(1));
    EXPECT_EQ(active(), std::set<int>{8}) << "released anew, it is begun anew";
}

TEST_F(RolloutsTest, ADeviceThatDoesNotComeBackCountsAsAFailure) {
    for (std::uint8_t i = 1; i <= 3; ++i) {
        add_device(i);
        connect(i, 1);
    }
    release(2, true);
    pass(seconds(31));
    for (std::uint8_t i = 1; i <= 3; ++i) {
        lamps.at(i).steps.on_end({});
        disconnect(i);
    }
    pass(kUpdateReturnTime);
    EXPECT_EQ(stopped.size(), 1U);
    EXPECT_EQ(trouble(2).why, "the device did not come back after it");
}

TEST_F(RolloutsTest, OneDeviceThatFailsRestsAndIsLeftAloneInTheEnd) {
    add_device(1);
    release(2);
    connect(1, 1);
    Duration pause = kUpdateRetryFirst;
    for (int failures = 1; failures <= kUpdateFailuresMax; ++failures) {
        pass(seconds(31));
        ASSERT_EQ(active(), std::set<int>{1}) << failures;
        break_off(1);
        EXPECT_EQ(trouble(1).failures, failures);
        EXPECT_EQ(trouble(1).why, "it does not want it");
        connect(1, 1);
        pass(milliseconds(pause.ms - 2'000));
        EXPECT_TRUE(active().empty()) << failures;
        pass(seconds(90));
        pause = std::min(milliseconds(pause.ms * 4), kUpdateRetryMax);
    }
    EXPECT_EQ(stored().failed, 1U) << "one device is one failure";
    EXPECT_EQ(stored().state, ReleaseState::Running);
    now = now + days(2);
    pass(minutes(2));
    connect(1, 1);
    pass(minutes(2));
    EXPECT_TRUE(active().empty());
}

TEST_F(RolloutsTest, AfterSoManyFailuresOnlyItsUserBeginsAgain) {
    ProductDevice device;
    device.desired_version = 2;
    device.trouble = {.version = 2, .failures = kUpdateFailuresMax, .retry_at = now, .why = "x"};
    add_device(1, device);
    connect(1, 1);
    pass(minutes(60));
    EXPECT_TRUE(active().empty());
    rollouts->on_changed(lamp(1), kAnn, true);
    pass(seconds(1));
    EXPECT_EQ(active(), std::set<int>{1});
    finish(1, 2);
    EXPECT_EQ(trouble(1), UpdateTrouble{});
}

TEST_F(RolloutsTest, WhatCameToNothingIsNoFailure) {
    add_device(1);
    release(2);
    connect(1, 1);
    pass(seconds(31));
    break_off(1, UpdateError::Busy);
    EXPECT_EQ(stored().failed, 0U);
    EXPECT_EQ(trouble(1).failures, 0);
    pass(kUpdateBusyPause);
    EXPECT_EQ(active(), std::set<int>{1}) << "it waits its time";
    break_off(1, UpdateError::NotConnected);
    disconnect(1);
    pass(minutes(2));
    EXPECT_EQ(stored().failed, 0U);
    connect(1, 1);
    pass(seconds(31));
    EXPECT_EQ(active(), std::set<int>{1});
}

TEST_F(RolloutsTest, DevicesInDevelopmentOrQuarantineAreLeftAlone) {
    ProductDevice development;
    development.is_development = true;
    add_device(1, development);
    ProductDevice quarantined;
    quarantined.membership = Membership::Quarantined;
    add_device(2, quarantined);
    ProductDevice denied;
    denied.membership = Membership::Denied;
    add_device(3, denied);
    for (std::uint8_t i = 1; i <= 4; ++i) connect(i, 1);
    release(2, true);
    pass(minutes(2));
    for (std::uint8_t i = 1; i <= 4; ++i) connect(i, 1);
    pass(minutes(2));
    EXPECT_TRUE(active().empty());
}

TEST_F(RolloutsTest, AnUpdateThatARestartOfTheCloudBrokeOffIsBegunAnew) {
    add_device(1);
    const auto made = release(2);
    connect(1, 1);
    pass(seconds(31));
    ASSERT_EQ(active(), std::set<int>{1});
    begin();
    connect(1, 1);
    pass(seconds(31));
    EXPECT_EQ(active(), std::set<int>{1});
    finish(1, 2);
    EXPECT_EQ(stored().succeeded, 1U);
    EXPECT_EQ(rollouts->progress(made.id).updating, 0U);
}

TEST_F(RolloutsTest, ANewerReleaseTakesTheTurnOfOneThatWaits) {
    add_device(1);
    release(2);
    connect(1, 1);
    add_firmware(3);
    const auto newer = release(3, true);
    pass(seconds(62));
    ASSERT_EQ(active(), std::set<int>{1});
    EXPECT_EQ(lamps.at(1).sent->bytes.back(), 3);
    // And while one is on its way, the newer one follows.
    add_firmware(4);
    const auto last = release(4);
    finish(1, 3);
    EXPECT_EQ(rollouts->progress(newer.id).updating, 0U);
    EXPECT_EQ(rollouts->progress(last.id).waiting, 1U);
    pass(seconds(31));
    EXPECT_EQ(lamps.at(1).sent->bytes.back(), 4);
}

TEST_F(RolloutsTest, AReasonIsCut) {
    add_device(1);
    release(2);
    connect(1, 1);
    pass(seconds(31));
    lamps.at(1).steps.on_end(UpdateFailure{UpdateError::Failed, std::string(9'999, 'x')});
    EXPECT_EQ(trouble(1).why.size(), kWhySizeMax);
}

}  // namespace
}  // namespace sotto::cloud::services
