// SPDX-License-Identifier: Apache-2.0
#include "gateway/bluz/stream_cutter.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace sotto::gateway::bluz {
namespace {

using Buffer = std::vector<std::uint8_t>;

// What comes after the handshake.
StreamCutter established() {
    StreamCutter cutter;
    EXPECT_EQ(cutter.take(Buffer(424), 960), 424U);
    return cutter;
}

TEST(StreamCutter, TheHandshakeIsCutAnywhere) {
    StreamCutter cutter;
    EXPECT_EQ(cutter.take(Buffer(1), 960), 1U);
    EXPECT_EQ(cutter.take(Buffer(39), 960), 39U);
    EXPECT_EQ(cutter.take(Buffer(384), 100), 100U);
    EXPECT_EQ(cutter.take(Buffer(284), 960), 284U);
    EXPECT_EQ(cutter.take(Buffer{0x00}, 960), 0U) << "half of the first size";
}

TEST(StreamCutter, ASizeIsNeverCut) {
    StreamCutter cutter = established();
    EXPECT_EQ(cutter.take(Buffer{0x00}, 960), 0U);
    EXPECT_EQ(cutter.take(Buffer{0x00, 0x03, 1, 2, 3, 0x00}, 960), 5U);
    EXPECT_EQ(cutter.take(Buffer{0x00, 0x02}, 960), 2U);
    EXPECT_EQ(cutter.take(Buffer{1}, 960), 1U);
    EXPECT_EQ(cutter.take(Buffer{1, 0x00, 0x01, 9}, 2), 1U) << "no room for both of its bytes";
    EXPECT_EQ(cutter.take(Buffer{0x00, 0x01, 9}, 960), 3U);
}

TEST(StreamCutter, NonsenseOfTheServerPassesAsItIs) {
    StreamCutter cutter = established();
    EXPECT_EQ(cutter.take(Buffer{0, 0, 0, 0, 0xff, 0xff, 1, 2}, 960), 8U);
    EXPECT_EQ(cutter.take(Buffer(5'000), 960), 960U);
}

}  // namespace
}  // namespace sotto::gateway::bluz
