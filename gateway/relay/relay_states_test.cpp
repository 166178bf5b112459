// SPDX-License-Identifier: Apache-2.0
// Every stimulus in every state that three earlier ones can bring about: the relay never breaks a
// rule, holds no more than it may, and can always be used afterwards.
#include <functional>

#include <gtest/gtest.h>

#include "gateway/relay/rig.hpp"

namespace sotto::gateway::relay {
namespace {

// A relay in the hands of a daemon that keeps the contract of Output, and a cloud that counts.
class World {
  public:
    World() { settle(); }

    // Does what the outputs want and checks that they were allowed.
    void settle() {
        while (const auto output = rig.relay.next_output()) perform(*output);
    }

    void link_up() { rig.relay.on_link_up(LinkId{++newest}, rig.now); }
    LinkId link() const { return LinkId{newest}; }
    void uplink_up() {
        if (wants_connection) rig.relay.on_uplink_up(kHome, rig.now);
        connected = connected || wants_connection;
        wants_connection = false;
    }
    void uplink_down() {
        connected = wants_connection = false;
        credit.clear();
        rig.relay.on_uplink_down(kHome, rig.now, Jitter{0});
    }

    Rig rig;
    std::uint32_t newest = 0;
    bool wants_connection = false;
    bool connected = false;
    std::size_t unsent = 0;               // frames that the air has of the newest link
    std::map<std::uint32_t, int> credit;  // of the messages that the relay may still send
    std::vector<std::string> device_heard;
    std::vector<std::string> cloud_heard;

  private:
    void perform(const Output& output) {
        if (std::holds_alternative<ConnectCloud>(output)) on_connect(output);
        if (std::holds_alternative<CloseCloud>(output)) on_close(output);
        if (const auto* send = std::get_if<SendToCloud>(&output)) on_record(*send);
        if (const auto* send = std::get_if<SendToDevice>(&output)) {
            unsent += send->link == link() ? 1 : 0;
            EXPECT_LE(unsent, kInAirMax);
            device_heard.push_back(Rig::describe(output));
        }
    }
    void on_connect(const Output& output) {
        if (std::get<ConnectCloud>(output).cloud == kHome) {
            EXPECT_FALSE(connected);
            wants_connection = true;
        }
    }
    void on_close(const Output& output) {
        if (std::get<CloseCloud>(output).cloud == kHome) {
            uplink_down();
        } else {
            rig.relay.on_uplink_down(kOther, rig.now, Jitter{0});
        }
    }
    void on_record(const SendToCloud& send) {
        if (send.cloud != kHome) return;
        EXPECT_TRUE(connected);
        const auto record = up::parse_record(Bytes{send.record}.subspan(2), up::Side::Gateway);
        ASSERT_TRUE(record);
        if (const auto* up_record = std::get_if<up::LinkUp>(&*record))
            credit.try_emplace(up_record->link.value(), kCredit);
        if (const auto* down = std::get_if<up::LinkDown>(&*record)) {
            EXPECT_EQ(credit.erase(down->link.value()), 1U);
        }
        if (const auto* message = std::get_if<up::Message>(&*record)) {
            ASSERT_TRUE(credit.contains(message->link.value())) << "a link nobody announced";
            EXPECT_GE(--credit[message->link.value()], 0);
        }
        cloud_heard.push_back(Rig::describe(send));
    }
};

using Stimulus = std::function<void(World&)>;

std::vector<Stimulus> stimuli() {
    return {
        [](World& w) { w.link_up(); },
        [](World& w) { w.rig.relay.on_link_down(w.link(), w.rig.now); },
        [](World& w) { w.rig.frame(w.link(), Rig::attach(false)); },
        [](World& w) { w.rig.frame(w.link(), Rig::attach(true)); },
        [](World& w) { w.rig.frame(w.link(), Rig::attach(true, "home:1")); },
        [](World& w) { w.rig.frame(w.link(), Rig::attach(true, "other:2")); },
        [](World& w) { w.rig.frame(w.link(), Rig::attach(true, "unknown:3")); },
        [](World& w) { w.rig.frame(w.link(), framing::Release{1}); },
        [](World& w) { w.rig.device_says(w.link(), 1, "d"); },
        [](World& w) { w.rig.relay.on_frame(w.link(), as_bytes("\x09garbage"), w.rig.now); },
        [](World& w) {
            w.rig.relay.on_sent(w.link(), w.unsent);
            w.unsent = 0;
        },
        [](World& w) { w.uplink_up(); },
        [](World& w) { w.uplink_down(); },
        [](World& w) { w.rig.record(kHome, up::Welcome{kCredit, 30}); },
        [](World& w) { w.rig.record(kHome, up::Refused{up::Reason::Full}); },
        [](World& w) { w.rig.cloud_says(w.link(), 2, "c"); },
        [](World& w) { w.rig.record(kHome, up::Credit{w.link(), 1}); },
        [](World& w) { w.rig.record(kHome, up::Release{w.link(), 1}); },
        [](World& w) { w.rig.record(kHome, up::Ping{1}); },
        [](World& w) { w.rig.relay.on_uplink_record(kHome, as_bytes("\x77"), w.rig.now); },
        [](World& w) { w.rig.pass(milliseconds(600)); },
        [](World& w) { w.rig.pass(seconds(130)); },
    };
}

void apply(World& world, const Stimulus& stimulus) {
    // The link number changes with link_up(): what the air has belongs to the old one.
    const LinkId before = world.link();
    stimulus(world);
    if (world.link() != before) world.unsent = 0;
    world.settle();
    if (world.link() == before && world.rig.relay.link_count() == 0) world.unsent = 0;
}

// A good device, a good cloud, one message each way.
void expect_usable(World& world) {
    for (int i = 0; i < 3 && !world.wants_connection; ++i) {
        if (world.connected) world.uplink_down();
        world.rig.pass(seconds(60));
        world.settle();
    }
    ASSERT_TRUE(world.wants_connection);
    world.uplink_up();
    world.settle();
    world.rig.record(kHome, up::Welcome{kCredit, 30});
    world.settle();
    world.link_up();
    world.unsent = 0;
    world.rig.frame(world.link(), Rig::attach(true, "home:1", 9));
    world.settle();
    world.rig.cloud_says(world.link(), 5, "request");
    world.settle();
    ASSERT_FALSE(world.device_heard.empty());
    EXPECT_EQ(world.device_heard.back(), "device " + std::to_string(world.newest) + " 5 request");
    world.rig.device_says(world.link(), 5, "answer");
    world.settle();
    ASSERT_FALSE(world.cloud_heard.empty());
    EXPECT_EQ(world.cloud_heard.back(), "0< message " + std::to_string(world.newest) + " 5 answer");
}

TEST(RelayStates, EveryStimulusInEveryStateToDepthFour) {
    const auto all = stimuli();
    const std::size_t n = all.size();
    for (const bool from_open : {false, true}) {
        for (std::size_t sequence = 0; sequence < n * n * n * n; ++sequence) {
            World world;
            world.rig.pass({});
            world.settle();
            if (from_open) {
                world.uplink_up();
                world.settle();
                world.rig.record(kHome, up::Welcome{kCredit, 30});
                world.link_up();
                world.rig.frame(world.link(), Rig::attach(false));
                world.settle();
            }
            for (std::size_t rest = sequence, i = 0; i < 4; ++i, rest /= n)
                apply(world, all[rest % n]);
            EXPECT_LE(world.rig.relay.link_count(), 5U);
            expect_usable(world);
            if (::testing::Test::HasFailure()) FAIL() << "sequence " << sequence << from_open;
        }
    }
}

}  // namespace
}  // namespace sotto::gateway::relay
