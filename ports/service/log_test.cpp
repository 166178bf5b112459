// SPDX-License-Identifier: Apache-2.0
#include "ports/service/log.hpp"

#include <gtest/gtest.h>

namespace sotto::ports {
namespace {

class LogTest : public ::testing::Test {
  protected:
    Log make(LogLevel level, LogFormat format) {
        return Log{Log::Setup{.level = level,
                              .format = format,
                              .write = [this](std::string_view line) { lines_ += line; },
                              .now = [this] { return now_; }}};
    }
    std::string take() { return std::exchange(lines_, {}); }

    Instant now_ = Instant{} + seconds(1'700'000'000) + milliseconds(7);
    std::string lines_;
};

TEST_F(LogTest, WritesEventsWithTheirFields) {
    Log log = make(LogLevel::Info, LogFormat::Text);
    log.info("ready", {{"apps", "127.0.0.1:8080"}, {"count", 3}});
    EXPECT_EQ(take(), "2023-11-14T22:13:20.007Z info ready apps=127.0.0.1:8080 count=3\n");
    log.warn("failed", {{"why", "no \"space\" = bad\n"}, {"empty", ""}});
    EXPECT_EQ(take(),
              "2023-11-14T22:13:20.007Z warn failed why=\"no \\\"space\\\" = bad\\u000a\" "
              "empty=\"\"\n");
}

TEST_F(LogTest, WritesJson) {
    Log log = make(LogLevel::Info, LogFormat::Json);
    log.error("failed", {{"why", "a\\b \"c\"\t"}, {"count", 3U}});
    EXPECT_EQ(take(),
              "{\"time\":\"2023-11-14T22:13:20.007Z\",\"level\":\"error\",\"event\":\"failed\","
              "\"why\":\"a\\\\b \\\"c\\\"\\u0009\",\"count\":3}\n");
}

TEST_F(LogTest, LeavesOutWhatIsBelowItsLevel) {
    Log log = make(LogLevel::Warn, LogFormat::Text);
    log.debug("one");
    log.info("two");
    EXPECT_EQ(take(), "");
    log.error("three");
    EXPECT_NE(take(), "");
    EXPECT_EQ(parse_log_level("debug"), LogLevel::Debug);
    EXPECT_EQ(parse_log_level("error"), LogLevel::Error);
    EXPECT_EQ(parse_log_format("json"), LogFormat::Json);
}

TEST_F(LogTest, WhatAPeerCanCauseIsBounded) {
    Log log = make(LogLevel::Info, LogFormat::Text);
    for (int i = 0; i < 1'000; ++i) log.info("knock");
    const std::string lines = take();
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 100);
    log.info("other");
    EXPECT_NE(take(), "");
    now_ = now_ + seconds(1);
    log.info("knock");
    EXPECT_NE(take().find(" left-out=900\n"), std::string::npos);
}

}  // namespace
}  // namespace sotto::ports
