// SPDX-License-Identifier: Apache-2.0
// What gateway and cloud could read: every byte that passes them is recorded and searched.
#include <gtest/gtest.h>

#include "tests/integration/line.hpp"
#include "tests/integration/marker.hpp"

namespace sotto::integration {
namespace {

TEST(MarkerTest, IsFoundInEveryForm) {
    const std::string marker = draw_marker();
    const auto bytes = [](const std::string& text) { return Recording{text.begin(), text.end()}; };
    EXPECT_FALSE(find_marker(bytes("some" + marker + "thing"), marker).empty());
    EXPECT_TRUE(find_marker(bytes("something"), marker).empty());
    // "abc" in base64 is YWJj; behind one byte ("?abc") P2FiYw.
    const auto forms = forms_of("abc");
    for (const char* form : {"abc", "616263", "YWJj", "FiY"}) {
        EXPECT_TRUE(std::any_of(forms.begin(), forms.end(), [form](const std::string& each) {
            return each == form;
        })) << form;
    }
}

TEST(PrivacyTest, NothingOfACommandCanBeReadOnItsWayAndAReplayDoesNothing) {
    const std::string function = draw_marker();
    const std::string argument = draw_marker();
    const std::string result = draw_marker();
    const std::string event = draw_marker();
    const std::string payload = draw_marker();
    const std::string variable = draw_marker();
    const std::string value = draw_marker();
    Line line{{"--function",
               function + "=" + result,
               "--variable",
               variable + "=" + value,
               "--event",
               event + "=" + payload}};
    ASSERT_TRUE(line.pair()) << line.logs();

    const std::string watch_log = line.folder() / "watch.log";
    auto watch = line.start_app({"watch", "lamp", event, "--count", "1"}, watch_log);
    ASSERT_TRUE(testing::eventually([&] {
        return testing::read_text(watch_log).find("watching") != std::string::npos;
    })) << testing::read_text(watch_log);
    const testing::Run called = line.app({"call", "lamp", function, argument});
    EXPECT_EQ(called.code, 0) << called.output;
    EXPECT_NE(called.output.find(result), std::string::npos);
    EXPECT_EQ(watch->wait(), 0);
    EXPECT_NE(testing::read_text(watch_log).find(payload), std::string::npos);
    EXPECT_NE(line.app({"get", "lamp", variable}).output.find(value), std::string::npos);
    EXPECT_EQ(line.call_count(argument), 1U);

    for (Tap* tap : {&line.air_tap(), &line.uplink_tap(), &line.http_tap()}) {
        for (const Recording& recording : {tap->from_client(), tap->from_server()}) {
            EXPECT_GT(recording.size(), 500U) << "the wire was used";
            for (const auto& marker : {function, argument, result, event, payload, variable, value})
                EXPECT_EQ(find_marker(recording, marker), "");
        }
    }

    // The whole recording again: to the cloud as app and as gateway, then to the device.
    const std::size_t calls = line.call_count();
    send_to_tcp(line.http_tap().address(), line.http_tap().from_client());
    send_to_tcp(line.uplink_tap().address(), line.uplink_tap().from_client());
    const Recording to_device = line.air_tap().from_client();
    line.kill_gateway();
    for (int i = 0; i < 2; ++i) send_to_unix(line.device_socket(), to_device);
    EXPECT_EQ(line.call_count(), calls);
    line.start_gateway();
    EXPECT_TRUE(testing::eventually([&] {
        return line.app({"call", "lamp", function, argument}).code == 0;
    })) << line.logs();
    EXPECT_EQ(line.call_count(), calls + 1);
}

}  // namespace
}  // namespace sotto::integration
