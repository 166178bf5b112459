// SPDX-License-Identifier: Apache-2.0
// The demonstration that README promises, both ways.
#include <gtest/gtest.h>

#include "testing/program.hpp"

namespace sotto::integration {
namespace {

const std::string kDemo = SOTTO_SOURCE_DIR "/tools/demo";

TEST(DemoTest, RunsThroughGatewayAndCloud) {
    const testing::Run demo = testing::run(kDemo, {SOTTO_BINARY_DIR, "--once"});
    EXPECT_EQ(demo.code, 0) << demo.output;
}

TEST(DemoTest, RunsWithoutThem) {
    const testing::Run demo = testing::run(kDemo, {SOTTO_BINARY_DIR, "--once", "--local"});
    EXPECT_EQ(demo.code, 0) << demo.output;
}

}  // namespace
}  // namespace sotto::integration
