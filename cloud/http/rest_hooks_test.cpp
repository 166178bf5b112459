// SPDX-License-Identifier: Apache-2.0
// Integrations as clients see them.
#include "cloud/http/rest_world.hpp"

namespace sotto::cloud::http {
namespace {

class RestHooksTest : public testing::Test, public RestWorld {
  protected:
    Reply create(const std::string& token, json more = json::object()) {
        more.update({{"event", "temp"}, {"url", "https://example.com/a"}});
        return json_of(Method::Post, "/v1/integrations", token, more);
    }
    std::string id_of(const Reply& reply) { return body(reply)["id"]; }
    // What the dispatcher wants to send.
    std::vector<hooks::Send> sends() {
        std::vector<hooks::Send> found;
        while (auto output = dispatcher.next(now)) {
            if (auto* send = std::get_if<hooks::Send>(&*output)) found.push_back(*std::move(send));
        }
        return found;
    }

    std::string ann = token_of("ann");
    std::string bob = token_of("bob");
};

TEST_F(RestHooksTest, MakesOneAsTheCommandLineOfParticleDoes) {
    // particle webhook create temp https://example.com/a
    const Reply made = json_of(Method::Post,
                               "/v1/integrations",
                               ann,
                               {{"event", "temp"},
                                {"url", "https://example.com/a"},
                                {"requestType", "POST"},
                                {"integration_type", "Webhook"}});
    EXPECT_EQ(made.status, 201U) << made.body;
    const json answer = body(made);
    EXPECT_EQ(answer["ok"], true);
    EXPECT_EQ(answer["id"].get<std::string>().size(), 24U);
    EXPECT_EQ(answer["url"], "https://example.com/a");
    EXPECT_EQ(answer["event"], "temp");
    EXPECT_EQ(answer["created_at"], to_iso(now.ms));
    EXPECT_FALSE(answer.contains("error"));
    const json list = body(get("/v1/integrations", ann));
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0]["integration_type"], "Webhook");
    EXPECT_EQ(list[0]["id"], answer["id"]);
    EXPECT_EQ(list[0]["url"], "https://example.com/a");
    EXPECT_EQ(body(get("/v1/webhooks", ann)), list);
    EXPECT_EQ(body(get("/v1/integrations/" + id_of(made), ann)), list[0]);
}

TEST_F(RestHooksTest, TakesTheOlderAddressAndForms) {
    const Reply made = form("/v1/webhooks",
                            "event=temp&url=http%3A%2F%2Fexample.com%2F&requestType=GET&"
                            "headers=%7B%22X-A%22%3A%22b%22%7D&noDefaults=true",
                            ann);
    ASSERT_EQ(made.status, 201U) << made.body;
    const json hook = body(get("/v1/webhooks/" + id_of(made), ann));
    EXPECT_EQ(hook["requestType"], "GET");
    EXPECT_TRUE(hook["headers"].contains("X-A"));
    EXPECT_EQ(json_of(Method::Delete, "/v1/webhooks/" + id_of(made), ann).status, 200U);
    EXPECT_EQ(get("/v1/webhooks/" + id_of(made), ann).status, 404U);
}

TEST_F(RestHooksTest, NobodySeesChangesTriesOrEndsThoseOfAnother) {
    const std::string id = id_of(create(ann));
    const std::string target = "/v1/integrations/" + id;
    EXPECT_EQ(body(get("/v1/integrations", bob)), json::array());
    EXPECT_EQ(get(target, bob).status, 404U);
    EXPECT_EQ(json_of(Method::Put, target, bob, {{"url", "https://evil.com"}}).status, 404U);
    EXPECT_EQ(json_of(Method::Delete, target, bob).status, 404U);
    EXPECT_EQ(json_of(Method::Post, target + "/test", bob).status, 404U);
    EXPECT_EQ(get("/v1/integrations/zz", ann).status, 404U);
    EXPECT_EQ(body(get(target, ann))["url"], "https://example.com/a");
    devices.publish(accounts["bob"], {.name = "temp"});
    EXPECT_TRUE(sends().empty());
    devices.publish(accounts["ann"], {.name = "temp"});
    EXPECT_EQ(sends().size(), 1U);
}

TEST_F(RestHooksTest, ChangesWhatIsNamedAndHidesSecrets) {
    const std::string id = id_of(create(ann,
                                        {{"auth", {{"username", "u"}, {"password", "p4ss"}}},
                                         {"headers", {{"Authorization", "Bearer s3cret"}}},
                                         {"json", {{"a", "{{{x}}}"}}}}));
    const std::string target = "/v1/integrations/" + id;
    const Reply shown = get(target, ann);
    EXPECT_EQ(shown.body.find("p4ss"), std::string::npos);
    EXPECT_EQ(shown.body.find("s3cret"), std::string::npos);
    EXPECT_EQ(get("/v1/integrations", ann).body.find("s3cret"), std::string::npos);
    json changed = body(shown);
    changed["url"] = "https://other.com/";
    now = now + seconds(5);
    EXPECT_EQ(json_of(Method::Put, target, ann, changed).status, 200U);
    devices.publish(accounts["ann"], {.name = "temp", .data = R"({"x": 5})"});
    const auto sent = sends();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].request.origin.host, "other.com");
    const auto& headers = sent[0].request.headers;
    EXPECT_TRUE(std::ranges::find(headers,
                                  std::pair<std::string, std::string>{
                                      "Authorization", "Bearer s3cret"}) != headers.end())
        << "the secret is as it was";
    EXPECT_EQ(body(get(target, ann))["updated_at"], to_iso(now.ms));
    EXPECT_EQ(json_of(Method::Put, target, ann, {{"disabled", true}}).status, 200U);
    EXPECT_EQ(body(get(target, ann))["url"], "https://other.com/");
    devices.publish(accounts["ann"], {.name = "temp"});
    EXPECT_TRUE(sends().empty());
    EXPECT_EQ(json_of(Method::Post, target + "/test", ann).status, 400U);
    EXPECT_EQ(json_of(Method::Put, target, ann, {{"url", "nonsense"}}).status, 400U);
    EXPECT_EQ(body(get(target, ann))["url"], "https://other.com/");
}

TEST_F(RestHooksTest, SaysWhatIsWrongWhereTheUserLooks) {
    const auto refused = [&](const json& definition, const std::string& words) {
        const Reply got = json_of(Method::Post, "/v1/integrations", ann, definition);
        EXPECT_EQ(got.status, 400U) << definition.dump();
        EXPECT_EQ(body(got)["ok"], false);
        EXPECT_EQ(body(got)["error"], "invalid_request");
        EXPECT_NE(got.body.find(words), std::string::npos) << got.body;
    };
    refused({{"url", "https://e.com"}}, "event:");
    refused({{"event", "e"}}, "url:");
    refused({{"event", "e"}, {"url", "https://e.com/{{#x}}"}}, "not closed");
    refused({{"event", "e"}, {"url", "http://inside.lan/"}}, "webhook-allow");
    refused({{"event", "e"}, {"url", "https://e.com"}, {"integration_type", "AzureIotHub"}},
            "webhooks only");
    EXPECT_EQ(create(ann, {{"deviceID", "nobody's"}}).status, 404U);
    EXPECT_EQ(body(get("/v1/integrations", ann)), json::array());
    EXPECT_EQ(get("/v1/products/1/integrations", ann).status, 404U);
    EXPECT_NE(get("/v1/orgs/x/integrations", ann).body.find("--org"), std::string::npos);
    EXPECT_EQ(body(json_of(Method::Post, "/v1/orgs/x/integrations", ann))["error"], "not_found");
}

TEST_F(RestHooksTest, ADeviceMayBeNamed) {
    add_lamp(1, "ann");
    json_of(Method::Put, "/v1/devices/" + id_text(lamp_id(1)), ann, {{"name", "lamp"}});
    const Reply made = create(ann, {{"deviceid", "lamp"}});
    ASSERT_EQ(made.status, 201U) << made.body;
    EXPECT_EQ(body(get("/v1/integrations/" + id_of(made), ann))["deviceID"], id_text(lamp_id(1)));
    devices.publish(accounts["ann"], {.name = "temp"});
    EXPECT_TRUE(sends().empty()) << "not of the device";
    devices.on_event(lamp_id(1), lamps.back(), {.name = "temp"});
    const auto sent = sends();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_NE(sent[0].request.body.find("coreid=" + id_text(lamp_id(1))), std::string::npos);
}

TEST_F(RestHooksTest, ScopesAndTheAuditLog) {
    const std::string reader = token_of("ann", "&scope=events:get");
    EXPECT_EQ(get("/v1/integrations", reader).status, 403U);
    const std::string keeper = token_of("ann", "&scope=integrations:create");
    const std::string id = id_of(create(keeper));
    EXPECT_EQ(json_of(Method::Delete, "/v1/integrations/" + id, keeper).status, 200U);
    std::vector<std::string> actions;
    store_.list_audit(accounts["ann"], 2, [&](const auto& entries) {
        for (const auto& entry : *entries) actions.push_back(entry.action + " " + entry.subject);
    });
    settle();
    EXPECT_EQ(actions,
              (std::vector<std::string>{"integration-delete " + id, "integration-create " + id}));
}

TEST_F(RestHooksTest, SoManyAndNoMore) {
    for (std::size_t i = 0; i < store::kHooksPerAccountMax; ++i)
        ASSERT_EQ(create(ann).status, 201U);
    const Reply refused = create(ann);
    EXPECT_EQ(refused.status, 429U);
    EXPECT_EQ(body(refused)["error"], "too_many_integrations");
    EXPECT_EQ(create(bob).status, 201U);
    EXPECT_EQ(dispatcher.totals().hooks, store::kHooksPerAccountMax + 1);
}

TEST_F(RestHooksTest, WhatTheStoreDoesNotKeepDoesNotHappen) {
    const std::string id = id_of(create(ann));
    store_.fail_with(Error::StorageFailed);
    EXPECT_EQ(create(ann).status, 500U);
    EXPECT_EQ(json_of(Method::Put, "/v1/integrations/" + id, ann, {{"disabled", true}}).status,
              500U);
    EXPECT_EQ(json_of(Method::Delete, "/v1/integrations/" + id, ann).status, 500U);
    store_.fail_with(std::nullopt);
    const json list = body(get("/v1/integrations", ann));
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0]["disabled"], false);
}

TEST_F(RestHooksTest, IsTriedOnRequestAndTellsHowItWent) {
    const std::string id = id_of(create(ann));
    const Reply tried =
        json_of(Method::Post, "/v1/integrations/" + id + "/test", ann, {{"data", "7"}});
    EXPECT_EQ(tried.status, 202U) << tried.body;
    const auto sent = sends();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_NE(sent[0].request.body.find("data=7"), std::string::npos);
    dispatcher.on_sent(sent[0].job);
    dispatcher.on_answered(sent[0].job, hooks::WebResponse{.status = 404}, now);
    const json told = body(get("/v1/integrations/" + id, ann));
    EXPECT_EQ(told["counters"]["sent"], 1);
    EXPECT_EQ(told["counters"]["failed"], 1);
    EXPECT_EQ(told["last_error"], "error status 404 from example.com");
    EXPECT_EQ(told["last_error_at"], to_iso(now.ms));
    EXPECT_EQ(json_of(Method::Post,
                      "/v1/integrations/" + id + "/test",
                      ann,
                      {{"event", std::string(65, 'x')}})
                  .status,
              400U);
}

TEST_F(RestHooksTest, WhatAHookMakesACloudPublishTriggersNoHook) {
    create(ann);
    const auto publish = [&](bool is_of_hook) {
        return reply({.method = Method::Post,
                      .target = "/v1/devices/events",
                      .authorization = "Bearer " + ann,
                      .content_type = "application/x-www-form-urlencoded",
                      .body = "name=temp",
                      .is_of_hook = is_of_hook});
    };
    EXPECT_EQ(publish(true).status, 200U);
    EXPECT_TRUE(sends().empty());
    EXPECT_EQ(publish(false).status, 200U);
    EXPECT_EQ(sends().size(), 1U);
}

}  // namespace
}  // namespace sotto::cloud::http
