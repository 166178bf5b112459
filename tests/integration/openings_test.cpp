// SPDX-License-Identifier: Apache-2.0
// What the owner opens of a sealed device is in the REST API and the streams of his cloud, and
// nothing else is.
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "app/transport/cloud_transport.hpp"
#include "tests/integration/line.hpp"

namespace sotto::integration {
namespace {

using app::HttpMethod;
using nlohmann::json;

class OpeningsTest : public ::testing::Test {
  protected:
    OpeningsTest() { EXPECT_TRUE(line_.pair()); }

    struct Reply {
        unsigned status = 0;
        json body{};
    };
    Reply ask(HttpMethod method, const std::string& target, const json& body = {}) const {
        const app::CloudLogin login{.url = *app::parse_cloud_url("http://" + http_address()),
                                    .token = token()};
        const auto reply = app::http_request(
            login, method, target, seconds(20), body.is_null() ? "" : body.dump());
        if (!reply) return {};
        return {.status = reply->status, .body = json::parse(reply->body, nullptr, false)};
    }
    Reply call(const std::string& device, const std::string& argument) const {
        return ask(HttpMethod::Post, "/v1/devices/" + device + "/lamp", {{"args", argument}});
    }
    std::string http_address() const { return value_of(line_.folder() / "ports", "http"); }
    std::string token() const {
        const std::string text = testing::read_text(line_.folder() / "cloud/owner.token");
        return text.substr(0, text.find('\n'));
    }
    std::string id() const {
        return ask(HttpMethod::Get, "/v1/devices").body.at(0).at("id").get<std::string>();
    }
    bool is_connected() const {
        const Reply reply = ask(HttpMethod::Get, "/v1/devices/lamp");
        return reply.status == 200 && reply.body.value("connected", false);
    }
    void open() {
        const testing::Run opened = line_.app({"open", "lamp", "f/lamp,v/lamp,e/lamp"});
        ASSERT_EQ(opened.code, 0) << opened.output;
        ASSERT_TRUE(testing::eventually([this] { return is_connected(); })) << line_.logs();
    }

    Line line_;
};

TEST_F(OpeningsTest, WhatIsSealedIsRefusedAndSaysWhy) {
    const Reply listed = ask(HttpMethod::Get, "/v1/devices");
    ASSERT_EQ(listed.body.size(), 1U);
    EXPECT_TRUE(listed.body[0]["sealed"]);
    const Reply refused = call(id(), "on");
    EXPECT_EQ(refused.status, 403U);
    EXPECT_EQ(refused.body["error"], "sealed");
    EXPECT_NE(refused.body["error_description"].get<std::string>().find("sotto open"),
              std::string::npos);
    EXPECT_EQ(line_.call_count(), 0U);
}

TEST_F(OpeningsTest, WhatIsOpenedIsCalledReadAndHeardUntilItIsClosed) {
    open();
    const json about = ask(HttpMethod::Get, "/v1/devices/lamp").body;
    EXPECT_FALSE(about["sealed"]);
    EXPECT_EQ(about["functions"], json::array({"lamp"}));
    EXPECT_EQ(about["variables"], (json{{"lamp", "string"}})) << "and no other name is told";
    EXPECT_EQ(ask(HttpMethod::Get, "/v1/devices").body.size(), 1U);

    boost::asio::ip::tcp::iostream stream;
    stream.expires_after(std::chrono::seconds(20));
    const std::string address = http_address();
    stream.connect(address.substr(0, address.find(':')), address.substr(address.find(':') + 1));
    stream << "GET /v1/devices/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " << token()
           << "\r\n\r\n"
           << std::flush;
    std::string line;
    while (std::getline(stream, line) && line.find(":ok") == std::string::npos) continue;

    const Reply called = call("lamp", "on");
    EXPECT_EQ(called.status, 200U) << called.body;
    EXPECT_EQ(called.body["return_value"], "on");
    EXPECT_EQ(line_.call_count("on"), 1U);
    EXPECT_EQ(ask(HttpMethod::Get, "/v1/devices/lamp/lamp").body["result"], "on");
    EXPECT_EQ(ask(HttpMethod::Get, "/v1/devices/lamp/switched").status, 403U);
    EXPECT_EQ(call("lamp", "purple").status, 400U) << "the device refuses that";

    while (std::getline(stream, line) && line.find("event: lamp") == std::string::npos) continue;
    std::getline(stream, line);
    EXPECT_NE(line.find("\"data\":\"on\""), std::string::npos) << line;

    const testing::Run again = line_.app({"open", "lamp", "v/switched"});
    EXPECT_EQ(again.code, 1) << again.output;
    const std::string device = id();
    EXPECT_EQ(line_.app({"close", "lamp"}).code, 0);
    EXPECT_EQ(call(device, "off").status, 403U);
    EXPECT_EQ(line_.call_count("off"), 0U);
    EXPECT_TRUE(ask(HttpMethod::Get, "/v1/devices").body.at(0).at("sealed"));
}

TEST_F(OpeningsTest, ItStaysOpenOverRestartsOfEverybody) {
    open();
    line_.kill_cloud();
    line_.start_cloud();
    ASSERT_TRUE(testing::eventually([this] { return is_connected(); })) << line_.logs();
    EXPECT_EQ(call("lamp", "on").status, 200U);

    line_.kill_device();
    ASSERT_TRUE(testing::eventually([this] { return !is_connected(); }));
    EXPECT_EQ(call("lamp", "off").status, 408U);
    line_.start_device();
    line_.air_tap().lead_to_unix(line_.device_socket());
    ASSERT_TRUE(testing::eventually([this] { return is_connected(); })) << line_.logs();
    EXPECT_EQ(call("lamp", "off").status, 200U);
}

// The cloud still has its token: it is of no use.
TEST_F(OpeningsTest, WhatTheOwnerTakesBackAtTheDeviceTheCloudLosesToo) {
    open();
    ASSERT_EQ(line_.app({"revoke", "lamp", "the cloud"}).code, 0);
    EXPECT_EQ(call("lamp", "on").status, 403U);
    EXPECT_TRUE(testing::eventually([this] {
        return ask(HttpMethod::Get, "/v1/devices/lamp").status == 404;
    })) << "it was erased";
    EXPECT_EQ(line_.call_count(), 0U);
}

}  // namespace
}  // namespace sotto::integration
