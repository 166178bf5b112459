// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/link_machine.hpp"

#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "air/bluez/limits.hpp"

namespace sotto::air::bluez {
namespace {

using Call = LinkMachine::Call;
using Why = air::Disconnect;

constexpr Instant kNow{1'000'000};
constexpr std::uint64_t kSerial = 7;
constexpr const char* kNotSupported = "org.bluez.Error.NotSupported";

DeviceView device(bool is_connected, bool is_resolved) {
    return {.serial = kSerial, .is_connected = is_connected, .is_resolved = is_resolved};
}

class Rig {
  public:
    LinkMachine machine{kSerial, framing::kValueSizeMax, kNow};

    void expect_call(Call call) {
        const auto output = machine.next_output();
        ASSERT_TRUE(output);
        const auto* made = std::get_if<Call>(&*output);
        ASSERT_NE(made, nullptr);
        EXPECT_EQ(*made, call);
    }
    void expect_end(Why why, bool is_let_go) {
        auto output = machine.next_output();
        ASSERT_TRUE(output);
        if (is_let_go) {
            EXPECT_TRUE(std::holds_alternative<LinkMachine::LetGo>(*output));
            output = machine.next_output();
            ASSERT_TRUE(output);
        }
        const auto* ended = std::get_if<LinkMachine::Ended>(&*output);
        ASSERT_NE(ended, nullptr);
        EXPECT_EQ(ended->why, why);
        EXPECT_FALSE(ended->detail.empty());
        EXPECT_TRUE(machine.has_ended());
        EXPECT_FALSE(machine.next_output());
    }
    LinkMachine::Up expect_up() {
        const auto output = machine.next_output();
        const auto* up = output ? std::get_if<LinkMachine::Up>(&*output) : nullptr;
        EXPECT_NE(up, nullptr);
        EXPECT_TRUE(machine.is_up());
        return up == nullptr ? LinkMachine::Up{} : *up;
    }
    void on_device(bool is_connected, bool is_resolved, bool is_ours = true) {
        const DeviceView view = device(is_connected, is_resolved);
        machine.on_device(&view, is_ours, kNow);
    }
    void reply(const std::string& error = {}, std::uint16_t mtu = 0) {
        machine.on_reply({.error = error, .mtu = mtu}, kNow);
    }

    // To the beginning of each state.
    void connecting() { expect_call(Call::Connect); }
    void resolving() {
        connecting();
        on_device(true, false);
        reply();
    }
    void acquiring_write() {
        resolving();
        on_device(true, true);
        expect_call(Call::AcquireWrite);
    }
    void acquiring_notify() {
        acquiring_write();
        reply({}, 517);
        expect_call(Call::AcquireNotify);
    }
    void starting_notify() {
        acquiring_notify();
        reply(kNotSupported);
        expect_call(Call::StartNotify);
    }
    void up() {
        acquiring_notify();
        reply({}, 517);
        expect_up();
    }
};

using Reach = void (Rig::*)();
const std::vector<Reach> kComing{&Rig::connecting,
                                 &Rig::resolving,
                                 &Rig::acquiring_write,
                                 &Rig::acquiring_notify,
                                 &Rig::starting_notify};

std::vector<Reach> states() {
    std::vector<Reach> all = kComing;
    all.push_back(&Rig::up);
    return all;
}

// In every state, each in a rig of its own.
void in_each(const std::vector<Reach>& reaches, const std::function<void(Rig&, Reach)>& check) {
    for (std::size_t i = 0; i < reaches.size(); ++i) {
        SCOPED_TRACE("state " + std::to_string(i));
        Rig rig;
        (rig.*reaches[i])();
        check(rig, reaches[i]);
    }
}

TEST(LinkMachine, ComesUpWithSockets) {
    Rig rig;
    rig.acquiring_notify();
    rig.reply({}, 517);
    const auto up = rig.expect_up();
    EXPECT_EQ(up.value_size, kBearerValueSizeMax);
    EXPECT_FALSE(up.is_written_by_call);
    EXPECT_FALSE(up.is_notified_by_signal);
}

TEST(LinkMachine, TakesTheSmallerSize) {
    for (const auto& [write_mtu, notify_mtu, size] :
         {std::tuple{23, 517, 20}, {517, 23, 20}, {100, 200, 97}, {0, 0, 20}, {3, 65'535, 20}}) {
        Rig rig;
        rig.acquiring_write();
        rig.reply({}, static_cast<std::uint16_t>(write_mtu));
        rig.expect_call(Call::AcquireNotify);
        rig.reply({}, static_cast<std::uint16_t>(notify_mtu));
        EXPECT_EQ(rig.expect_up().value_size, static_cast<std::size_t>(size));
    }
}

TEST(LinkMachine, ComesUpWithCallsAndSignals) {
    Rig rig;
    rig.acquiring_write();
    rig.reply(kNotSupported);
    rig.expect_call(Call::AcquireNotify);
    rig.reply(kNotSupported);
    rig.expect_call(Call::StartNotify);
    rig.reply();
    const auto up = rig.expect_up();
    EXPECT_EQ(up.value_size, framing::kValueSizeDefault) << "nobody said what is agreed";
    EXPECT_TRUE(up.is_written_by_call);
    EXPECT_TRUE(up.is_notified_by_signal);
}

TEST(LinkMachine, UsesALinkThatIsThere) {
    Rig rig;
    rig.connecting();
    rig.on_device(true, true);
    rig.reply("org.bluez.Error.AlreadyConnected");
    EXPECT_FALSE(rig.machine.next_output());
    rig.on_device(true, true);
    rig.expect_call(Call::AcquireWrite);
}

TEST(LinkMachine, AnotherProgramThatHasItIsNotDisturbed) {
    for (const char* error : {"org.bluez.Error.InProgress", "org.bluez.Error.NotPermitted"}) {
        in_each({&Rig::connecting,
                 &Rig::acquiring_write,
                 &Rig::acquiring_notify,
                 &Rig::starting_notify},
                [&](Rig& rig, Reach) {
                    rig.reply(error);
                    rig.expect_end(Why::Busy, false);
                });
    }
}

TEST(LinkMachine, EveryOtherErrorEndsIt) {
    for (const char* error :
         {"org.bluez.Error.Failed", "org.freedesktop.DBus.Error.NoReply", "?"}) {
        in_each({&Rig::connecting,
                 &Rig::acquiring_write,
                 &Rig::acquiring_notify,
                 &Rig::starting_notify},
                [&](Rig& rig, Reach reach) {
                    rig.reply(error);
                    const bool is_first = reach == &Rig::connecting;
                    rig.expect_end(is_first ? Why::NotFound : Why::Closed, true);
                });
    }
}

TEST(LinkMachine, ADeviceThatOffersNeitherIsLetGo) {
    Rig rig;
    rig.starting_notify();
    rig.reply(kNotSupported);
    rig.expect_end(Why::Closed, true);
}

TEST(LinkMachine, WithoutTheCharacteristicsItIsLetGo) {
    Rig rig;
    rig.resolving();
    rig.on_device(true, true, false);
    rig.expect_end(Why::Closed, true);
}

TEST(LinkMachine, ALostLinkEndsItInEveryState) {
    in_each(states(), [](Rig& rig, Reach) {
        rig.on_device(true, false);
        rig.on_device(false, false);
        while (!rig.machine.has_ended()) FAIL();
        std::optional<LinkMachine::Output> output;
        std::optional<Why> why;
        while ((output = rig.machine.next_output())) {
            if (const auto* ended = std::get_if<LinkMachine::Ended>(&*output)) why = ended->why;
        }
        EXPECT_EQ(why, Why::Closed);
    });
}

TEST(LinkMachine, ADeviceThatIsGoneEndsItInEveryState) {
    for (const bool is_another : {false, true}) {
        in_each(states(), [&](Rig& rig, Reach reach) {
            DeviceView other = device(true, true);
            ++other.serial;
            rig.machine.on_device(is_another ? &other : nullptr, true, kNow);
            rig.expect_end(reach == &Rig::connecting ? Why::NotFound : Why::Closed, false);
        });
    }
}

TEST(LinkMachine, SilenceEndsWhatIsComing) {
    in_each(kComing, [](Rig& rig, Reach) {
        rig.machine.on_time(kNow);
        EXPECT_FALSE(rig.machine.next_output());
        rig.machine.on_time(kNow + kConnectTimeMax);
        rig.expect_end(Why::Timeout, true);
    });
    Rig rig;
    rig.up();
    rig.machine.on_time(kNow + minutes(60));
    EXPECT_TRUE(rig.machine.is_up());
}

TEST(LinkMachine, ASocketThatEndsIsTheEnd) {
    for (const bool is_stalled : {false, true}) {
        Rig rig;
        rig.up();
        rig.machine.on_closed(is_stalled);
        rig.expect_end(is_stalled ? Why::Timeout : Why::Closed, true);
    }
    in_each(kComing, [](Rig& rig, Reach) {
        rig.machine.on_closed(false);
        EXPECT_FALSE(rig.machine.has_ended());
    });
}

TEST(LinkMachine, NothingComesAfterTheEnd) {
    in_each(states(), [](Rig& rig, Reach) {
        rig.machine.on_device(nullptr, false, kNow);
        while (rig.machine.next_output()) {
        }
        rig.reply();
        rig.reply("org.bluez.Error.Failed");
        rig.on_device(true, true);
        rig.machine.on_device(nullptr, false, kNow);
        rig.machine.on_closed(true);
        rig.machine.on_time(kNow + minutes(60));
        EXPECT_FALSE(rig.machine.next_output());
        EXPECT_TRUE(rig.machine.has_ended());
    });
}

TEST(LinkMachine, RepliesThatNobodyWaitsForAreNothing) {
    for (const Reach reach : {&Rig::resolving, &Rig::up}) {
        Rig rig;
        (rig.*reach)();
        rig.reply("org.bluez.Error.Failed");
        rig.reply();
        EXPECT_FALSE(rig.machine.next_output());
        EXPECT_FALSE(rig.machine.has_ended());
    }
}

}  // namespace
}  // namespace sotto::air::bluez
