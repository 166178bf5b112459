// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/open_devices.hpp"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "cloud/services/limits.hpp"

namespace sotto::cloud::services {
namespace {

constexpr model::AccountId kAnn{1};
constexpr model::AccountId kBob{2};
constexpr model::DeviceId kLamp{0x01};
constexpr model::DeviceId kDoor{0x02};

class Reader final : public EventListener {
  public:
    Reader(EventRing& ring, EventFilter filter)
        : ring_(ring), filter_(std::move(filter)), cursor_(ring.last_id()) {
        ring_.listen(filter_.owner, *this);
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() { ring_.unlisten(filter_.owner, *this); }

    void on_news() override {
        ++news;
        while (const EventPtr event = ring_.next(filter_, cursor_)) {
            names.push_back(event->what.name + "=" + event->what.data.value_or("-"));
        }
    }

    int news = 0;
    std::vector<std::string> names;

  private:
    EventRing& ring_;
    EventFilter filter_;
    std::uint64_t cursor_;
};

using Names = std::vector<std::string>;

Event event_of(model::AccountId owner, std::string name) {
    return {.owner = owner, .what = {.name = std::move(name), .data = "x"}};
}

TEST(EventRing, AListenerGetsWhatPassesItsFilterAndNothingOfAnotherAccount) {
    EventRing ring{Instant{1}};
    Reader all{ring, {.owner = kAnn}};
    Reader some{ring, {.owner = kAnn, .prefix = "temp"}};
    Reader lamp{ring, {.owner = kAnn, .publisher = kLamp}};
    Reader other{ring, {.owner = kBob}};
    ring.publish(event_of(kAnn, "temperature"));
    ring.publish(event_of(kAnn, "Temp"));
    Event of_lamp = event_of(kAnn, "lit");
    of_lamp.publisher = kLamp;
    ring.publish(of_lamp);
    EXPECT_EQ(all.names, (Names{"temperature=x", "Temp=x", "lit=x"}));
    EXPECT_EQ(some.names, Names{"temperature=x"});
    EXPECT_EQ(lamp.names, Names{"lit=x"});
    EXPECT_EQ(other.news, 0);
}

TEST(EventRing, WhoComesBackReadsOnWhereItWas) {
    EventRing ring{Instant{1}};
    const std::uint64_t first = ring.publish(event_of(kAnn, "1"))->id;
    ring.publish(event_of(kBob, "secret"));
    ring.publish(event_of(kAnn, "2"));
    std::uint64_t cursor = first;
    const EventPtr next = ring.next({.owner = kAnn}, cursor);
    ASSERT_NE(next, nullptr);
    EXPECT_EQ(next->what.name, "2");
    EXPECT_EQ(ring.next({.owner = kAnn}, cursor), nullptr);
    cursor = 0;
    EXPECT_EQ(ring.next({.owner = kAnn}, cursor)->what.name, "1");
}

TEST(EventRing, IdsRiseOverARestartAndFitIntoADouble) {
    EventRing before{Instant{1'800'000'000'000}};
    std::uint64_t last = 0;
    for (int i = 0; i < 1'000; ++i) last = before.publish(event_of(kAnn, "e"))->id;
    EventRing after{Instant{1'800'000'000'001}};
    EXPECT_GT(after.publish(event_of(kAnn, "e"))->id, last);
    EXPECT_LT(after.last_id(), std::uint64_t{1} << 53);
}

TEST(EventRing, KeepsSoManyEventsOfAnAccountAndTheOldestGo) {
    EventRing ring{Instant{1}};
    const std::uint64_t first = ring.publish(event_of(kAnn, "first"))->id;
    ring.publish(event_of(kBob, "of bob"));
    for (std::size_t i = 0; i < kEventsPerAccountMax; ++i) ring.publish(event_of(kAnn, "more"));
    std::uint64_t cursor = first - 1;
    EXPECT_EQ(ring.next({.owner = kAnn}, cursor)->what.name, "more");
    cursor = 0;
    EXPECT_EQ(ring.next({.owner = kBob}, cursor)->what.name, "of bob");
}

TEST(EventRing, KeepsSoManyBytesOfAnAccount) {
    EventRing ring{Instant{1}};
    Event large = event_of(kAnn, "large");
    large.what.data = std::string(kEventBytesPerAccountMax / 4, 'x');
    for (int i = 0; i < 100; ++i) ring.publish(large);
    EXPECT_LE(ring.bytes(), kEventBytesPerAccountMax);
    std::uint64_t cursor = 0;
    EXPECT_NE(ring.next({.owner = kAnn}, cursor), nullptr);
}

TEST(EventRing, KeepsSoManyBytesOfAllAccountsAndForgetsTheOldestFirst) {
    EventRing ring{Instant{1}};
    Event large = event_of(kAnn, "large");
    large.what.data = std::string(kEventBytesPerAccountMax / 2, 'x');
    constexpr std::int64_t kAccounts = 2 * kEventBytesMax / (kEventBytesPerAccountMax / 2);
    for (std::int64_t account = 1; account <= kAccounts; ++account) {
        large.owner = model::AccountId{account};
        ring.publish(large);
        ASSERT_LE(ring.bytes(), kEventBytesMax);
    }
    std::uint64_t cursor = 0;
    EXPECT_EQ(ring.next({.owner = model::AccountId{1}}, cursor), nullptr);
    cursor = 0;
    EXPECT_NE(ring.next({.owner = model::AccountId{kAccounts}}, cursor), nullptr);
}

TEST(EventRing, AListenerMayGoWhileItIsTold) {
    struct Leaver final : EventListener {
        EventRing& ring;
        explicit Leaver(EventRing& given) : ring(given) { ring.listen(kAnn, *this); }
        void on_news() override { ring.unlisten(kAnn, *this); }
    };
    EventRing ring{Instant{1}};
    Leaver one{ring};
    Leaver two{ring};
    ring.publish(event_of(kAnn, "e"));
    EXPECT_EQ(ring.listener_count(), 0U);
}

TEST(EventRing, MakesTheTextOfAnEventOnce) {
    int count = 0;
    EventRing ring{Instant{1}, [&count](const Event& event) {
                       ++count;
                       return event.what.name + "!";
                   }};
    EXPECT_EQ(ring.publish(event_of(kAnn, "e"))->text, "e!");
    EXPECT_EQ(count, 1);
}

class Line final : public OpenDevice {
  public:
    const DeviceAttributes& attributes() const override { return attributes_; }
    void call(const std::string&, const std::string&, DeviceDone<Value> done) override {
        done(DeviceError::NoSuch);
    }
    void read(const std::string&, DeviceDone<Value> done) override { done(DeviceError::NoSuch); }
    void ping(DeviceDone<void> done) override { done({}); }
    void signal(bool, DeviceDone<void> done) override { done({}); }
    void update(FirmwarePtr, UpdateSteps steps) override { updates.push_back(std::move(steps)); }
    void on_event(const Event& event) override { heard.push_back(event.what.name); }
    void on_replaced() override { ++replaced; }

    std::vector<UpdateSteps> updates;
    Names heard;
    int replaced = 0;

  private:
    DeviceAttributes attributes_;
};

class OpenDevicesTest : public testing::Test {
  protected:
    using Owner = OpenDevices::Owner;
    using Answer = std::function<void(Result<Owner>)>;

    void answer(Result<Owner> owner) {
        for (const auto& waiting : std::exchange(waiting_, {})) waiting(owner);
    }

    EventRing ring_{Instant{1}};
    std::vector<Answer> waiting_;
    std::map<model::DeviceId, std::string> codes_;
    int saved_ = 0;
    OpenDevices devices_{
        ring_,
        {.load_owner = [this](const model::DeviceId&,
                              Answer done) { waiting_.push_back(std::move(done)); },
         .on_claim_code = [this](const model::DeviceId& device,
                                 const std::string& code) { codes_[device] = code; },
         .save_traces = [this](const model::DeviceId&, const DeviceAttributes&) { ++saved_; },
         .now = [] { return Instant{7}; }}};
    Line lamp_;
    Line door_;
};

TEST_F(OpenDevicesTest, ADeviceIsFoundByItsOwnerAndByNobodyElse) {
    Reader ann{ring_, {.owner = kAnn}};
    devices_.on_connected(kLamp, lamp_);
    EXPECT_EQ(devices_.find(kLamp, kAnn), nullptr) << "its owner is not known yet";
    answer(Owner{kAnn});
    EXPECT_EQ(devices_.find(kLamp, kAnn), &lamp_);
    EXPECT_EQ(devices_.find(kLamp, kBob), nullptr);
    devices_.on_disconnected(kLamp, lamp_);
    EXPECT_EQ(devices_.find(kLamp, kAnn), nullptr);
    EXPECT_EQ(ann.names, (Names{"spark/status=online", "spark/status=offline"}));
    EXPECT_EQ(saved_, 2);
}

TEST_F(OpenDevicesTest, WhatOneSaysReachesTheDevicesAndStreamsOfItsOwnerOnly) {
    Reader ann{ring_, {.owner = kAnn, .prefix = "lit"}};
    Reader bob{ring_, {.owner = kBob, .prefix = "lit"}};
    Line of_bob;
    devices_.on_connected(kLamp, lamp_);
    devices_.on_connected(kDoor, door_);
    answer(Owner{kAnn});
    devices_.on_connected({0x03}, of_bob);
    answer(Owner{kBob});
    lamp_.heard.clear();
    door_.heard.clear();
    of_bob.heard.clear();
    devices_.on_event(kLamp, lamp_, {.name = "lit", .data = "1", .visibility = Visibility::Public});
    devices_.publish(kAnn, {.name = "lit"});
    EXPECT_EQ(ann.names, (Names{"lit=1", "lit=-"}));
    EXPECT_EQ(bob.news, 1) << "his own device came online";
    EXPECT_EQ(door_.heard, (Names{"lit", "lit"}));
    EXPECT_TRUE(of_bob.heard.empty());
}

TEST_F(OpenDevicesTest, ANewConnectionReplacesTheOldOneWhichIsHeardNoMore) {
    Reader ann{ring_, {.owner = kAnn, .prefix = "e"}};
    Line again;
    devices_.on_connected(kLamp, lamp_);
    answer(Owner{kAnn});
    devices_.on_connected(kLamp, again);
    answer(Owner{kAnn});
    EXPECT_EQ(lamp_.replaced, 1);
    devices_.on_event(kLamp, lamp_, {.name = "e"});
    devices_.on_disconnected(kLamp, lamp_);
    EXPECT_EQ(devices_.find(kLamp, kAnn), &again);
    EXPECT_TRUE(ann.names.empty());
    devices_.on_disconnected(kLamp, again);
    EXPECT_EQ(devices_.count(), 0U);
}

TEST_F(OpenDevicesTest, TheAnswerForAConnectionThatWentIsNotForTheNextOne) {
    devices_.on_connected(kLamp, lamp_);
    const auto old = std::exchange(waiting_, {});
    devices_.on_disconnected(kLamp, lamp_);
    devices_.on_connected(kLamp, door_);
    old[0](Owner{kBob});
    EXPECT_EQ(devices_.find(kLamp, kBob), nullptr);
    answer(Owner{kAnn});
    EXPECT_EQ(devices_.find(kLamp, kAnn), &door_);
}

TEST_F(OpenDevicesTest, EventsWaitForTheOwnerUpToANumberAndThoseOfNobodyAreForgotten) {
    Reader ann{ring_, {.owner = kAnn, .prefix = "e"}};
    devices_.on_connected(kLamp, lamp_);
    for (std::size_t i = 0; i <= kWaitingEventsMax; ++i)
        devices_.on_event(kLamp, lamp_, {.name = "e"});
    answer(Owner{kAnn});
    EXPECT_EQ(ann.names.size(), kWaitingEventsMax);

    devices_.on_connected(kDoor, door_);
    answer(Owner{});
    const std::uint64_t last = ring_.last_id();
    devices_.on_event(kDoor, door_, {.name = "e"});
    EXPECT_EQ(ring_.last_id(), last);
}

TEST_F(OpenDevicesTest, AClaimCodeGoesToWhoKnowsItAndToNoStream) {
    Reader ann{ring_, {.owner = kAnn}};
    devices_.on_connected(kLamp, lamp_);
    answer(Owner{});
    devices_.on_event(kLamp, lamp_, {.name = "spark/device/claim/code", .data = "secret"});
    EXPECT_EQ(codes_[kLamp], "secret");
    devices_.set_owner(kLamp, kAnn);
    EXPECT_EQ(devices_.find(kLamp, kAnn), &lamp_);
    EXPECT_EQ(ann.names, Names{"spark/status=online"});
}

TEST_F(OpenDevicesTest, ADeviceThatChangesHandsIsGoneForTheOneBefore) {
    devices_.on_connected(kLamp, lamp_);
    answer(Owner{kAnn});
    devices_.set_owner(kLamp, kBob);
    EXPECT_EQ(devices_.find(kLamp, kAnn), nullptr);
    EXPECT_EQ(devices_.find(kLamp, kBob), &lamp_);
    Reader ann{ring_, {.owner = kAnn}};
    devices_.on_event(kLamp, lamp_, {.name = "e"});
    EXPECT_TRUE(ann.names.empty());
}

TEST_F(OpenDevicesTest, AnOwnerThatIsKnownIsNotAskedForUnlessAnyHasChangedSince) {
    using Known = OpenDevices::Known;
    devices_.on_connected(kLamp, lamp_, Known{.owner = kAnn, .owners = devices_.owners()});
    EXPECT_EQ(devices_.find(kLamp, kAnn), &lamp_);
    const Known door{.owner = kAnn, .owners = devices_.owners()};
    devices_.set_owner(kDoor, kBob);
    devices_.on_connected(kDoor, door_, door);
    EXPECT_EQ(devices_.find(kDoor, kAnn), nullptr);
    answer(Owner{kBob});
    EXPECT_EQ(devices_.find(kDoor, kBob), &door_);
}

TEST_F(OpenDevicesTest, WhereTheOwnerCannotBeFoundOutTheConnectionEnds) {
    devices_.on_connected(kLamp, lamp_);
    answer(Error::StorageFailed);
    EXPECT_EQ(lamp_.replaced, 1);
    EXPECT_EQ(devices_.count(), 0U);
}

}  // namespace
}  // namespace sotto::cloud::services
