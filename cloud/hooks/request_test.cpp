// SPDX-License-Identifier: Apache-2.0
#include "cloud/hooks/request.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cloud/hooks/limits.hpp"

namespace sotto::cloud::hooks {
namespace {

using nlohmann::json;
using services::Event;

const Event kEvent{.id = 77,
                   .publisher = model::DeviceId{0x3f, 0x00, 0x2b},
                   .owner = model::AccountId{5},
                   .what = {.name = "demo/1", .data = R"({"room": "a b&c", "n": {"x": [4]}})"},
                   .published_at = Instant{1'485'983'285'763}};
constexpr const char* kDevice = "3f002b000000000000000000";

Hook hook_of(json more) {
    json all{{"event", "demo"}, {"url", "http://host.com/p?q=1"}};
    if (!more.is_null()) all.update(more);
    auto hook = parse_hook(all);
    EXPECT_TRUE(hook) << hook.error().text;
    return *hook;
}

WebRequest request_of(json more, const Event& event = kEvent) {
    auto request = build_request(hook_of(std::move(more)), event, {.id = 6, .version = 3});
    EXPECT_TRUE(request) << request.error().text;
    return *request;
}

std::string complaint_of(json more, const Event& event = kEvent) {
    const auto request = build_request(hook_of(std::move(more)), event, {});
    return request ? "" : request.error().text;
}

std::string header(const WebRequest& request, const std::string& name) {
    std::string found;
    for (const auto& [key, value] : request.headers) {
        if (key == name) found += value;
    }
    return found;
}

TEST(Request, DefaultsGoIntoAForm) {
    Event event = kEvent;
    event.what = {.name = "demo", .data = "mydata"};
    const WebRequest request = request_of({}, event);
    EXPECT_EQ(request.method, Method::Post);
    EXPECT_EQ(request.target, "/p?q=1");
    EXPECT_EQ(header(request, "User-Agent"), "ParticleBot/1.1 (https://docs.particle.io/webhooks)");
    EXPECT_EQ(header(request, "Content-Type"), "application/x-www-form-urlencoded");
    EXPECT_EQ(header(request, kMark), "1");
    EXPECT_EQ(request.body,
              "event=demo&data=mydata&published_at=2017-02-01T21%3A08%3A05.763Z&"
              "coreid=3f002b000000000000000000");
    EXPECT_EQ(request_of({{"noDefaults", true}}, event).body, "");
    event.publisher.reset();
    EXPECT_NE(request_of({}, event).body.find("coreid=api"), std::string::npos);
}

TEST(Request, DefaultsGoIntoTheQueryOfWhatHasNoBody) {
    const json some{{"requestType", "GET"}, {"query", {{"k", "{{{room}}}"}}}, {"form", {{"f", 1}}}};
    const WebRequest request = request_of(some);
    EXPECT_EQ(request.method, Method::Get);
    EXPECT_TRUE(request.target.starts_with("/p?q=1&event=demo%2F1&data=%7B")) << request.target;
    EXPECT_TRUE(request.target.ends_with("&f=1&k=a%20b%26c")) << request.target;
    EXPECT_EQ(request.body, "");
    json bare = some;
    bare["noDefaults"] = true;
    bare["url"] = "http://host.com";
    EXPECT_EQ(request_of(bare).target, "/?f=1&k=a%20b%26c");
    bare["requestType"] = "DELETE";
    EXPECT_EQ(request_of(bare).method, Method::Delete);
}

TEST(Request, JsonHasTheDefaultsBesideIt) {
    const WebRequest request =
        request_of({{"json", {{"{{PARTICLE_EVENT_NAME}}", "{{{room}}}"}, {"data", 1}}}});
    EXPECT_EQ(header(request, "Content-Type"), "application/json");
    EXPECT_EQ(header(request, "Accept"), "application/json");
    const json body = json::parse(request.body);
    EXPECT_EQ(body["demo/1"], "a b&c");
    EXPECT_EQ(body["data"], 1) << "what is given counts";
    EXPECT_EQ(body["coreid"], kDevice);
    EXPECT_EQ(request_of({{"noDefaults", true}, {"json", {{"t", "{{n.x.0}}"}}}}).body,
              R"({"t":"4"})");
    EXPECT_EQ(request_of({{"noDefaults", true}, {"json", R"({"t": {{n.x.0}}})"}}).body,
              R"({"t":4})")
        << "a text that is JSON once it is filled";
    EXPECT_NE(complaint_of({{"json", "{{{room}}}"}}), "");
}

TEST(Request, ABodyIsSentAsItIs) {
    const WebRequest request =
        request_of({{"requestType", "PUT"},
                    {"body", "<{{{room}}}|{{room}}|{{missing}}>"},
                    {"headers", {{"content-type", "text/x"}, {"X-At", "{{PARTICLE_DEVICE_ID}}"}}}});
    EXPECT_EQ(request.method, Method::Put);
    EXPECT_EQ(request.body, "<a b&c|a b&amp;c|>");
    EXPECT_EQ(header(request, "content-type"), "text/x");
    EXPECT_EQ(header(request, "X-At"), kDevice);
}

TEST(Request, KnowsEveryVariable) {
    const auto value = [](const std::string& name) {
        return request_of({{"body", "{{{" + name + "}}}"}}).body;
    };
    EXPECT_EQ(value("PARTICLE_DEVICE_ID"), kDevice);
    EXPECT_EQ(value("PARTICLE_EVENT_NAME"), "demo/1");
    EXPECT_EQ(value("PARTICLE_EVENT_VALUE"), *kEvent.what.data);
    EXPECT_EQ(value("PARTICLE_PUBLISHED_AT"), "2017-02-01T21:08:05.763Z");
    EXPECT_EQ(value("PARTICLE_EVENT_ID"), "77");
    EXPECT_EQ(value("PRODUCT_ID"), "6");
    EXPECT_EQ(value("PRODUCT_VERSION"), "3");
    EXPECT_EQ(value("PRODUCT_USER_ID"), "5");
    EXPECT_EQ(json::parse(value("PARTICLE_EVENT_JSON"))["name"], "demo/1");
    EXPECT_TRUE(value("PARTICLE_EVENT_BASE64").starts_with("eyJj"));
    EXPECT_EQ(value("SPARK_EVENT_VALUE"), *kEvent.what.data);
    Event event = kEvent;
    event.what.data = R"({"PARTICLE_DEVICE_ID": "another"})";
    EXPECT_EQ(request_of({{"body", "{{PARTICLE_DEVICE_ID}}"}}, event).body, kDevice)
        << "an event cannot say that it comes from somewhere else";
}

TEST(Request, AUrlIsFilledAndStaysOne) {
    EXPECT_EQ(
        request_of({{"url", "http://host.com/log/{{{room}}}#x"}, {"noDefaults", true}}).target,
        "/log/a%20b&c");
    EXPECT_EQ(request_of({{"url", "http://host.com?x"}, {"noDefaults", true}}).target, "/?x");
}

TEST(Request, LogsInAndAHeaderCanSayOtherwise) {
    const json auth{{"auth", {{"username", "u"}, {"password", "{{{room}}}"}}}};
    EXPECT_EQ(header(request_of(auth), "Authorization"), "Basic dTphIGImYw==");
    json both = auth;
    both["headers"] = {{"Authorization", "Bearer x"}};
    EXPECT_EQ(header(request_of(both), "Authorization"), "Bearer x");
}

TEST(Request, AnEventBreaksNoHeaderAndMakesNone) {
    Event event = kEvent;
    event.what.data = R"({"v": "a\r\nX-Evil: 1", "n": "Host", "s": "a b"})";
    EXPECT_NE(complaint_of({{"headers", {{"X", "{{{v}}}"}}}}, event), "");
    EXPECT_NE(complaint_of({{"headers", {{"{{{n}}}", "x"}}}}, event), "");
    EXPECT_NE(complaint_of({{"headers", {{"{{{s}}}", "x"}}}}, event), "");
    EXPECT_EQ(complaint_of({{"headers", {{"X", "{{{s}}}"}}}}, event), "");
}

TEST(Request, AllThatTemplatesMakeIsBounded) {
    Event event = kEvent;
    event.what.data = json{{"x", std::string(900, 'x')}}.dump();
    std::string many;
    for (int i = 0; i < 80; ++i) many += "{{x}}";
    EXPECT_NE(complaint_of({{"body", many}}, event), "");
    EXPECT_EQ(complaint_of({{"body", many.substr(0, 5 * 70)}}, event), "");
    json form = json::object();
    for (int i = 0; i < 60; ++i) form["n" + std::to_string(i)] = "{{x}}{{x}}";
    EXPECT_NE(complaint_of({{"form", form}}, event), "");
}

std::vector<services::Publication> answers(json more, const std::string& body) {
    auto events = response_events(
        hook_of(std::move(more)), kEvent, {}, {.status = 200, .type = "text/x", .body = body});
    EXPECT_TRUE(events);
    return *events;
}

TEST(Response, ComesInPartsOf512Bytes) {
    const auto one = answers({}, "ok");
    ASSERT_EQ(one.size(), 1U);
    EXPECT_EQ(one[0].name, "hook-response/demo/1/0");
    EXPECT_EQ(one[0].data, "ok");
    EXPECT_EQ(one[0].cause, services::Cause::OfHook);
    EXPECT_EQ(answers({}, "").size(), 1U);
    EXPECT_EQ(answers({}, std::string(512, 'x')).size(), 1U);
    const auto parts = answers({}, std::string(kResponsePartSize * 2 + 1, 'x'));
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(parts[2].name, "hook-response/demo/1/2");
    EXPECT_EQ(parts[1].data->size(), kResponsePartSize);
    EXPECT_EQ(parts[2].data->size(), 1U);
    const auto whole = answers({{"unchunked", true}}, std::string(kResponseSizeMax, 'x'));
    ASSERT_EQ(whole.size(), 1U);
    EXPECT_EQ(whole[0].data->size(), kResponseSizeMax);
}

TEST(Response, GoesThroughItsTemplateToItsTopic) {
    const char* const body = R"({"results": [{"elevation": 1608.5, "location": {"lat": "3\"9"}}]})";
    const auto made = answers({{"responseTemplate", "{{{results.0.elevation}}}"},
                               {"responseTopic", "{{PARTICLE_DEVICE_ID}}/hook-response/x"}},
                              body);
    EXPECT_EQ(made[0].data, "1608.5");
    EXPECT_EQ(made[0].name, std::string{kDevice} + "/hook-response/x/0");
    EXPECT_EQ(
        answers({{"responseTemplate", {{"lat", "{{{results.0.location.lat}}}"}}}}, body)[0].data,
        R"({"lat":"3\"9"})");
    EXPECT_EQ(answers({{"dataUrlResponseEvent", true}}, "\x01\x02")[0].data,
              "data:text/x;base64,AQI=");
    EXPECT_EQ(answers({{"responseTopic", "spark/status"}}, "x")[0].name, "hook-response/demo/1/0")
        << "no template speaks for the cloud";
    EXPECT_EQ(answers({{"responseTopic", std::string(kTopicSizeMax + 1, 'x')}}, "x")[0].name,
              "hook-response/demo/1/0");
}

TEST(Response, ErrorsAndWhatWasSentHaveEventsOfTheirOwn) {
    EXPECT_EQ(sent_event(kEvent).name, "hook-sent/demo/1");
    EXPECT_EQ(error_event(hook_of({}), kEvent, {}, "error status 404 from host.com").name,
              "hook-error/demo/1/0");
    EXPECT_EQ(
        error_event(
            hook_of({{"errorResponseTopic", "failed_for_{{PARTICLE_DEVICE_ID}}"}}), kEvent, {}, "x")
            .name,
        std::string{"failed_for_"} + kDevice + "/0");
}

}  // namespace
}  // namespace sotto::cloud::hooks
