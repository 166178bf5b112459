// SPDX-License-Identifier: Apache-2.0
// A guest of the owner, through gateway and cloud.
#include <gtest/gtest.h>

#include "tests/integration/line.hpp"

namespace sotto::integration {
namespace {

class GuestsLineTest : public ::testing::Test {
  protected:
    // A command of the guest, whose state is his own.
    testing::Run guest(const Arguments& more) const {
        Arguments all{"--state", line_.folder() / "guest"};
        all.insert(all.end(), more.begin(), more.end());
        return testing::run(SOTTO_BINARY_DIR "/bin/sotto", all);
    }
    static std::string first_line(const testing::Run& run) {
        return run.output.substr(0, run.output.find('\n'));
    }

    Line line_;
};

TEST_F(GuestsLineTest, AGuestCommandsThroughTheCloudAndLosesIt) {
    ASSERT_TRUE(line_.pair());
    ASSERT_EQ(guest(line_.login()).code, 0);
    const std::string key = first_line(guest({"key"}));
    const std::string invitation =
        first_line(line_.app({"share", "lamp", key, "--name", "Anna", "--only", "f/lamp"}));
    ASSERT_EQ(guest({"accept", invitation}).code, 0);
    const testing::Run called = guest({"call", "lamp", "lamp", "on"});
    EXPECT_EQ(called.code, 0) << called.output;
    EXPECT_EQ(line_.call_count("on"), 1U);
    EXPECT_EQ(guest({"get", "lamp", "lamp"}).code, 2);
    EXPECT_EQ(line_.app({"revoke", "lamp", "Anna"}).code, 0);
    EXPECT_EQ(guest({"call", "lamp", "lamp", "off"}).code, 2);
    EXPECT_EQ(line_.call_count("off"), 0U);
    EXPECT_EQ(line_.app({"call", "lamp", "lamp", "off"}).code, 0);
}

}  // namespace
}  // namespace sotto::integration
