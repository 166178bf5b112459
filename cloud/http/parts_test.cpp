// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cloud/http/fields.hpp"
#include "cloud/http/guard.hpp"
#include "cloud/http/scopes.hpp"
#include "cloud/http/sse.hpp"

namespace sotto::cloud::http {
namespace {

using Segments = std::vector<std::string>;

TEST(Fields, APathIsItsSegments) {
    EXPECT_EQ(segments_of("/v1/devices").value(), (Segments{"v1", "devices"}));
    EXPECT_EQ(segments_of("//v1//a%2Fb/").value(), (Segments{"v1", "a/b"}));
    EXPECT_EQ(segments_of("").value(), Segments{});
    EXPECT_EQ(segments_of("/a+b").value(), Segments{"a+b"});
    for (const char* broken : {"/%", "/%2", "/%2g"})
        EXPECT_EQ(segments_of(broken).error(), Error::Malformed) << broken;
}

TEST(Fields, FormsAndObjectsAreTextsByName) {
    EXPECT_EQ(parse_form("a=1&b=x+y%26&&c&a=2").value(),
              (Fields{{"a", "2"}, {"b", "x y&"}, {"c", ""}}));
    EXPECT_EQ(parse_form("a=%zz").error(), Error::Malformed);
    EXPECT_EQ(parse_json(R"({"a":"x","b":1.5,"c":true,"d":null,"e":[1]})").value(),
              (Fields{{"a", "x"}, {"b", "1.5"}, {"c", "true"}, {"e", "[1]"}}));
    for (const char* broken : {"", "1", "[]", "{", R"({"a":"\xff"})", "{\"a\":\"\xff\"}"})
        EXPECT_EQ(parse_json(broken).error(), Error::Malformed) << broken;
    const std::string deep = R"({"a":)" + std::string(8'000, '[') + std::string(8'000, ']') + "}";
    EXPECT_EQ(parse_json(deep).error(), Error::Malformed);
    EXPECT_EQ(parse_json(R"({"a":[[[{"b":1}]]]})").value(), (Fields{{"a", R"([[[{"b":1}]]])"}}));
}

TEST(Fields, ABodyIsReadByItsType) {
    EXPECT_EQ(parse_body("APPLICATION/JSON", R"({"a":"1"})").value(), (Fields{{"a", "1"}}));
    EXPECT_EQ(parse_body("application/json", "").value(), Fields{});
    EXPECT_EQ(parse_body("", "").value(), Fields{});
    EXPECT_EQ(parse_body("", "a=1").error(), Error::Unsupported);
}

// RFC 4648 §10
TEST(Fields, Base64HasTheVectorsOfItsRfc) {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                           {"f", "Zg=="},
                                                           {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="},
                                                           {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : vectors) {
        EXPECT_EQ(base64_encode(plain), encoded);
        EXPECT_EQ(base64_decode(encoded), plain);
    }
    for (const char* broken : {"Z", "Zg==Zg", "Z!==", "Zm9vY"})
        EXPECT_FALSE(base64_decode(broken)) << broken;
}

// RFC 7617 §2
TEST(Fields, BasicIsUserAndPassword) {
    const auto basic = basic_of("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    ASSERT_TRUE(basic);
    EXPECT_EQ(basic->first, "Aladdin");
    EXPECT_EQ(basic->second, "open sesame");
    EXPECT_FALSE(basic_of("Basic Zm9v")) << "no colon";
    EXPECT_FALSE(basic_of("Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
}

TEST(Fields, InstantsAreWrittenAsIsoSays) {
    EXPECT_EQ(to_iso(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(to_iso(1'796'000'000'007), "2026-11-30T00:53:20.007Z");
    EXPECT_EQ(to_iso(1'709'164'800'000), "2024-02-29T00:00:00.000Z");
}

TEST(Guard, AddressesMayAskSoOftenAndLoopbackAlways) {
    Guard guard;
    const Instant now{1'000};
    for (std::uint32_t i = 0; i < kRequestRate.burst; ++i)
        ASSERT_TRUE(guard.may_ask("10.0.0.1", now));
    EXPECT_FALSE(guard.may_ask("10.0.0.1", now));
    EXPECT_TRUE(guard.may_ask("10.0.0.2", now));
    EXPECT_TRUE(guard.may_ask("10.0.0.1", now + kRequestRate.refill));
    for (std::uint32_t i = 0; i < kTokenRequestRate.burst; ++i)
        ASSERT_TRUE(guard.may_ask_for_token("10.0.0.1", now));
    EXPECT_FALSE(guard.may_ask_for_token("10.0.0.1", now));
    for (std::uint32_t i = 0; i <= kRequestRate.burst; ++i) {
        ASSERT_TRUE(guard.may_ask("127.0.0.1", now));
        ASSERT_TRUE(guard.may_ask_for_token("::1", now));
    }
}

TEST(Guard, AUserMayLogInSoOftenFromWherever) {
    Guard guard;
    const Instant now{1'000};
    for (std::uint32_t i = 0; i < kUserLoginRate.burst; ++i)
        ASSERT_TRUE(guard.may_log_in("10.0.0." + std::to_string(i), "ann", now));
    EXPECT_FALSE(guard.may_log_in("10.1.0.1", "ann", now));
    EXPECT_TRUE(guard.may_log_in("10.1.0.1", "bob", now));
    EXPECT_TRUE(guard.may_log_in("10.1.0.1", "ann", now + kUserLoginRate.refill));
}

TEST(Guard, ASuccessForgivesTheFailuresBefore) {
    Guard guard;
    const Instant now{1'000};
    for (int i = 0; i < 3; ++i) {
        for (int k = 0; k + 1 < kLoginFailuresMax; ++k) {
            ASSERT_TRUE(guard.may_log_in("::1", "ann", now));
            guard.on_failure("::1", "ann", now);
        }
        ASSERT_TRUE(guard.may_log_in("::1", "ann", now));
        guard.on_success("::1", "ann");
    }
    EXPECT_TRUE(guard.may_log_in("::1", "ann", now));
}

TEST(Guard, RemembersSoManyAndForgetsTheOneSilentLongest) {
    Guard guard;
    const Instant now{1'000};
    for (std::size_t i = 0; i < 3 * kGuardEntriesMax; ++i) {
        const std::string name = std::to_string(i);
        guard.may_ask(name, now);
        guard.may_ask_for_token(name, now);
        guard.may_log_in(name, name, now);
    }
    EXPECT_LE(guard.size(), 4 * kGuardEntriesMax);
}

TEST(Scopes, NamesAndBitsAreTheSame) {
    EXPECT_EQ(parse_scopes(""), model::kAllScopes);
    EXPECT_EQ(parse_scopes("*:*"), model::kAllScopes);
    EXPECT_FALSE(parse_scopes("devices:list nonsense"));
    for (model::Scopes scopes = 1; scopes <= model::kAllScopes; ++scopes) {
        std::string text;
        for (const std::string& name : names_of(scopes)) text += name + " ";
        EXPECT_EQ(parse_scopes(text), scopes) << text;
    }
}

services::Event event_of(std::string name, std::optional<std::string> data) {
    services::Event event;
    event.id = 7;
    event.what = {.name = std::move(name), .data = std::move(data), .ttl_s = 60};
    event.published_at = Instant{1'796'000'000'007};
    return event;
}

TEST(Sse, AnEventHasTheFormThatClientsRead) {
    services::Event event = event_of("temp", "25.0");
    event.publisher = model::DeviceId{0x01, 0x23};
    EXPECT_EQ(render_event(event),
              "id: 7\nevent: temp\ndata: {\"coreid\":\"012300000000000000000000\","
              "\"data\":\"25.0\",\"published_at\":\"2026-11-30T00:53:20.007Z\",\"ttl\":60}\n\n");
}

TEST(Sse, WhateverADeviceSaysIsAsciiAndBreaksNoLine) {
    const std::string text =
        render_event(event_of("a\nevent: b\r\xc3\xa4", "x\n\ny\xc3\xa4\xff\xe2\x80\xa8"));
    EXPECT_TRUE(std::ranges::all_of(text, [](char c) {
        return c == '\n' || (c >= ' ' && c <= '~');
    })) << text;
    EXPECT_EQ(std::ranges::count(text, '\n'), 4);
    EXPECT_TRUE(text.starts_with("id: 7\nevent: a?event: b???\ndata: {"));
    EXPECT_NE(render_event(event_of("e", std::nullopt)).find("\"data\":null"), std::string::npos);
}

TEST(Sse, AnIdOfOursIsANumber) {
    EXPECT_EQ(parse_event_id("1839073062912001"), 1'839'073'062'912'001U);
    for (const char* other : {"", "-1", "1x", "99999999999999999999999"})
        EXPECT_FALSE(parse_event_id(other)) << other;
}

}  // namespace
}  // namespace sotto::cloud::http
