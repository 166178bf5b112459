// SPDX-License-Identifier: Apache-2.0
// What a device with an owner shows to strangers, and whom a gateway connects to that goes by tags:
// the whole way, over the virtual air.
#include <chrono>
#include <regex>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <gtest/gtest.h>

#include "tests/integration/line.hpp"

namespace sotto::integration {
namespace {

constexpr int kDone = 0;
constexpr int kNotDone = 3;
const std::regex kTag{"~[0-9a-f]{16}"};

// What the device advertises, as a stranger hears it: the first operation of a connection.
std::string advertised(const Line& line) {
    boost::asio::io_context loop;
    boost::asio::local::stream_protocol::socket socket{loop};
    boost::system::error_code error;
    socket.connect(boost::asio::local::stream_protocol::endpoint{line.device_socket()}, error);
    if (error) return error.message();
    std::string bytes;
    boost::asio::read_until(
        socket, boost::asio::dynamic_buffer(bytes), std::string(1, '\0'), error);
    return error ? error.message() : bytes;
}

class TagsLineTest : public ::testing::Test {
  protected:
    int call(const std::string& argument, const std::string& patience = "20") {
        return line_.app({"--timeout", patience, "call", "lamp", "echo", argument}).code;
    }
    // The gateway begins anew, and goes by tags.
    void restart() { line_.restart_gateway({"--serve", "account"}); }
    bool is_reached(const std::string& argument) {
        return testing::eventually([&] { return call(argument, "5") == kDone; });
    }

    Line line_{{"--function", "echo", "--name", "lamp-of-ann"}};
};

TEST_F(TagsLineTest, AStrangerHearsNoNameAndAGatewayGoesByTheTagsThatTheOwnerAllowsIt) {
    EXPECT_NE(advertised(line_).find("lamp-of-ann"), std::string::npos);
    ASSERT_TRUE(line_.pair()) << line_.logs();
    ASSERT_TRUE(is_reached("first")) << line_.logs();
    const std::string heard = advertised(line_);
    EXPECT_EQ(heard.find("lamp"), std::string::npos);
    EXPECT_TRUE(std::regex_search(heard, kTag));

    restart();
    EXPECT_EQ(call("stranger", "4"), kNotDone) << "its tag was given to nobody";
    EXPECT_EQ(line_.call_count("stranger"), 0U);
    ASSERT_EQ(line_.app({"tag", "lamp"}).code, kDone);
    ASSERT_TRUE(is_reached("tagged")) << line_.logs();
    EXPECT_TRUE(is_reached("and again"));

    ASSERT_EQ(line_.app({"untag", "lamp"}).code, kDone);
    EXPECT_EQ(line_.app({"untag", "lamp"}).code, kDone) << "it is as it should be";
    restart();
    EXPECT_EQ(call("taken back", "4"), kNotDone);
    EXPECT_EQ(line_.call_count("taken back"), 0U);

    // The owner's next key is one that the cloud does not have.
    line_.restart_gateway({});
    ASSERT_TRUE(is_reached("all")) << line_.logs();
    ASSERT_EQ(line_.app({"tag", "lamp"}).code, kDone);
    ASSERT_EQ(line_.app({"takeover", "lamp"}).code, kDone) << line_.logs();
    restart();
    EXPECT_EQ(call("former key", "4"), kNotDone);
    ASSERT_EQ(line_.app({"tag", "lamp"}).code, kDone);
    EXPECT_TRUE(is_reached("new key")) << line_.logs();
}

TEST_F(TagsLineTest, AFactoryResetGivesItsNameBack) {
    ASSERT_TRUE(line_.pair()) << line_.logs();
    ASSERT_TRUE(is_reached("first")) << line_.logs();
    EXPECT_TRUE(std::regex_search(advertised(line_), kTag));
    line_.kill_device();
    const auto reset = testing::run(SOTTO_BINARY_DIR "/bin/sotto-device",
                                    {"reset", "--state", line_.folder() / "device"});
    ASSERT_EQ(reset.code, 0) << reset.output;
    line_.start_device();
    EXPECT_TRUE(testing::eventually([&] {
        return advertised(line_).find("lamp-of-ann") != std::string::npos;
    })) << line_.logs();
}

}  // namespace
}  // namespace sotto::integration
