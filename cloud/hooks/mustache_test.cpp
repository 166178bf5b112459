// SPDX-License-Identifier: Apache-2.0
#include "cloud/hooks/mustache.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cloud/hooks/limits.hpp"

namespace sotto::cloud::hooks {
namespace {

using nlohmann::json;

std::string made(std::string_view text, const json& data) {
    const auto result = render(text, data, 1'000);
    return result ? *result : "!" + result.error().text;
}

// What Particle's documentation shows.
const json kDocumented = json::parse(R"({"a": {"aa": "testing", "ab": 1234}, "b": "xxx",
    "c": [{"ca": "first", "cb": 123}, {"ca": "second", "cb": 456}]})");

TEST(Mustache, DoesWhatIsDocumented) {
    EXPECT_EQ(made("{{{a.aa}}}", kDocumented), "testing");
    EXPECT_EQ(made("{{{a.ab}}}", kDocumented), "1234");
    EXPECT_EQ(made("{{{b}}}", kDocumented), "xxx");
    EXPECT_EQ(made("{{{c.0.ca}}}", kDocumented), "first");
    EXPECT_EQ(made("{{{c.1.cb}}}", kDocumented), "456");
    EXPECT_EQ(made("{{#b}}{{{b}}}{{/b}}{{^b}}Missing{{/b}}", kDocumented), "xxx");
    EXPECT_EQ(made("{{#z}}{{{z}}}{{/z}}{{^z}}Missing{{/z}}", kDocumented), "Missing");
    EXPECT_EQ(made("{{#c}}{{{ca}}}~{{/c}}", kDocumented), "first~second~");
}

TEST(Mustache, EscapesForHtmlButBetweenThreeBraces) {
    const json data{{"x", "<a href=\"b\">&'"}};
    EXPECT_EQ(made("{{x}}", data), "&lt;a href=&quot;b&quot;&gt;&amp;&#39;");
    EXPECT_EQ(made("{{{x}}}{{& x }}", data), "<a href=\"b\">&'<a href=\"b\">&'");
}

TEST(Mustache, FindsNamesFromTheInsideOutwards) {
    const json data = json::parse(R"({"n": "out", "list": [1, "two", true, {"n": "in"}, [7, 8]],
        "no": false, "zero": 0, "empty": "", "none": [], "nothing": null, "o": {"p": {"q": 5}}})");
    EXPECT_EQ(made("{{#list}}{{.}},{{/list}}", json{{"list", {1, "two", true}}}), "1,two,true,");
    EXPECT_EQ(made("{{#list}}{{n}} {{/list}}", data), "out out out in out ");
    EXPECT_EQ(made("{{#o}}{{#p}}{{q}}{{n}}{{/p}}{{/o}}", data), "5out");
    EXPECT_EQ(made("{{list.4.1}}{{list.9}}{{list.x}}{{o.p.q.r}}", data), "8");
    EXPECT_EQ(made("{{{o}}}{{{list.4}}}{{nothing}}", data), R"({"p":{"q":5}}[7,8])");
    for (const char* name : {"no", "zero", "empty", "none", "nothing", "unknown"}) {
        const std::string at{name};
        EXPECT_EQ(made("{{#" + at + "}}yes{{/" + at + "}}{{^" + at + "}}no{{/" + at + "}}", data),
                  "no");
    }
    EXPECT_EQ(made("a{{! a comment }}b {{ n }} c", data), "ab out c");
    EXPECT_EQ(made("{{x}}", json()), "");
    EXPECT_EQ(made("{{0.a}}", json::parse(R"([{"a": "first"}])")), "first");
}

TEST(Mustache, ComplainsOfWhatCannotBeATemplate) {
    for (const char* text : {"{{x",
                             "{{{x}}",
                             "{{#a}}",
                             "{{/a}}",
                             "{{#a}}{{/b}}",
                             "{{#a}}{{#b}}{{/a}}{{/b}}",
                             "{{}}",
                             "{{# }}",
                             "{{>part}}",
                             "{{=<% %>=}}"}) {
        EXPECT_FALSE(check_template(text)) << text;
        EXPECT_TRUE(made(text, json()).starts_with("!")) << text;
    }
    std::string deep;
    for (std::size_t i = 0; i < kSectionDepthMax; ++i) deep += "{{#a}}";
    for (std::size_t i = 0; i < kSectionDepthMax; ++i) deep += "{{/a}}";
    EXPECT_TRUE(check_template(deep));
    EXPECT_FALSE(check_template("{{#a}}" + deep + "{{/a}}"));
}

TEST(Mustache, WorkAndSizeAreBounded) {
    EXPECT_EQ(*render("{{x}}{{x}}", json{{"x", "12345"}}, 10), "1234512345");
    EXPECT_FALSE(render("{{x}}{{x}}", json{{"x", "12345"}}, 9));
    json list = json::array();
    for (std::size_t i = 0; i < 300; ++i) list.push_back(1);
    const json data{{"a", list}};
    EXPECT_TRUE(render("{{#a}}{{#a}}{{/a}}{{/a}}", json{{"a", {1, 2, 3}}}, 10));
    EXPECT_FALSE(render("{{#a}}{{#a}}{{#a}}{{/a}}{{/a}}{{/a}}", data, 10)) << "27 million steps";
}

TEST(Mustache, FillsTheKeysAndTextsOfJson) {
    const json data{{"k", "name"}, {"v", "a \"b\""}};
    const json value =
        json::parse(R"({"{{k}}": "{{{v}}}", "list": [1, "{{k}}", null], "x": true})");
    ASSERT_TRUE(check_json(value));
    EXPECT_EQ(render_json(value, data, 100)->dump(),
              R"({"list":[1,"name",null],"name":"a \"b\"","x":true})");
    EXPECT_FALSE(render_json(value, data, 10)) << "of all together";
    EXPECT_FALSE(check_json(json{{"x", json::array({"{{#a}}"})}}));
    EXPECT_FALSE(check_json(json{{"{{#a}}", 1}}));
}

TEST(Mustache, DataThatIsTooDeepIsNone) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + "1" + std::string(depth, ']');
    };
    EXPECT_FALSE(parse_data(nested(kJsonDepthMax)).is_null());
    EXPECT_TRUE(parse_data(nested(kJsonDepthMax + 2)).is_null());
    EXPECT_TRUE(parse_data(nested(100'000)).is_null());
    EXPECT_TRUE(parse_data("39.7,-104.9").is_null());
}

}  // namespace
}  // namespace sotto::cloud::hooks
