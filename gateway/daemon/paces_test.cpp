// SPDX-License-Identifier: Apache-2.0
#include "gateway/daemon/paces.hpp"

#include <gtest/gtest.h>

namespace sotto::gateway {
namespace {

const framing::DeviceId kLamp{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

TEST(Paces, OneDeviceHasItsOwnAndAllOthersTheirs) {
    Paces paces;
    EXPECT_FALSE(paces.of(kLamp));
    ASSERT_TRUE(paces.add("15-30"));
    ASSERT_TRUE(paces.add("000102030405060708090a0b=400/4"));
    EXPECT_EQ(paces.of(kLamp)->interval_min_ms, 400U);
    EXPECT_EQ(paces.of(kLamp)->interval_max_ms, 400U);
    EXPECT_EQ(paces.of(kLamp)->latency, 4U);
    EXPECT_EQ(paces.of({})->interval_min_ms, 15U);
    EXPECT_EQ(paces.of({})->interval_max_ms, 30U);
    EXPECT_EQ(paces.of({})->latency, 0U);
}

TEST(Paces, WhatIsNoneIsRefused) {
    Paces paces;
    for (const char* text : {"",
                             "-",
                             "15-",
                             "-30",
                             "15-30/",
                             "30-15",
                             "7",
                             "4001",
                             "15-30/500",
                             "15 - 30",
                             "15-30ms",
                             "99999999999",
                             "=15",
                             "lamp=15",
                             "000102030405060708090a=15"})
        EXPECT_FALSE(paces.add(text)) << text;
    EXPECT_FALSE(paces.of(kLamp));
}

}  // namespace
}  // namespace sotto::gateway
