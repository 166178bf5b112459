// SPDX-License-Identifier: Apache-2.0
// Without the controller, which the guest of tests/ble has.
#include "air/bluez/pacer.hpp"

#include <gtest/gtest.h>

#include "air/bluez/limits.hpp"

namespace sotto::air::bluez {
namespace {

constexpr Pace kPace{.interval_min_ms = 15, .interval_max_ms = 30, .latency = 0};

std::string address(std::size_t number) { return "00:AA:01:00:00:" + std::to_string(number); }

TEST(Pacer, WhatCannotBeSetIsSaidAndNoMoreThanItMayIsRemembered) {
    boost::asio::io_context loop{1};
    const auto pacer = std::make_shared<Pacer>(loop, "hci65000");
    EXPECT_FALSE(pacer->of(address(0)));
    for (std::size_t number = 0; number <= kPacesMax; ++number) {
        pacer->set(address(number), kPace);
        const auto state = pacer->of(address(number));
        ASSERT_TRUE(state);
        EXPECT_FALSE(state->trouble.empty());
        EXPECT_FALSE(state->granted);
    }
    EXPECT_FALSE(pacer->of(address(0)));
}

TEST(Pacer, AnAdapterOfAnotherNameIsNone) {
    boost::asio::io_context loop{1};
    for (const char* name : {"", "hci", "usb0", "hci0x", "hci65536"}) {
        const auto pacer = std::make_shared<Pacer>(loop, name);
        pacer->set(address(0), kPace);
        EXPECT_EQ(pacer->of(address(0))->trouble, "the adapter has no number") << name;
    }
}

}  // namespace
}  // namespace sotto::air::bluez
