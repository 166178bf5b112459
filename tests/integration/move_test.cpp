// SPDX-License-Identifier: Apache-2.0
// A device moves between two running clouds, through the old one and nearby, and comes back from
// one that no gateway serves.
#include <filesystem>

#include <gtest/gtest.h>

#include "tests/integration/line.hpp"

namespace sotto::integration {
namespace {

// A second cloud, with a gateway of its own on the air of the first.
class OtherCloud {
  public:
    explicit OtherCloud(const testing::Folder& folder) : state_(folder / "other") {
        const testing::Run made = testing::run(kProgram, {"init", "--state", state_});
        EXPECT_EQ(made.code, 0) << made.output;
        program_ = std::make_unique<testing::Program>(kProgram,
                                                      Arguments{"run",
                                                                "--state",
                                                                state_,
                                                                "--http",
                                                                "127.0.0.1:0",
                                                                "--devices",
                                                                "127.0.0.1:0",
                                                                "--ports-file",
                                                                folder / "other.ports"},
                                                      folder / "other.log");
        EXPECT_TRUE(testing::eventually(
            [&] { return !testing::read_text(folder / "other.ports").empty(); }));
        ports_ = folder / "other.ports";
    }
    std::string http() const { return "http://" + value_of(ports_, "http"); }
    std::string devices() const { return value_of(ports_, "devices"); }
    std::string owner_token() const { return state_ + "/owner.token"; }
    std::string gateway_token() const { return state_ + "/gateway.token"; }

  private:
    static inline const std::string kProgram = SOTTO_BINARY_DIR "/bin/sotto-cloud";
    std::string state_;
    std::string ports_;
    std::unique_ptr<testing::Program> program_;
};

class MoveTest : public ::testing::Test {
  protected:
    testing::Run move(const Arguments& more = {}) {
        Arguments arguments{
            "move", "lamp", "--to", other_.http(), "--token-file", other_.owner_token()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return line_.app(arguments);
    }
    testing::Run move_back() {
        return line_.app({"move",
                          "lamp",
                          "--to",
                          "http://" + line_.http_tap().address(),
                          "--token-file",
                          line_.folder() / "cloud/owner.token"});
    }
    bool works() { return line_.app({"call", "lamp", "lamp", "on"}).code == 0; }

    Line line_;
    OtherCloud other_{line_.folder()};
};

TEST_F(MoveTest, GoesThereAndBackAndUsesTheNewCloudFromThenOn) {
    ASSERT_TRUE(line_.pair()) << line_.logs();
    line_.serve_too(other_.devices(), other_.gateway_token());
    ASSERT_TRUE(testing::eventually([&] { return works(); })) << line_.logs();
    const testing::Run moved = move();
    EXPECT_EQ(moved.code, 0) << moved.output << line_.logs();
    EXPECT_TRUE(works());
    line_.kill_cloud();
    EXPECT_TRUE(works()) << "the old cloud has no part in it";
    line_.start_cloud();
    ASSERT_TRUE(testing::eventually([&] { return move_back().code == 0; })) << line_.logs();
    EXPECT_TRUE(works());
}

TEST_F(MoveTest, GoesThereNearbyIfTheOldCloudIsGone) {
    ASSERT_TRUE(line_.pair()) << line_.logs();
    line_.serve_too(other_.devices(), other_.gateway_token());
    line_.kill_cloud();
    EXPECT_FALSE(works());
    const testing::Run moved = move({"--local"});
    EXPECT_EQ(moved.code, 0) << moved.output << line_.logs();
    EXPECT_TRUE(works());
}

TEST_F(MoveTest, SaysSoIfNoGatewayServesTheNewCloud) {
    ASSERT_TRUE(line_.pair()) << line_.logs();
    const testing::Run moved = move({"--timeout", "3"});
    EXPECT_EQ(moved.code, 3);
    EXPECT_NE(moved.output.find("go back"), std::string::npos) << moved.output;
}

}  // namespace
}  // namespace sotto::integration
