// SPDX-License-Identifier: Apache-2.0
#include "gateway/daemon/status.hpp"

#include <cstdlib>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "gateway/daemon/status_port.hpp"

namespace sotto::gateway {
namespace {

Report sample() {
    return {.seconds = 3'725,
            .clouds = {{.address = "home:5684", .is_connected = true, .tags = 32},
                       {.address = "b:1", .last_error = "it fell silent"}},
            .outage = "BlueZ sleeps",
            .adapters = {{.name = "hci0", .is_scanning = true},
                         {.name = "hci1", .trouble = "it is gone"}},
            .links = {{.device = "0102",
                       .name = "la\"mp",
                       .place = "/org/bluez/hci0/dev_1",
                       .service = "sotto",
                       .is_up = true,
                       .cloud = "home:5684",
                       .seconds = 61,
                       .rssi = -60,
                       .value_size = 510,
                       .interval = Report::Link::Interval{.us = 18'750, .latency = 4},
                       .bytes_in = 7,
                       .bytes_out = 8},
                      {.device = "unknown",
                       .name = "",
                       .place = "there",
                       .service = "bluz",
                       .interval_trouble = "no leave"}},
            .troubles = {{.place = "there", .why = "not found", .seconds_ago = 5, .count = 3}}};
}

TEST(Status, IsWords) {
    EXPECT_EQ(to_words(sample()),
              "running for 1h 2min\n\n"
              "clouds\n  home:5684  connected, has given 32 tags of devices\n  b:1  not connected: "
              "it fell silent\n\n"
              "no Bluetooth: BlueZ sleeps\n\n"
              "adapters\n  hci0  scanning\n  hci1  not there, or off: it is gone\n\n"
              "devices\n"
              "  0102  la\"mp  connected for 1min 1s, at home:5684, -60 dBm, values of 510, "
              "every 18.75 ms or 5 times that, 7 bytes in, 8 out\n"
              "  unknown  -  connecting, bluz, interval not set: no leave, 0 bytes in, 0 out\n\n"
              "latest ends of links\n  there  not found, 5s ago, 3 in all\n");
    EXPECT_EQ(to_words({}), "running for 0s\n\nclouds\n\ndevices: none\n");
}

TEST(Status, IsJson) {
    EXPECT_EQ(
        to_json(sample()),
        R"({"seconds":3725,"clouds":[{"address":"home:5684","connected":true,"last_error":"","tags":32},)"
        R"({"address":"b:1","connected":false,"last_error":"it fell silent","tags":0}],)"
        R"("outage":"BlueZ sleeps",)"
        R"("adapters":[{"name":"hci0","scanning":true},)"
        R"({"name":"hci1","scanning":false,"trouble":"it is gone"}],)"
        R"("links":[{"device":"0102","name":"la\"mp","place":"/org/bluez/hci0/dev_1",)"
        R"("service":"sotto","connected":true,"cloud":"home:5684","seconds":61,"rssi":-60,)"
        R"("value_size":510,"interval_ms":18.75,"latency":4,"bytes_in":7,"bytes_out":8},)"
        R"({"device":"unknown","name":"","place":"there","service":"bluz","connected":false,)"
        R"("cloud":"","seconds":0,"interval_trouble":"no leave","bytes_in":0,"bytes_out":0}],)"
        R"("troubles":[{"place":"there","why":"not found","seconds_ago":5,"count":3}]})"
        "\n");
}

TEST(Status, IsMetrics) {
    const std::string text = to_metrics(sample());
    for (const char* line :
         {"# TYPE sotto_gateway_uptime_seconds gauge\nsotto_gateway_uptime_seconds 3725\n",
          "sotto_gateway_cloud_connected{cloud=\"home:5684\"} 1\n",
          "sotto_gateway_cloud_connected{cloud=\"b:1\"} 0\n",
          "sotto_gateway_tags{cloud=\"home:5684\"} 32\n",
          "sotto_gateway_adapter_scanning{adapter=\"hci0\"} 1\n",
          "sotto_gateway_links 1\n",
          "sotto_gateway_link_up{device=\"unknown\",place=\"there\"} 0\n",
          "sotto_gateway_link_rssi_dbm{device=\"0102\",place=\"/org/bluez/hci0/dev_1\"} -60\n",
          "sotto_gateway_link_interval_us{device=\"0102\",place=\"/org/bluez/hci0/dev_1\"} 18750\n",
          "sotto_gateway_link_bytes_out_total{device=\"0102\",place=\"/org/bluez/hci0/dev_1\"} "
          "8\n"})
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
    EXPECT_EQ(text.find("link_rssi_dbm{device=\"unknown\""), std::string::npos);
}

class StatusPortTest : public ::testing::Test {
  protected:
    StatusPortTest() {
        std::string name =
            (std::filesystem::temp_directory_path() / "sotto_status_XXXXXX").string();
        if (::mkdtemp(name.data()) != nullptr) folder_ = name;
        path_ = (folder_ / "status").string();
    }
    ~StatusPortTest() override { std::filesystem::remove_all(folder_); }

    // What `sotto-gateway status` prints, while a gateway runs here.
    std::string ask(boost::asio::io_context& loop, const std::string& form) {
        std::thread turning{[&] { loop.run(); }};
        ::testing::internal::CaptureStdout();
        EXPECT_EQ(show_status(path_, form), 0);
        std::string said = ::testing::internal::GetCapturedStdout();
        loop.stop();
        turning.join();
        loop.restart();
        return said;
    }

    std::filesystem::path folder_;
    std::string path_;
};

TEST_F(StatusPortTest, AnswersInTheFormThatIsAskedFor) {
    boost::asio::io_context loop{1};
    StatusPort port{loop, sample};
    ASSERT_EQ(port.open(path_), "");
    EXPECT_EQ(ask(loop, "text"), to_words(sample()));
    EXPECT_EQ(ask(loop, "json"), to_json(sample()));
    EXPECT_EQ(ask(loop, "metrics"), to_metrics(sample()));
    using std::filesystem::perms;
    EXPECT_EQ(std::filesystem::status(path_).permissions() & perms::others_all, perms::none);
}

TEST_F(StatusPortTest, ReplacesASocketThatNobodyServes) {
    boost::asio::io_context loop{1};
    {
        boost::asio::local::stream_protocol::acceptor dead{loop, {path_}};
    }
    StatusPort port{loop, sample};
    ASSERT_EQ(port.open(path_), "");
    StatusPort other{loop, sample};
    EXPECT_NE(other.open(path_), "");
    EXPECT_EQ(ask(loop, "text"), to_words(sample()));
}

TEST_F(StatusPortTest, SaysThatNobodyIsThere) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(show_status(path_, "text"), 1);
    EXPECT_NE(::testing::internal::GetCapturedStderr().find("Does it run"), std::string::npos);
    EXPECT_EQ(show_status(std::string(200, 'x'), "text"), 1);
    boost::asio::io_context loop{1};
    StatusPort port{loop, sample};
    EXPECT_NE(port.open((folder_ / "missing" / "status").string()), "");
}

}  // namespace
}  // namespace sotto::gateway
