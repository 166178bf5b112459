// SPDX-License-Identifier: Apache-2.0
// Environment variables, as the clients set and show them.
#include "cloud/http/environment.hpp"
#include "cloud/http/limits.hpp"
#include "cloud/http/rest_world.hpp"

namespace sotto::cloud::http {
namespace {

class EnvironmentTest : public testing::Test, public RestWorld {
  protected:
    EnvironmentTest() : ann_(token_of("ann")), bob_(token_of("bob")) { add_lamp(1, "ann"); }
    const std::string lamp_ = "/v1/env/" + id_text(lamp_id(1));

    Reply patch(const std::string& path, const std::vector<json>& ops) {
        return json_of(Method::Patch, path, ann_, {{"ops", ops}});
    }
    static json set(const std::string& key, const std::string& value) {
        return {{"op", "Set"}, {"key", key}, {"value", value}};
    }
    static json unset(const std::string& key) { return {{"op", "Unset"}, {"key", key}}; }

    std::string ann_;
    std::string bob_;
};

TEST_F(EnvironmentTest, WhatIsSetIsTheLatestAndRolledOutLater) {
    const json empty = body(get("/v1/env", ann_));
    EXPECT_EQ(empty["latest"]["own"], json::object());
    EXPECT_EQ(empty["latest"]["updated_at"], nullptr);
    EXPECT_FALSE(empty.contains("on_device"));
    const Reply patched = patch("/v1/env", {set("LEVEL", "high"), set("OTHER", "x")});
    EXPECT_EQ(patched.status, 200U);
    const json shown = body(get("/v1/env", ann_));
    EXPECT_EQ(body(patched), shown);
    EXPECT_EQ(shown["latest"]["own"],
              (json{{"LEVEL", {{"value", "high"}}}, {"OTHER", {{"value", "x"}}}}));
    EXPECT_EQ(shown["latest"]["updated_by"], "ann");
    EXPECT_EQ(shown["last_snapshot"]["own"], json::object());
    EXPECT_EQ(body(get("/v1/env/render", ann_))["env"], json::object());

    EXPECT_EQ(body(get("/v1/env/rollout", ann_))["from_snapshot"]["changes"].size(), 2U);
    EXPECT_EQ(body(json_of(Method::Post, "/v1/env/rollout", ann_, {{"when", "Connect"}})),
              (json{{"success", true}}));
    EXPECT_EQ(body(get("/v1/env/render", ann_))["env"], (json{{"LEVEL", "high"}, {"OTHER", "x"}}));
    EXPECT_EQ(body(get("/v1/env", ann_))["last_snapshot"]["rollout_by"], "ann");

    patch("/v1/env", {set("LEVEL", "low"), unset("OTHER"), set("THIRD", "y")});
    const json diff = body(get("/v1/env/rollout", ann_))["from_snapshot"]["changes"];
    EXPECT_EQ(
        diff,
        json::array({{{"op", "Changed"}, {"key", "LEVEL"}, {"before", "high"}, {"after", "low"}},
                     {{"op", "Added"}, {"key", "THIRD"}, {"after", "y"}},
                     {{"op", "Removed"}, {"key", "OTHER"}, {"before", "x"}}}));
    EXPECT_EQ(body(get("/v1/env", bob_))["latest"]["own"], json::object()) << "another user's";
}

TEST_F(EnvironmentTest, ADeviceInheritsWhatItDoesNotSet) {
    patch("/v1/env", {set("LEVEL", "high"), set("OTHER", "x")});
    patch(lamp_, {set("LEVEL", "low")});
    const json shown = body(get(lamp_, ann_));
    EXPECT_EQ(shown["latest"]["own"], (json{{"LEVEL", {{"value", "low"}}}}));
    EXPECT_EQ(shown["latest"]["inherited"]["LEVEL"], (json{{"from", "Owner"}, {"value", "high"}}));
    EXPECT_EQ(shown["latest"]["inherited"]["OTHER"]["value"], "x");
    EXPECT_TRUE(shown.contains("on_device"));
    EXPECT_EQ(shown["on_device"], nullptr) << "no legacy firmware asks for any";
    json_of(Method::Post, "/v1/env/rollout", ann_, json::object());
    EXPECT_EQ(body(get(lamp_ + "/render", ann_))["env"], (json{{"LEVEL", "high"}, {"OTHER", "x"}}));
    EXPECT_EQ(body(get(lamp_ + "/rollout", ann_))["from_snapshot"]["unchanged"],
              (json{{"OTHER", "x"}}));
    json_of(Method::Post, lamp_ + "/rollout", ann_, json::object());
    EXPECT_EQ(body(get(lamp_ + "/render", ann_))["env"], (json{{"LEVEL", "low"}, {"OTHER", "x"}}));
    EXPECT_EQ(get(lamp_, bob_).status, 404U);
    EXPECT_EQ(json_of(Method::Patch, lamp_, bob_, {{"ops", json::array({set("A", "b")})}}).status,
              404U);
}

TEST_F(EnvironmentTest, OneVariableIsSetAndUnsetByItsName) {
    EXPECT_EQ(json_of(Method::Put, "/v1/env/LEVEL", ann_, {{"value", "high"}}).status, 200U);
    EXPECT_EQ(body(get("/v1/env", ann_))["latest"]["own"]["LEVEL"]["value"], "high");
    EXPECT_EQ(json_of(Method::Put, lamp_ + "/LEVEL", ann_, {{"value", "low"}}).status, 200U);
    EXPECT_EQ(body(get(lamp_, ann_))["latest"]["own"]["LEVEL"]["value"], "low");
    EXPECT_EQ(json_of(Method::Delete, lamp_ + "/LEVEL", ann_).status, 200U);
    EXPECT_EQ(json_of(Method::Delete, "/v1/env/LEVEL", ann_).status, 200U);
    EXPECT_EQ(body(get(lamp_, ann_))["latest"]["inherited"], json::object());
}

TEST_F(EnvironmentTest, WhatIsWrongChangesNothing) {
    patch("/v1/env", {set("GOOD", "1")});
    const std::string long_key(kVariableKeySizeMax, 'K');
    const std::string long_value(kVariableValueSizeMax, 'v');
    for (const json& ops : {json(),
                            json::array(),
                            json("text"),
                            json::array({1}),
                            json::array({set("GOOD", "2"), set("", "x")}),
                            json::array({set("GOOD", "2"), set("1ST", "x")}),
                            json::array({set("GOOD", "2"), set("A-B", "x")}),
                            json::array({set(long_key + "K", "x")}),
                            json::array({set("LONG", long_value + "v")}),
                            json::array({{{"op", "Set"}, {"key", "GOOD"}}}),
                            json::array({{{"op", "Set"}, {"key", "GOOD"}, {"value", 2}}}),
                            json::array({{{"op", "Drop"}, {"key", "GOOD"}}})})
        EXPECT_EQ(json_of(Method::Patch, "/v1/env", ann_, {{"ops", ops}}).status, 400U) << ops;
    EXPECT_EQ(json_of(Method::Patch, "/v1/env", ann_, json::array()).status, 400U);
    EXPECT_EQ(body(get("/v1/env", ann_))["latest"]["own"], (json{{"GOOD", {{"value", "1"}}}}));
    EXPECT_EQ(patch("/v1/env", {set(long_key, long_value)}).status, 200U);
}

TEST_F(EnvironmentTest, ThereAreSoManyVariablesAtMost) {
    std::vector<json> ops;
    for (std::size_t i = 0; i < kVariablesMax; ++i) ops.push_back(set("V" + std::to_string(i), ""));
    EXPECT_EQ(patch("/v1/env", ops).status, 200U);
    EXPECT_EQ(patch("/v1/env", {set("MORE", "")}).status, 400U);
    EXPECT_EQ(patch("/v1/env", {unset("V0"), set("MORE", "")}).status, 200U);
}

TEST_F(EnvironmentTest, ATokenMustBeGoodForIt) {
    const std::string narrow = body(log_in("ann", "&scope=devices%3Alist"))["access_token"];
    EXPECT_EQ(get("/v1/env", narrow).status, 403U);
    const std::string fitting = body(log_in("ann", "&scope=env%3Alist"))["access_token"];
    EXPECT_EQ(get("/v1/env", fitting).status, 200U);
}

TEST(Environment, ComesBackFromItsDefinitionAndFromNonsenseEmpty) {
    Environment first{Environment::Level::Owner};
    EXPECT_TRUE(first.apply(
        json::array({{{"op", "Set"}, {"key", "A"}, {"value", "\xc3\xa4\n"}}}), "ann", Instant{5}));
    first.roll_out("bob", Instant{6});
    const Environment again = Environment::parse(Environment::Level::Owner, first.definition());
    EXPECT_EQ(Environment::show({again}), Environment::show({first}));
    for (const char* nonsense :
         {"", "x", "[]", "{\"latest\":5,\"created\":7}", "{\"latest\":{\"A\":5},\"updated\":{}}"})
        EXPECT_TRUE(Environment::parse(Environment::Level::Owner, nonsense).latest().empty());
}

}  // namespace
}  // namespace sotto::cloud::http
