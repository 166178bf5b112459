// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/hci_pace.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace sotto::air::bluez {
namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer command(std::uint16_t handle, const Pace& pace) {
    const auto packet = pace_command(handle, pace);
    return {packet.begin(), packet.end()};
}

TEST(HciPace, IsTheCommandOfTheCoreSpecification) {
    EXPECT_EQ(command(0x0042, {.interval_min_ms = 15, .interval_max_ms = 30, .latency = 4}),
              (Buffer{0x01, 0x13, 0x20, 14, 0x42, 0, 12, 0, 24, 0, 4, 0, 0x90, 0x01, 0, 0, 0, 0}));
}

TEST(HciPace, TheTimeoutIsLongerThanTwoTurnsWhateverIsAsked) {
    for (const Pace pace : {Pace{8, 8, 0}, Pace{1'000, 4'000, 0}, Pace{30, 30, 499}}) {
        ASSERT_TRUE(is_possible(pace));
        const Buffer packet = command(1, pace);
        const unsigned timeout_ms = 10U * (packet[12] | packet[13] << 8);
        EXPECT_GT(timeout_ms, 2 * (1U + pace.latency) * pace.interval_max_ms);
        EXPECT_LE(timeout_ms, 32'000U);
    }
}

TEST(HciPace, WhatCannotBeIsNotPossible) {
    EXPECT_FALSE(is_possible({7, 30, 0}));
    EXPECT_FALSE(is_possible({30, 15, 0}));
    EXPECT_FALSE(is_possible({30, 4'001, 0}));
    EXPECT_FALSE(is_possible({30, 30, 500}));
    EXPECT_FALSE(is_possible({4'000, 4'000, 3})) << "its timeout would be too long";
}

TEST(HciPace, ReadsWhatTheControllerSays) {
    const Buffer packet{0x04, 0x3e, 10, 0x03, 0, 0x42, 0, 24, 0, 4, 0, 0x90, 0x01};
    const auto event = parse_pace_event(packet);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->handle, 0x42);
    EXPECT_EQ(event->status, 0);
    EXPECT_EQ(event->granted.interval_us, 30'000U);
    EXPECT_EQ(event->granted.latency, 4);
    for (std::size_t size = 0; size < packet.size(); ++size)
        EXPECT_FALSE(parse_pace_event(Bytes{packet}.first(size)));
    for (const std::size_t at : {0U, 1U, 2U, 3U}) {
        Buffer other = packet;
        other[at] ^= 0x10;
        EXPECT_FALSE(parse_pace_event(other));
    }
}

}  // namespace
}  // namespace sotto::air::bluez
