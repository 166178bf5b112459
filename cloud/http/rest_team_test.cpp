// SPDX-License-Identifier: Apache-2.0
// Programs of a product, and its environment variables.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cloud/http/rest_world.hpp"

namespace sotto::cloud::http {
namespace {

class TeamTest : public RestWorld, public ::testing::Test {
  protected:
    TeamTest() : ann(token_of("ann")) {
        for (const int id : {1'000, 1'001}) {
            const json product{{"name", "p" + std::to_string(id)}, {"platform_id", 6}, {"id", id}};
            EXPECT_EQ(
                json_of(Method::Post, "/v1/user/products", ann, {{"product", product}}).status,
                201U);
        }
        add_lamp(1, "ann");
        add_lamp(2, "ann");
        const json listed{{"id", id_text(lamp_id(1))}};
        EXPECT_EQ(json_of(Method::Post, "/v1/products/1000/devices", ann, listed).status, 200U);
    }
    Reply make(const std::vector<std::string>& scopes, const std::string& name = "Weather Robot") {
        return json_of(Method::Post, kTeam, ann, {{"friendly_name", name}, {"scopes", scopes}});
    }
    std::string robot(const std::vector<std::string>& scopes) {
        return body(make(scopes))["created"]["tokens"][0]["token"];
    }

    static constexpr const char* kTeam = "/v1/products/1000/team";
    std::string ann;
};

TEST_F(TeamTest, AProgramHasATokenThatIsShownOnce) {
    const Reply made = make({"devices:list", "devices.function:call"});
    EXPECT_EQ(made.status, 201U);
    const json created = body(made)["created"];
    EXPECT_EQ(created["friendly_name"], "Weather Robot");
    EXPECT_EQ(created["is_programmatic"], true);
    EXPECT_TRUE(created["username"].get<std::string>().starts_with("weather-robot+"));
    EXPECT_EQ(created["scopes"], (json{"devices:list", "devices.function:call"}));
    const std::string token = created["tokens"][0]["token"];
    const json team = body(get(kTeam, ann));
    ASSERT_EQ(team.size(), 2U);
    EXPECT_EQ(team[0]["username"], "ann");
    EXPECT_EQ(team[1]["username"], created["username"]);
    EXPECT_EQ(get(kTeam, ann).body.find(token), std::string::npos);
    EXPECT_EQ(body(get("/v1/products/1001/team", ann)).size(), 1U);
    EXPECT_EQ(get(kTeam, token_of("bob")).status, 404U);
}

TEST_F(TeamTest, AProgramReachesItsProductAndNothingElse) {
    const std::string token = robot({"devices:list", "devices.function:call", "env:list"});
    const std::string lamp = "/v1/products/1000/devices/" + id_text(lamp_id(1));
    EXPECT_EQ(get("/v1/products/1000/devices", token).status, 200U);
    EXPECT_EQ(get(lamp, token).status, 200U);
    EXPECT_EQ(json_of(Method::Post, lamp + "/led", token, {{"arg", "on"}}).status, 200U);
    EXPECT_EQ(get("/v1/products/1000/env", token).status, 200U);
    for (const std::string path : {"/v1/devices",
                                   "/v1/products",
                                   "/v1/products/1001/devices",
                                   "/v1/products/9999/devices",
                                   "/v1/env",
                                   "/v1/user",
                                   "/v1/users",
                                   kTeam})
        EXPECT_EQ(get(path, token).status, 403U) << path;
    EXPECT_EQ(get("/v1/devices/" + id_text(lamp_id(1)), token).status, 403U);
    EXPECT_EQ(get("/v1/products/1000/devices/" + id_text(lamp_id(2)), token).status, 404U)
        << "ann's, and not of this product";
    EXPECT_EQ(get(lamp + "/count", token).status, 403U) << "not in its scopes";
    EXPECT_EQ(get("/v1/products/1000/events", token).status, 403U);
    EXPECT_EQ(get("/v1/access_tokens/current", token).status, 200U);
    EXPECT_EQ(get("/v1/products/p1000/devices", token).status, 200U) << "by its slug";
}

TEST_F(TeamTest, WhatIsNotForProgramsIsRefused) {
    for (const std::vector<std::string>& scopes : {std::vector<std::string>{},
                                                   {"*:*"},
                                                   {""},
                                                   {"nonsense"},
                                                   {"user:update"},
                                                   {"users:list"},
                                                   {"devices:list", "devices:claim"}})
        EXPECT_EQ(make(scopes).status, 400U);
    EXPECT_EQ(make({"devices:list"}, "").status, 400U);
    EXPECT_EQ(make({"devices:list"}, std::string(65, 'a')).status, 400U);
    EXPECT_EQ(json_of(Method::Post, kTeam, ann, {{"username", "bob"}}).status, 501U);
    EXPECT_EQ(body(get(kTeam, ann)).size(), 1U);
}

TEST_F(TeamTest, AProgramIsChangedRenewedAndEnded) {
    const json created = body(make({"devices:list"}))["created"];
    const std::string first = created["tokens"][0]["token"];
    const std::string path = kTeam + ("/" + created["username"].get<std::string>());
    EXPECT_EQ(get("/v1/products/1000/devices", first).status, 200U);
    EXPECT_EQ(json_of(Method::Put, path, ann, {{"scopes", {"events:get", "env:list"}}}).status,
              200U);
    EXPECT_EQ(get("/v1/products/1000/devices", first).status, 403U);
    EXPECT_EQ(get("/v1/products/1000/env", first).status, 200U);
    EXPECT_EQ(json_of(Method::Put, path, ann, {{"scopes", json::array()}}).status, 400U);
    const Reply renewed = json_of(Method::Put, path + "/token", ann, json::object());
    EXPECT_EQ(renewed.status, 200U);
    const std::string second = body(renewed)["token"];
    EXPECT_EQ(get("/v1/products/1000/env", first).status, 401U);
    EXPECT_EQ(get("/v1/products/1000/env", second).status, 200U);
    EXPECT_EQ(json_of(Method::Delete, path, ann).status, 204U);
    EXPECT_EQ(get("/v1/products/1000/env", second).status, 401U);
    for (const Method method : {Method::Put, Method::Delete})
        EXPECT_EQ(json_of(method, path, ann, json::object()).status, 404U);
}

TEST_F(TeamTest, AUploadOfAProgramIsForItsProductToo) {
    const std::string token = robot({"firmware:create"});
    const auto status = [&](const std::string& product) {
        unsigned found = 200;
        rest.begin_upload({.method = Method::Post,
                           .target = "/v1/products/" + product + "/firmware",
                           .authorization = "Bearer " + token,
                           .content_type = "multipart/form-data; boundary=x"},
                          [&](Result<model::AccountId, Reply> begun) {
                              if (begun) {
                                  rest.end_upload(*begun);
                              } else {
                                  found = begun.error().status;
                              }
                          });
        settle();
        return found;
    };
    EXPECT_EQ(status("1000"), 200U);
    EXPECT_EQ(status("1001"), 403U);
}

TEST_F(TeamTest, APlatformIsNoProductAndNoMistake) {
    EXPECT_EQ(body(get("/v1/products/103", ann)), (json{{"product", nullptr}}));
    EXPECT_EQ(get("/v1/products/256", ann).status, 404U);
    EXPECT_EQ(get("/v1/products/lamps", ann).status, 404U);
    EXPECT_EQ(body(get("/v1/products/1000", ann))["product"]["id"], 1'000);
}

TEST_F(TeamTest, ADeviceInheritsFromItsProductAndThatFromTheAccount) {
    const auto set = [&](const std::string& path, const char* value) {
        EXPECT_EQ(json_of(Method::Put, path + "/LEVEL", ann, {{"value", value}}).status, 200U);
    };
    set("/v1/env", "account");
    set("/v1/products/1000/env", "product");
    const std::string lamp = "/v1/env/" + id_text(lamp_id(1));
    json latest = body(get(lamp, ann))["latest"];
    EXPECT_EQ(latest["inherited"]["LEVEL"], (json{{"from", "Product"}, {"value", "product"}}));
    latest = body(get("/v1/products/1000/env", ann))["latest"];
    EXPECT_EQ(latest["own"]["LEVEL"]["value"], "product");
    EXPECT_EQ(latest["inherited"]["LEVEL"]["from"], "Owner");
    latest = body(get("/v1/env/" + id_text(lamp_id(2)), ann))["latest"];
    EXPECT_EQ(latest["inherited"]["LEVEL"]["from"], "Owner") << "of no product";
    EXPECT_EQ(json_of(Method::Delete, "/v1/products/1000/env/LEVEL", ann).status, 200U);
    EXPECT_EQ(body(get(lamp, ann))["latest"]["inherited"]["LEVEL"]["from"], "Owner");
    EXPECT_EQ(get("/v1/products/1000/env", token_of("bob")).status, 404U);
}

}  // namespace
}  // namespace sotto::cloud::http
