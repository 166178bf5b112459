// SPDX-License-Identifier: Apache-2.0
// Diagnostics of devices.
#include "cloud/http/limits.hpp"
#include "cloud/http/rest_world.hpp"

namespace sotto::cloud::http {
namespace {

class DiagnosticsTest : public testing::Test, public RestWorld {
  protected:
    DiagnosticsTest() : ann_(token_of("ann")) { add_lamp(1, "ann"); }
    Reply update(const std::string& token) {
        return json_of(Method::Post, lamp_ + "/update", token, json::object());
    }
    const std::string lamp_ = "/v1/diagnostics/" + id_text(lamp_id(1));
    std::string ann_;
};

TEST_F(DiagnosticsTest, TellWhatTheCloudKnowsOfTheConnection) {
    EXPECT_EQ(get(lamp_ + "/last", ann_).status, 404U) << "nothing was asked yet";
    EXPECT_EQ(body(get(lamp_, ann_))["diagnostics"], json::array());
    devices.on_event(lamp_id(1), lamps.front(), {.name = "temperature", .data = "21"});
    EXPECT_EQ(update(ann_).status, 200U);
    const json last = body(get(lamp_ + "/last", ann_))["diagnostics"];
    EXPECT_EQ(last["deviceID"], id_text(lamp_id(1)));
    const json& service = last["payload"]["service"];
    EXPECT_EQ(service["device"]["status"], "ok");
    EXPECT_EQ(service["coap"]["round_trip"], 0);
    EXPECT_EQ(service["cloud"]["connections"], 1);
    EXPECT_EQ(service["cloud"]["disconnects"], 0);
    EXPECT_EQ(service["cloud"]["publish"]["sent"], 1);
    EXPECT_EQ(get(lamp_ + "/metadata", ann_).status, 200U);
}

TEST_F(DiagnosticsTest, CountConnectionsThatEnd) {
    devices.on_disconnected(lamp_id(1), lamps.front());
    settle();
    EXPECT_EQ(update(ann_).status, 408U);
    now = now + seconds(5);
    devices.on_connected(lamp_id(1), lamps.front());
    settle();
    EXPECT_EQ(update(ann_).status, 200U);
    const json cloud =
        body(get(lamp_ + "/last", ann_))["diagnostics"]["payload"]["service"]["cloud"];
    EXPECT_EQ(cloud["connections"], 2);
    EXPECT_EQ(cloud["disconnects"], 1);
    EXPECT_TRUE(cloud.contains("last_disconnect_at"));
}

TEST_F(DiagnosticsTest, TheOldestMakesRoomAndTheNewestComesFirst) {
    for (std::size_t i = 0; i <= kDiagnosesMax; ++i) {
        now = now + seconds(1);
        EXPECT_EQ(update(ann_).status, 200U);
    }
    const json list = body(get(lamp_, ann_))["diagnostics"];
    ASSERT_EQ(list.size(), kDiagnosesMax);
    EXPECT_GT(list[0]["updated_at"], list[1]["updated_at"]);
}

TEST_F(DiagnosticsTest, AreTheOwnersAlone) {
    EXPECT_EQ(update(ann_).status, 200U);
    const std::string bob = token_of("bob");
    for (const char* end : {"", "/last"}) EXPECT_EQ(get(lamp_ + end, bob).status, 404U) << end;
    EXPECT_EQ(update(bob).status, 404U);
    store_.release_open_device(accounts["ann"], lamp_id(1), [](const auto&) {});
    store_.claim_open_device(lamp_id(1), accounts["bob"], now, [](const auto&) {});
    settle();
    devices.set_owner(lamp_id(1), accounts["bob"]);
    EXPECT_EQ(body(get(lamp_, bob))["diagnostics"], json::array()) << "what was before is ann's";
}

}  // namespace
}  // namespace sotto::cloud::http
