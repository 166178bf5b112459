// SPDX-License-Identifier: Apache-2.0
#include "cloud/hooks/hook.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cloud/hooks/limits.hpp"

namespace sotto::cloud::hooks {
namespace {

using nlohmann::json;
using services::Event;

json plain() { return {{"event", "temp"}, {"url", "https://example.com/a"}}; }

json with(json more) {
    json all = plain();
    all.update(more);
    return all;
}

std::string complaint(const json& definition) {
    const auto hook = parse_hook(definition);
    return hook ? "" : hook.error().text;
}

TEST(Hook, AnEventAndAUrlAreEnough) {
    const auto hook = parse_hook(plain());
    ASSERT_TRUE(hook);
    EXPECT_EQ(hook->method, Method::Post);
    EXPECT_TRUE(hook->has_defaults);
    EXPECT_TRUE(hook->has_checked_peer);
    EXPECT_FALSE(hook->is_disabled);
    EXPECT_EQ(hook->body, Hook::Body::Default);
    EXPECT_EQ(
        hook->origin,
        (Origin{.is_tls = true, .host = "example.com", .port = 443, .authority = "example.com"}));
}

TEST(Hook, TakesWhatTheCommandLineSends) {
    const json definition = merge_definition(json::parse(R"({"event": "temp", "eventName": "x",
        "url": "http://h/", "deviceid": "0123456789ABCDEF01234567", "requestType": "get",
        "integration_type": "Webhook", "_": "optional", "json": null, "headers": null,
        "rejectUnauthorized": "false", "mydevices": true})"),
                                             json::object());
    EXPECT_FALSE(definition.contains("_"));
    EXPECT_FALSE(definition.contains("json"));
    const auto hook = parse_hook(definition);
    ASSERT_TRUE(hook) << complaint(definition);
    EXPECT_EQ(hook->event, "temp");
    EXPECT_EQ(hook->method, Method::Get);
    EXPECT_FALSE(hook->has_checked_peer);
    EXPECT_EQ(hook->device->at(11), 0x67);
}

TEST(Hook, SaysWhatIsWrong) {
    const std::pair<json, const char*> kCases[] = {
        {json::array(), "object"},
        {{{"url", "https://e/"}}, "event:"},
        {with({{"event", std::string(65, 'e')}}), "event:"},
        {with({{"event", "a\nb"}}), "event:"},
        {with({{"event", "hook-response/x"}}), "cannot trigger"},
        {{{"event", "e"}}, "url:"},
        {with({{"url", "ftp://example.com"}}), "http://"},
        {with({{"url", "http"}}), "http://"},
        {with({{"url", "https:"}}), "http://"},
        {with({{"url", "https:///x"}}), "no host"},
        {with({{"url", "https://{{{host}}}/x"}}), "which host"},
        {with({{"url", "https://user:secret@example.com/"}}), "auth"},
        {with({{"url", "https://example.com:99999/"}}), "port"},
        {with({{"url", "https://example.com:0/"}}), "port"},
        {with({{"url", "https://exa mple.com/"}}), "no host"},
        {with({{"url", "https://[::1/"}}), "]"},
        {with({{"url", "https://e/" + std::string(2'048, 'x')}}), "2,048"},
        {with({{"url", "https://e/{{#x}}"}}), "not closed"},
        {with({{"requestType", "PATCH"}}), "requestType"},
        {with({{"deviceID", "lamp"}}), "deviceID"},
        {with({{"disabled", 3}}), "disabled"},
        {with({{"headers", "x"}}), "headers"},
        {with({{"headers", {{"Content-Length", "1"}}}}), "itself"},
        {with({{"headers", {{"hOSt", "x"}}}}), "itself"},
        {with({{"headers", {{"X", "a\r\nY: b"}}}}), "line"},
        {with({{"query", {{"a", "{{"}}}}), "query"},
        {with({{"json", {{"a", 1}}}, {"form", {{"a", 1}}}}), "only one"},
        {with({{"requestType", "GET"}, {"body", "x"}}), "no body"},
        {with({{"auth", {{"username", 5}}}}), "username"},
        {with({{"responseTopic", "{{"}}), "responseTopic"},
        {with({{"responseTemplate", {{"a", "{{#x}}"}}}}), "responseTemplate"}};
    for (const auto& [definition, words] : kCases)
        EXPECT_NE(complaint(definition).find(words), std::string::npos)
            << definition.dump() << ": " << complaint(definition);
    json pairs = json::object();
    for (std::size_t i = 0; i < kPairsMax; ++i) pairs["n" + std::to_string(i)] = i;
    EXPECT_EQ(complaint(with({{"query", pairs}})), "");
    pairs["one more"] = 1;
    EXPECT_NE(complaint(with({{"query", pairs}})), "");
}

TEST(Hook, HostsAreReadAsTheyAreDialled) {
    EXPECT_EQ(origin_of("HTTP://Example.COM:8080?x")->host, "example.com");
    EXPECT_EQ(origin_of("http://example.com:8080?x")->port, 8080);
    EXPECT_EQ(origin_of("http://[2001:DB8::1]:99/x")->host, "2001:db8::1");
    EXPECT_EQ(origin_of("http://[::1]")->port, 80);
    EXPECT_EQ(origin_of("http://example.com./")->host, "example.com");
    EXPECT_EQ(origin_of("http://10.0.0.1#x")->authority, "10.0.0.1");
}

TEST(Hook, SecretsAreHiddenAndStayWhenTheyComeBackHidden) {
    const json old = with({{"auth", {{"username", "u"}, {"password", "p4ss"}}},
                           {"headers", {{"Authorization", "Bearer s3cret"}, {"Accept", "a/b"}}}});
    const json shown = show_definition(old);
    EXPECT_EQ(shown.dump().find("p4ss"), std::string::npos);
    EXPECT_EQ(shown.dump().find("s3cret"), std::string::npos);
    EXPECT_EQ(shown["headers"]["Accept"], "a/b");
    EXPECT_EQ(merge_definition(shown, old), old);
    json changed = shown;
    changed["headers"]["Authorization"] = "Bearer other";
    changed["auth"]["username"] = "v";
    const json merged = merge_definition(changed, old);
    EXPECT_EQ(merged["headers"]["Authorization"], "Bearer other");
    EXPECT_EQ(merged["auth"]["password"], "p4ss");
    EXPECT_EQ(merge_definition({{"disabled", true}}, old)["url"], old["url"])
        << "what is not named";
    EXPECT_FALSE(merge_definition({{"auth", nullptr}}, old).contains("auth"));
}

TEST(Hook, TakesEventsByPrefixAndDevice) {
    Hook hook = *parse_hook(plain());
    hook.account = model::AccountId{7};
    Event event{.owner = model::AccountId{7}, .what = {.name = "temperature"}};
    EXPECT_TRUE(takes(hook, event));
    event.what.name = "Temperature";
    EXPECT_FALSE(takes(hook, event)) << "case counts";
    event.what.name = "temp";
    EXPECT_TRUE(takes(hook, event));
    event.what.cause = services::Cause::OfHook;
    EXPECT_FALSE(takes(hook, event));
    event.what.cause = services::Cause::ByHook;
    EXPECT_FALSE(takes(hook, event));
    event.what.cause = services::Cause::Own;
    hook.device = model::DeviceId{1};
    EXPECT_FALSE(takes(hook, event)) << "of a user";
    event.publisher = model::DeviceId{2};
    EXPECT_FALSE(takes(hook, event));
    event.publisher = model::DeviceId{1};
    EXPECT_TRUE(takes(hook, event));
    hook.is_disabled = true;
    EXPECT_FALSE(takes(hook, event));
    hook.is_disabled = false;
    event.owner = model::AccountId{8};
    EXPECT_FALSE(takes(hook, event)) << "of another user";
}

}  // namespace
}  // namespace sotto::cloud::hooks
