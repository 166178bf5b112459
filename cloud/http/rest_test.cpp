// SPDX-License-Identifier: Apache-2.0
// REST as clients see it: shapes, codes and whose is what.
#include "cloud/http/rest.hpp"

#include <set>

#include "cloud/http/rest_replies.hpp"
#include "cloud/http/rest_world.hpp"
#include "cloud/http/scopes.hpp"

namespace sotto::cloud::http {
namespace {

class RestTest : public testing::Test, public RestWorld {};

TEST_F(RestTest, LogsInAsTheCommandLineOfParticleDoes) {
    const Reply got = log_in("ann", "&expires_in=7776000");
    EXPECT_EQ(got.status, 200U);
    const json answer = body(got);
    EXPECT_EQ(answer["token_type"], "bearer");
    EXPECT_EQ(answer["access_token"].get<std::string>().size(), 40U);
    EXPECT_EQ(answer["expires_in"], 7'776'000);
    EXPECT_EQ(body(get("/v1/user", answer["access_token"]))["username"], "ann");
    const json current = body(get("/v1/access_tokens/current", answer["access_token"]));
    EXPECT_EQ(current["client"], "particle-cli");
    EXPECT_EQ(current["scopes"], json::array({"*:*"}));
    EXPECT_EQ(current["expires_at"], to_iso((now + days(90)).ms));
}

TEST_F(RestTest, TakesClientsInJsonAndInBasicToo) {
    const Reply basic = reply({.method = Method::Post,
                               .target = "//oauth//token",
                               .authorization = "Basic " + base64_encode("particle:particle"),
                               .content_type = "application/json; charset=utf-8",
                               .body = R"({"grant_type":"password","username":"ann",)"
                                       R"("password":"pass of ann","expires_in":0})"});
    EXPECT_EQ(basic.status, 200U);
    EXPECT_EQ(body(basic)["expires_in"], 0);
    now = now + days(9'999);
    EXPECT_EQ(get("/v1/user", body(basic)["access_token"]).status, 200U) << "never expires";
}

TEST_F(RestTest, RefusesAsOAuthSays) {
    const auto refused = [this](const std::string& fields, const std::string& error) {
        const Reply got = form("/oauth/token", fields);
        EXPECT_EQ(got.status, 400U) << fields;
        EXPECT_EQ(body(got)["error"], error) << fields;
        EXPECT_FALSE(body(got)["error_description"].get<std::string>().empty());
    };
    const std::string client = "client_id=particle-cli&client_secret=particle-cli";
    refused(client + "&grant_type=password&username=ann&password=wrong", "invalid_grant");
    refused(client + "&grant_type=password&username=eve&password=pass+of+eve", "invalid_grant");
    refused(client + "&grant_type=password", "invalid_grant");
    refused(client + "&grant_type=refresh_token&refresh_token=x", "invalid_grant");
    refused(client + "&grant_type=client_credentials", "unsupported_grant_type");
    refused(client + "&grant_type=urn:custom:mfa-otp&mfa_token=1&otp=1", "invalid_grant");
    refused("client_id=eve&grant_type=password&username=ann&password=pass+of+ann",
            "invalid_client");
    refused("grant_type=password&username=ann&password=pass+of+ann", "invalid_client");
    refused(client + "&grant_type=password&username=ann&password=pass+of+ann&scope=world",
            "invalid_scope");
    refused(client + "&grant_type=password&username=ann&password=pass+of+ann&expires_in=-1",
            "invalid_request");
    EXPECT_EQ(password_checks, 4) << "a user who is not there is checked like one who is";
}

TEST_F(RestTest, APasswordInAnOldFormIsKeptInTheUsualOneOnceItIsKnown) {
    const auto line = [this] {
        std::string found;
        store_.find_login("ann", [&found](const auto& login) { found = login->password; });
        settle();
        return found;
    };
    store_.set_password(accounts["ann"], "old hash of pass of ann", [](const auto&) {});
    settle();
    form("/oauth/token", "client_id=particle&grant_type=password&username=ann&password=wrong");
    EXPECT_EQ(line(), "old hash of pass of ann");
    EXPECT_EQ(log_in("ann").status, 200U);
    settle();
    EXPECT_EQ(line(), "hash of pass of ann");
    EXPECT_EQ(log_in("ann").status, 200U);
}

TEST_F(RestTest, ATokenEndsInTime) {
    const std::string token = token_of("ann", "&expires_in=60");
    EXPECT_EQ(get("/v1/user", token).status, 200U);
    now = now + seconds(59);
    EXPECT_EQ(get("/v1/user", token).status, 200U);
    now = now + seconds(1);
    const Reply got = get("/v1/user", token);
    EXPECT_EQ(got.status, 401U);
    EXPECT_EQ(body(got)["error"], "invalid_token");
}

TEST_F(RestTest, WithoutATokenThereIsNothing) {
    std::set<std::string> open;
    for (const Rest::Route& route : Rest::routes()) {
        const Reply got = reply({.method = route.method, .target = route.path});
        if (route.scopes == Rest::kPublic) continue;
        EXPECT_EQ(got.status, 400U) << route.path;
        EXPECT_EQ(body(got)["error_description"], "The access token was not found");
        const Reply wrong = reply(
            {.method = route.method, .target = route.path, .authorization = "Bearer nonsense"});
        EXPECT_EQ(wrong.status, 401U) << route.path;
    }
}

TEST_F(RestTest, ATokenMayStandInTheQueryOrTheForm) {
    const std::string token = token_of("ann");
    EXPECT_EQ(reply({.target = "/v1/devices?access_token=" + token}).status, 200U);
    EXPECT_EQ(form("/v1/devices/events", "name=e&access_token=" + token).status, 200U);
}

TEST_F(RestTest, AScopeIsGoodForWhatItSays) {
    add_lamp(1, "ann");
    const Reply got = log_in("ann", "&scope=devices%3Alist+devices.function%3Acall");
    EXPECT_EQ(body(got)["scope"], "devices:list devices.function:call");
    const std::string token = body(got)["access_token"];
    const std::string lamp = "/v1/devices/" + id_text(lamp_id(1));
    EXPECT_EQ(get("/v1/devices", token).status, 200U);
    EXPECT_EQ(json_of(Method::Post, lamp + "/led", token).status, 200U);
    for (const Reply& refused : {get(lamp + "/count", token),
                                 json_of(Method::Put, lamp, token, {{"name", "x"}}),
                                 json_of(Method::Delete, lamp, token),
                                 json_of(Method::Post, "/v1/device_claims", token),
                                 get("/v1/user", token),
                                 get("/v1/events", token)}) {
        EXPECT_EQ(refused.status, 403U);
        EXPECT_EQ(body(refused)["error"], "insufficient_scope");
        EXPECT_EQ(refused.body.find("ccess token"), std::string::npos)
            << "the command line would throw its token away";
    }
    EXPECT_EQ(get("/v1/access_tokens/current", token).status, 200U);
}

TEST_F(RestTest, ARefreshTokenIsGoodOnceAndKeepsItsScopes) {
    const std::string refresh =
        body(log_in("ann", "&scope=devices%3Alist"))["refresh_token"].get<std::string>();
    const auto again = [&] {
        return form("/oauth/token",
                    "grant_type=refresh_token&client_id=particle-api&client_secret=particle-api&"
                    "refresh_token=" +
                        refresh);
    };
    const Reply got = again();
    EXPECT_EQ(got.status, 200U);
    EXPECT_EQ(get("/v1/devices", body(got)["access_token"]).status, 200U);
    EXPECT_EQ(get("/v1/user", body(got)["access_token"]).status, 403U);
    EXPECT_EQ(again().status, 400U);
    EXPECT_EQ(get("/v1/devices", refresh).status, 401U) << "it opens nothing by itself";
}

TEST_F(RestTest, TokensAreListedAndRevoked) {
    const std::string first = token_of("ann");
    const std::string second = token_of("ann");
    const std::string other = token_of("bob");
    const json list = body(get("/v1/access_tokens", first));
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list.dump().find(first), std::string::npos) << "no token is kept";
    const Reply basic = reply({.target = "/v1/access_tokens",
                               .authorization = "Basic " + base64_encode("ann:pass of ann")});
    EXPECT_EQ(body(basic).size(), 2U);

    const std::string bobs = body(get("/v1/access_tokens", other))[0]["id"];
    EXPECT_EQ(json_of(Method::Delete, "/v1/access_tokens/" + bobs, first).status, 404U);
    EXPECT_EQ(get("/v1/user", other).status, 200U);
    const std::string id = id_text({}) + "no";
    EXPECT_EQ(reply({.method = Method::Delete, .target = "/v1/access_tokens/" + id}).status, 404U);

    EXPECT_EQ(reply({.method = Method::Delete, .target = "/v1/access_tokens/" + second}).status,
              200U)
        << "who has it needs nothing else";
    EXPECT_EQ(get("/v1/user", second).status, 401U);
    EXPECT_EQ(json_of(Method::Delete, "/v1/access_tokens/current", first).status, 200U);
    EXPECT_EQ(get("/v1/user", first).status, 401U);
    EXPECT_EQ(get("/v1/user", other).status, 200U);
}

TEST_F(RestTest, ATokenIsRevokedByItsIdOrWithAllOthers) {
    const std::string first = token_of("ann");
    const std::string second = token_of("ann");
    const std::string id = body(get("/v1/access_tokens", first))[1]["id"];
    EXPECT_EQ(reply({.method = Method::Delete, .target = "/v1/access_tokens/" + id}).status, 404U);
    EXPECT_EQ(json_of(Method::Delete, "/v1/access_tokens/" + id, first).status, 200U);
    EXPECT_EQ(json_of(Method::Delete, "/v1/access_tokens", first.empty() ? second : first).status,
              200U);
    EXPECT_EQ(get("/v1/user", first).status, 401U);
    EXPECT_EQ(get("/v1/user", second).status, 401U);
}

TEST_F(RestTest, AChangedPasswordLogsEverybodyOut) {
    const std::string token = token_of("ann");
    const auto change = [&](const char* old, const char* password) {
        return json_of(
            Method::Put, "/v1/user", token, {{"current_password", old}, {"password", password}});
    };
    EXPECT_EQ(change("pass of ann", "short").status, 400U);
    EXPECT_EQ(change("wrong", "a better one").status, 400U);
    EXPECT_EQ(change("pass of ann", "a better one").status, 200U);
    EXPECT_EQ(get("/v1/user", token).status, 401U);
    EXPECT_EQ(log_in("ann").status, 400U);
    EXPECT_EQ(form("/oauth/token",
                   "grant_type=password&client_id=CLI2&username=ann&password=a%20better%20one")
                  .status,
              200U);
}

TEST_F(RestTest, TheOperatorsTokenIsGoodForRestToo) {
    store_.add_token({.hash = hash("operator's"),
                      .kind = model::TokenKind::Account,
                      .account = accounts["ann"],
                      .name = "x"},
                     now,
                     [](const auto&) {});
    settle();
    EXPECT_EQ(body(get("/v1/user", "operator's"))["username"], "ann");
    const Answer stream = ask({.method = Method::Get,
                               .target = "/v1/devices/events",
                               .authorization = "Bearer operator's"});
    ASSERT_TRUE(std::holds_alternative<OpenStream>(stream));
    EXPECT_EQ(std::get<OpenStream>(stream).filter.owner, accounts["ann"]);
}

TEST_F(RestTest, AfterTooManyFailuresAUserIsLockedOutFromThereOnly) {
    const auto log_in_from = [this](const std::string& address, const std::string& password) {
        return reply({.method = Method::Post,
                      .target = "/oauth/token",
                      .content_type = "application/x-www-form-urlencoded",
                      .body = "grant_type=password&client_id=particle&username=ann&password=" +
                              password,
                      .address = address})
            .status;
    };
    for (int i = 0; i < kLoginFailuresMax; ++i) EXPECT_EQ(log_in_from("10.0.0.1", "x"), 400U);
    EXPECT_EQ(log_in_from("10.0.0.1", "pass+of+ann"), 429U);
    EXPECT_EQ(log_in_from("10.0.0.2", "pass+of+ann"), 200U);
    now = now + kLockTime;
    EXPECT_EQ(log_in_from("10.0.0.1", "pass+of+ann"), 200U);
    std::size_t locked = 0;
    store_.list_audit(std::nullopt, 100, [&locked](const auto& entries) {
        for (const auto& entry : *entries) locked += entry.outcome == "locked" ? 1 : 0;
    });
    settle();
    EXPECT_EQ(locked, 1U);
}

TEST_F(RestTest, ListsDevicesAsTheCommandLineWantsThem) {
    const std::string token = token_of("ann");
    EXPECT_EQ(get("/v1/devices", token).body, "[]");
    add_lamp(1, "ann");
    add_lamp(2, "bob");
    const json list = body(get("/v1/devices", token));
    ASSERT_EQ(list.size(), 1U);
    const json& device = list[0];
    EXPECT_EQ(device["id"], id_text(lamp_id(1)));
    EXPECT_EQ(device["connected"], true);
    EXPECT_EQ(device["online"], true);
    EXPECT_EQ(device["product_id"], 6);
    EXPECT_EQ(device["platform_id"], 6);
    EXPECT_EQ(device["last_heard"], "1970-01-01T00:00:06.000Z");
    const json detail = body(get("/v1/devices/" + id_text(lamp_id(1)), token));
    EXPECT_EQ(detail["functions"], json::array({"led", "silent"}));
    EXPECT_EQ(detail["variables"],
              (json{{"temperature", "double"},
                    {"count", "int32"},
                    {"is_on", "bool"},
                    {"words", "string"}}));
    devices.on_disconnected(lamp_id(1), lamps[0]);
    EXPECT_EQ(body(get("/v1/devices", token))[0]["connected"], false);
}

TEST_F(RestTest, CallsAFunctionWithWhateverTheArgumentIsCalled) {
    Lamp& lamp = add_lamp(1, "ann");
    const std::string token = token_of("ann");
    const std::string led = "/v1/devices/" + id_text(lamp_id(1)) + "/led";
    const Reply got = json_of(Method::Post, led, token, {{"args", "on"}});
    EXPECT_EQ(got.status, 200U);
    EXPECT_EQ(body(got),
              (json{{"id", id_text(lamp_id(1))},
                    {"name", "led"},
                    {"connected", true},
                    {"return_value", 2}}));
    json_of(Method::Post, led, token, json::object());
    form(led, "arg=a%2Bb+c", token);
    json_of(Method::Post, led, token, {{"args", 17}});
    json_of(Method::Post, led, token);
    EXPECT_EQ(lamp.arguments, (std::vector<std::string>{"on", "", "a+b c", "17", ""}));
    const Reply raw = form(led, "arg=12345&format=raw", token);
    EXPECT_EQ(raw.body, "5");
    EXPECT_EQ(raw.type, "text/plain");
}

TEST_F(RestTest, ConcurrentCallsToOneDeviceGetEachItsOwnAnswer) {
    Lamp& lamp = add_lamp(1, "ann");
    const std::string token = token_of("ann");
    std::vector<std::string> answers(8);
    for (std::size_t i = 0; i < answers.size(); ++i) {
        rest.handle({.method = Method::Post,
                     .target = "/v1/devices/" + id_text(lamp_id(1)) + "/late",
                     .authorization = "Bearer " + token,
                     .address = "::1"},
                    [&answers, i](Answer answer) { answers[i] = std::get<Reply>(answer).body; });
    }
    settle();
    ASSERT_EQ(lamp.late.size(), answers.size());
    for (std::size_t i = answers.size(); i-- > 0;) lamp.late[i](static_cast<std::int32_t>(100 + i));
    for (std::size_t i = 0; i < answers.size(); ++i)
        EXPECT_EQ(json::parse(answers[i])["return_value"], 100 + i);
}

TEST_F(RestTest, ReadsVariablesOfAllTypes) {
    add_lamp(1, "ann");
    const std::string token = token_of("ann");
    const std::string lamp = "/v1/devices/" + id_text(lamp_id(1)) + "/";
    const json answer = body(get(lamp + "temperature", token));
    EXPECT_EQ(answer["result"], 21.5);
    EXPECT_EQ(answer["name"], "temperature");
    EXPECT_EQ(answer["coreInfo"]["deviceID"], id_text(lamp_id(1)));
    EXPECT_EQ(body(get(lamp + "count", token))["result"], -3);
    EXPECT_EQ(body(get(lamp + "is_on", token))["result"], true);
    EXPECT_EQ(body(get(lamp + "words", token))["result"], "a\xef\xbf\xbd\"b");
    EXPECT_EQ(get(lamp + "temperature?format=raw", token).body, "21.5");
}

TEST_F(RestTest, SaysWhyADeviceDidNotDoIt) {
    add_lamp(1, "ann");
    const std::string token = token_of("ann");
    const std::string lamp = "/v1/devices/" + id_text(lamp_id(1)) + "/";
    const Reply unknown = json_of(Method::Post, lamp + "nothing", token);
    EXPECT_EQ(unknown.status, 404U);
    EXPECT_EQ(body(unknown)["ok"], false);
    EXPECT_EQ(get(lamp + "nothing", token).status, 404U);
    EXPECT_EQ(json_of(Method::Post, lamp + "silent", token).status, 408U);
    devices.on_disconnected(lamp_id(1), lamps[0]);
    EXPECT_EQ(json_of(Method::Post, lamp + "led", token).status, 408U);
    EXPECT_EQ(get(lamp + "count", token).status, 408U);
    EXPECT_EQ(body(json_of(Method::Put, lamp + "ping", token)),
              (json{{"online", false}, {"ok", true}}));
}

TEST_F(RestTest, EveryRefusalOfADeviceHasACodeThatLogsNobodyOut) {
    for (int i = 0; i < services::kDeviceErrorCount; ++i) {
        const Reply got = rest_refusal(static_cast<services::DeviceError>(i), "Function led");
        EXPECT_GE(got.status, 400U);
        EXPECT_NE(got.status, 401U);
        EXPECT_FALSE(body(got)["error_description"].get<std::string>().empty());
    }
}

TEST_F(RestTest, NamesSignalsAndPings) {
    Lamp& lamp = add_lamp(1, "ann");
    const std::string token = token_of("ann");
    const std::string path = "/v1/devices/" + id_text(lamp_id(1));
    const Reply named = json_of(Method::Put, path, token, {{"name", "Hall lamp"}});
    EXPECT_EQ(body(named)["name"], "Hall lamp");
    EXPECT_EQ(body(get("/v1/devices/hall%20lamp", token))["id"], id_text(lamp_id(1)));
    EXPECT_EQ(json_of(Method::Put, "/v1/devices/Hall lamp", token, {{"signal", "1"}}).status, 200U);
    EXPECT_EQ(json_of(Method::Put, path, token, {{"signal", "0"}}).status, 200U);
    EXPECT_EQ(lamp.signals, (std::vector{true, false}));
    EXPECT_EQ(json_of(Method::Put, path, token, {{"signal", "2"}}).status, 400U);
    EXPECT_EQ(body(json_of(Method::Put, path + "/ping", token)),
              (json{{"online", true}, {"ok", true}}));
    for (const std::string& name : {std::string{}, std::string(65, 'x'), std::string{"a\nb"}})
        EXPECT_EQ(json_of(Method::Put, path, token, {{"name", name}}).status, 400U);
    EXPECT_EQ(json_of(Method::Put, path, token, {{"notes", std::string(1'025, 'x')}}).status, 400U);
    EXPECT_EQ(json_of(Method::Put, path, token, {{"colour", "red"}}).status, 400U);
}

TEST_F(RestTest, ClaimsWhatIsConnectedAndNobodys) {
    const std::string ann = token_of("ann");
    const std::string bob = token_of("bob");
    const json lamp{{"id", id_text(lamp_id(1))}, {"request_transfer", false}};
    EXPECT_EQ(json_of(Method::Post, "/v1/devices", ann, lamp).status, 404U);
    lamps.emplace_back();
    devices.on_connected(lamp_id(1), lamps.back());
    settle();
    EXPECT_EQ(body(get("/v1/devices", ann)).size(), 0U);
    EXPECT_EQ(json_of(Method::Post, "/v1/devices", ann, lamp).status, 200U);
    EXPECT_EQ(json_of(Method::Post, "/v1/devices", ann, lamp).status, 200U) << "it is hers";
    const Reply refused = json_of(Method::Post, "/v1/devices", bob, lamp);
    EXPECT_EQ(refused.status, 403U);
    EXPECT_EQ(body(get("/v1/devices", bob)).size(), 0U);
    EXPECT_EQ(json_of(Method::Post, "/v1/devices/" + id_text(lamp_id(1)) + "/led", ann).status,
              200U);
    EXPECT_EQ(json_of(Method::Delete, "/v1/devices/" + id_text(lamp_id(1)), bob).status, 404U);
    EXPECT_EQ(json_of(Method::Delete, "/v1/devices/" + id_text(lamp_id(1)), ann).status, 200U);
    EXPECT_EQ(json_of(Method::Post, "/v1/devices", bob, lamp).status, 200U);
    EXPECT_EQ(json_of(Method::Post, "/v1/devices/" + id_text(lamp_id(1)) + "/led", ann).status,
              404U);
    EXPECT_EQ(json_of(Method::Post, "/v1/devices", bob, {{"id", "12"}}).status, 400U);
}

TEST_F(RestTest, ADeviceThatShowsAClaimCodeJoinsTheAccountOnce) {
    const std::string token = token_of("ann");
    const json made = body(json_of(Method::Post, "/v1/device_claims", token));
    const std::string code = made["claim_code"];
    EXPECT_EQ(code.size(), 63U);
    lamps.emplace_back();
    devices.on_connected(lamp_id(1), lamps.back());
    settle();
    devices.on_event(lamp_id(1), lamps.back(), {.name = "spark/device/claim/code", .data = code});
    EXPECT_EQ(lamps.back().codes_forgotten, 0);
    settle();
    EXPECT_EQ(lamps.back().codes_forgotten, 1);
    EXPECT_EQ(body(get("/v1/devices", token)).size(), 1U);
    lamps.emplace_back();
    devices.on_connected(lamp_id(2), lamps.back());
    settle();
    devices.on_event(lamp_id(2), lamps.back(), {.name = "spark/device/claim/code", .data = code});
    settle();
    EXPECT_EQ(lamps.back().codes_forgotten, 1) << "it will never be good";
    EXPECT_EQ(body(get("/v1/devices", token)).size(), 1U);
}

TEST_F(RestTest, AClaimCodeIsShownAgainWhereTheStoreFailed) {
    lamps.emplace_back();
    devices.on_connected(lamp_id(1), lamps.back());
    settle();
    store_.fail_with(Error::StorageFailed);
    devices.on_event(lamp_id(1), lamps.back(), {.name = "spark/device/claim/code", .data = "c"});
    settle();
    EXPECT_EQ(lamps.back().codes_forgotten, 0);
}

TEST_F(RestTest, ClaimCodesAndTheirNumberAreBounded) {
    const std::string token = token_of("ann");
    for (std::size_t i = 0; i < kOpenClaimCodesMax; ++i)
        EXPECT_EQ(json_of(Method::Post, "/v1/device_claims", token).status, 200U);
    EXPECT_EQ(json_of(Method::Post, "/v1/device_claims", token).status, 429U);
    now = now + kClaimCodeLife;
    EXPECT_EQ(json_of(Method::Post, "/v1/device_claims", token).status, 200U);
}

TEST_F(RestTest, AKeyCannotBePutInPlaceOfAnotherUsersOrTheOperators) {
    const std::string ann = token_of("ann");
    const std::string bob = token_of("bob");
    const std::string path = "/v1/provisioning/" + id_text(lamp_id(1));
    const auto give = [&](const std::string& at, const std::string& key, const std::string& token) {
        return form(at,
                    "deviceID=x&filename=cli&order=manual_1&algorithm=rsa&publicKey=" + key,
                    token)
            .status;
    };
    EXPECT_EQ(give(path, "no+key", ann), 400U);
    EXPECT_EQ(give(path, "PEM+1", ann), 200U);
    EXPECT_EQ(give(path, "PEM+2", bob), 403U);
    EXPECT_EQ(give(path, "PEM+3", ann), 200U);
    EXPECT_EQ(body(get("/v1/devices", ann)).size(), 1U);
    store_.set_device_key({.device = lamp_id(2), .key = {1}, .stored_at = now}, [](const auto&) {});
    EXPECT_EQ(give("/v1/provisioning/" + id_text(lamp_id(2)), "PEM+4", ann), 403U);
    EXPECT_EQ(give("/v1/provisioning/12", "PEM+4", ann), 400U);
}

TEST_F(RestTest, ASealedDeviceIsListedAndNothingElse) {
    constexpr model::DeviceId kSealed{0x5e};
    store_.create_claim(
        {.code = {}, .account = accounts["ann"], .expires_at = now + seconds(9)}, 9, now, [](auto) {
        });
    store_.redeem_claim({}, kSealed, {}, now, [](const auto& done) { EXPECT_TRUE(done); });
    const std::string token = token_of("ann");
    const json list = body(get("/v1/devices", token));
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0]["sealed"], true);
    const std::string path = "/v1/devices/" + id_text(kSealed);
    EXPECT_EQ(body(get(path, token))["functions"], json::array());
    for (const Reply& refused : {get(path + "/temperature", token),
                                 json_of(Method::Post, path + "/led", token, {{"args", "on"}}),
                                 get(path + "/events", token),
                                 json_of(Method::Put, path, token, {{"signal", "1"}}),
                                 json_of(Method::Put, path, token, {{"name", "x"}}),
                                 json_of(Method::Put, path + "/ping", token)}) {
        EXPECT_EQ(refused.status, 403U);
        EXPECT_EQ(body(refused)["error"], "sealed");
        EXPECT_NE(body(refused)["error_description"].get<std::string>().find("no key"),
                  std::string::npos);
    }
    EXPECT_EQ(get(path, token_of("bob")).status, 404U);
    EXPECT_EQ(get(path + "/temperature", token_of("bob")).status, 404U);
}

TEST_F(RestTest, ManyUsersAtOnceGetNothingOfEachOther) {
    constexpr int kUsers = 24;
    std::vector<std::string> tokens;
    for (int i = 0; i < kUsers; ++i) {
        const std::string user = "user" + std::to_string(i);
        add_user(user);
        drawn = static_cast<std::uint8_t>(2 * i);
        tokens.push_back(token_of(user));
        add_lamp(static_cast<std::uint8_t>(i), user);
    }
    const std::uint64_t before = ring.last_id();
    int own = 0;
    int answers = 0;
    std::vector<OpenStream> streams;
    // All on their way before the first is answered.
    for (int user = 0; user < kUsers; ++user) {
        for (int target = 0; target < kUsers; ++target) {
            const std::string lamp =
                "/v1/devices/" + id_text(lamp_id(static_cast<std::uint8_t>(target)));
            const auto send =
                [&](Method method, const std::string& path, const std::string& fields = {}) {
                    rest.handle(
                        {.method = method,
                         .target = path,
                         .authorization = "Bearer " + tokens[static_cast<std::size_t>(user)],
                         .content_type = "application/x-www-form-urlencoded",
                         .body = fields,
                         .address = "::1"},
                        [&, user, target, path](Answer answer) {
                            ++answers;
                            auto* stream = std::get_if<OpenStream>(&answer);
                            if (user == target) {
                                own += stream || std::get<Reply>(answer).status == 200 ? 1 : 0;
                                if (stream) streams.push_back(*stream);
                                return;
                            }
                            ASSERT_EQ(stream, nullptr) << path;
                            const unsigned status = std::get<Reply>(answer).status;
                            EXPECT_TRUE(status == 404 || status == 403) << path << " " << status;
                        });
                };
            send(Method::Get, lamp);
            send(Method::Get, lamp + "/temperature");
            send(Method::Post, lamp + "/led", "arg=x");
            send(Method::Put, lamp, "name=taken+by+" + std::to_string(user));
            send(Method::Put, lamp, "signal=1");
            send(Method::Put, lamp + "/ping");
            send(Method::Get, lamp + "/events");
            send(Method::Post,
                 "/v1/devices",
                 "id=" + id_text(lamp_id(static_cast<std::uint8_t>(target))));
            send(Method::Post,
                 "/v1/provisioning/" + id_text(lamp_id(static_cast<std::uint8_t>(target))),
                 "publicKey=PEM+" + std::to_string(user));
            if (user != target) send(Method::Delete, lamp);
        }
    }
    settle();
    EXPECT_EQ(answers, kUsers * kUsers * 10 - kUsers);
    EXPECT_EQ(own, kUsers * 9);
    for (int i = 0; i < kUsers; ++i) {
        const Lamp& lamp = lamps[static_cast<std::size_t>(i)];
        EXPECT_EQ(lamp.arguments.size(), 1U) << i;
        EXPECT_EQ(lamp.signals.size(), 1U) << i;
        const json list = body(get("/v1/devices", tokens[static_cast<std::size_t>(i)]));
        ASSERT_EQ(list.size(), 1U);
        EXPECT_EQ(list[0]["name"], "taken by " + std::to_string(i));
    }
    // A stream of one gets the events of one.
    devices.publish(accounts["user0"], {.name = "mine"});
    for (OpenStream& stream : streams) {
        stream.filter.publisher.reset();
        std::uint64_t place = before;
        while (const auto event = ring.next(stream.filter, place))
            EXPECT_EQ(event->owner, stream.filter.owner);
    }
}

TEST_F(RestTest, PublishesAndStreams) {
    Lamp& lamp = add_lamp(1, "ann");
    const std::string token = token_of("ann");
    const auto stream = [&](const std::string& target, const std::string& last = {}) {
        const Answer answer =
            ask({.target = target, .authorization = "Bearer " + token, .last_event_id = last});
        return std::get<OpenStream>(answer);
    };
    lamp.heard.clear();
    OpenStream all = stream("/v1/events?nonce=1");
    OpenStream some = stream("/v1/devices/events/a%2Fb?nonce=1");
    OpenStream of_lamp = stream("/v1/devices/" + id_text(lamp_id(1)) + "/events/a");
    EXPECT_EQ(some.filter.prefix, "a/b");
    EXPECT_EQ(of_lamp.filter.publisher, lamp_id(1));
    EXPECT_EQ(all.filter.owner, accounts["ann"]);
    EXPECT_EQ(body(json_of(Method::Post,
                           "/v1/devices/events",
                           token,
                           {{"name", "a/bc"}, {"data", "1"}, {"private", true}, {"ttl", 5}}))["ok"],
              true);
    EXPECT_EQ(lamp.heard, std::vector<std::string>{"a/bc"}) << "devices hear their user";
    devices.on_event(lamp_id(1), lamp, {.name = "a/b", .data = "2"});
    const auto next = [this](OpenStream& opened) {
        const auto event = ring.next(opened.filter, opened.after);
        return event ? event->what.name + "=" + *event->what.data : "";
    };
    EXPECT_EQ(next(all), "a/bc=1");
    EXPECT_EQ(next(all), "a/b=2");
    EXPECT_EQ(next(some), "a/bc=1");
    EXPECT_EQ(next(of_lamp), "a/b=2");
    EXPECT_EQ(next(of_lamp), "");
    OpenStream again = stream("/v1/events", std::to_string(all.after - 1));
    EXPECT_EQ(next(again), "a/b=2") << "who comes back reads on";
    OpenStream odd = stream("/v1/events", "nonsense");
    EXPECT_EQ(next(odd), "");
}

TEST_F(RestTest, AStreamEndsWithItsToken) {
    const std::string token = token_of("ann");
    const Answer answer = ask({.target = "/v1/events", .authorization = "Bearer " + token});
    const auto& stream = std::get<OpenStream>(answer);
    const auto is_good = [&] {
        std::optional<bool> good;
        stream.is_good([&good](bool given) { good = given; });
        settle();
        return good.value();
    };
    EXPECT_TRUE(is_good());
    now = now + kAccessLife;
    store_.fail_with(Error::StorageFailed);
    EXPECT_TRUE(is_good()) << "trouble of the store is not the reader's";
    store_.fail_with(std::nullopt);
    json_of(Method::Delete, "/v1/access_tokens/current", token);
    EXPECT_FALSE(is_good());
}

TEST_F(RestTest, AnAccountHasSoManyStreams) {
    for (std::size_t i = 0; i < kStreamsPerAccountMax; ++i)
        EXPECT_TRUE(rest.begin_stream(model::AccountId{1}));
    EXPECT_FALSE(rest.begin_stream(model::AccountId{1}));
    EXPECT_TRUE(rest.begin_stream(model::AccountId{2}));
    rest.end_stream(model::AccountId{1});
    EXPECT_TRUE(rest.begin_stream(model::AccountId{1}));
    EXPECT_EQ(too_many_streams().status, 429U);
}

// A firmware as clients send it.
std::string upload_of(std::string_view content, std::string_view name = "file") {
    return "--x\r\nContent-Disposition: form-data; name=\"" + std::string{name} +
           "\"; filename=\"/tmp/dir/fw one.bin\"\r\n\r\n" + std::string{content} +
           "\r\n--x\r\nContent-Disposition: form-data; name=\"latest\"\r\n\r\ntrue\r\n--x--\r\n";
}
Request upload(const std::string& target, const std::string& token, std::string body) {
    return {.method = Method::Put,
            .target = target,
            .authorization = "Bearer " + token,
            .content_type = "multipart/form-data; boundary=x",
            .body = std::move(body)};
}

TEST_F(RestTest, AFirmwareIsSentToADeviceAndAnsweredWhenItIsReady) {
    Lamp& lamp = add_lamp(1, "ann");
    const std::string target = "/v1/devices/" + id_text(lamp_id(1));
    const std::string ann = token_of("ann");
    std::optional<Reply> reply;
    rest.handle(upload(target, ann, upload_of("firmware")),
                [&reply](Answer answer) { reply = std::get<Reply>(std::move(answer)); });
    settle();
    ASSERT_EQ(lamp.firmwares.size(), 1U);
    EXPECT_EQ(lamp.firmwares[0]->name, "fw one.bin");
    EXPECT_EQ(as_text(lamp.firmwares[0]->bytes), "firmware");
    EXPECT_FALSE(reply);
    lamp.updates[0].on_progress(0);
    settle();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 200U);
    EXPECT_EQ(body(*reply)["status"], "Update started");
    lamp.updates[0].on_progress(4);
    const json update = body(get(target, ann))["update"];
    EXPECT_EQ(update["taken"], 4);
    EXPECT_EQ(update["size"], 8);
    // A second one waits for nobody.
    EXPECT_EQ(ask_status(upload(target, ann, upload_of("other"))), 409U);
    lamp.updates[0].on_end({});
    EXPECT_FALSE(body(get(target, ann)).contains("update"));
}

TEST_F(RestTest, AFirmwareThatIsRefusedIsSaidToBe) {
    Lamp& lamp = add_lamp(1, "ann");
    const std::string target = "/v1/devices/" + id_text(lamp_id(1));
    const std::string ann = token_of("ann");
    const unsigned statuses[services::kUpdateErrorCount] = {408, 400, 400, 409, 400, 408, 502, 501};
    for (int i = 0; i < services::kUpdateErrorCount; ++i) {
        std::optional<Reply> reply;
        rest.handle(upload(target, ann, upload_of("firmware")),
                    [&reply](Answer answer) { reply = std::get<Reply>(std::move(answer)); });
        settle();
        const auto error = static_cast<services::UpdateError>(i);
        if (error == services::UpdateError::Interrupted) {
            lamp.updates.back().on_progress(0);
            lamp.updates.back().on_end({});
            continue;  // it is tried again
        }
        lamp.updates.back().on_end(services::UpdateFailure{error, "so it is"});
        settle();
        ASSERT_TRUE(reply) << i;
        EXPECT_EQ(reply->status, statuses[i]) << i;
        EXPECT_EQ(body(*reply)["error_description"], "Not updated: so it is");
    }
}

TEST_F(RestTest, AnUploadThatIsNoneOrStoppedChangesNothing) {
    Lamp& lamp = add_lamp(1, "ann");
    const std::string target = "/v1/devices/" + id_text(lamp_id(1));
    const std::string ann = token_of("ann");
    const std::string weak = token_of("ann", "&scope=devices%3Alist");
    const std::string bob = token_of("bob");
    const std::string whole = upload_of("firmware");
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{20}, whole.size() / 2, whole.size() - 5}) {
        const Reply reply = this->reply(upload(target, ann, whole.substr(0, size)));
        EXPECT_EQ(reply.status, 400U) << size << reply.body;
        EXPECT_EQ(body(reply)["error"], "incomplete_upload") << size << reply.body;
    }
    EXPECT_EQ(ask_status(upload(target, ann, upload_of("a", "other"))), 400U);
    EXPECT_EQ(ask_status(upload(target, ann, "--x\r\nnonsense\r\n\r\n\r\n--x--")), 400U);
    EXPECT_EQ(ask_status(upload("/v1/devices", ann, whole)), 405U);
    EXPECT_EQ(ask_status(upload(target + "/ping", ann, whole)), 415U);
    EXPECT_EQ(ask_status(upload(target, bob, whole)), 404U);
    EXPECT_EQ(ask_status(upload(target, weak, whole)), 403U);
    EXPECT_TRUE(lamp.firmwares.empty());
    // Fields alone are those of a form.
    const Reply named = this->reply(upload(
        target, ann, "--x\r\nContent-Disposition: form-data; name=name\r\n\r\nnew\r\n--x--"));
    EXPECT_EQ(named.status, 200U) << named.body;
    EXPECT_EQ(body(named)["name"], "new");
    devices.on_disconnected(lamp_id(1), lamp);
    EXPECT_EQ(ask_status(upload(target, ann, whole)), 408U);
}

TEST_F(RestTest, UploadsAreCountedAndForThoseWhoMay) {
    const Request head = upload("/v1/devices/x", token_of("ann"), {});
    EXPECT_TRUE(Rest::is_upload(head));
    EXPECT_TRUE(Rest::is_upload(upload("//v1//devices/x?y=z", "", {})));
    EXPECT_FALSE(Rest::is_upload(upload("/v1/devices/x/ping", "", {})));
    EXPECT_FALSE(Rest::is_upload(upload("/other", "", {})));
    EXPECT_FALSE(Rest::is_upload({.method = Method::Put, .target = "/v1/devices/x"}));
    std::vector<Result<model::AccountId, Reply>> answers;
    const auto begin = [&](const Request& request) {
        rest.begin_upload(request, [&](auto answer) { answers.push_back(std::move(answer)); });
        settle();
    };
    begin(upload("/v1/devices/x", "nonsense", {}));
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].error().status, 401U);
    begin(upload("/v1/devices/x", token_of("ann", "&scope=devices:list"), {}));
    EXPECT_EQ(answers.at(1).error().status, 403U);
    answers.clear();
    for (std::size_t i = 0; i <= kUploadsPerAccountMax; ++i) begin(head);
    EXPECT_TRUE(answers.at(kUploadsPerAccountMax - 1));
    EXPECT_EQ(answers.at(kUploadsPerAccountMax).error().status, 503U);
    begin(upload("/v1/devices/x", token_of("bob"), {}));
    EXPECT_TRUE(answers.back());
    for (const auto& answer : answers)
        if (answer) rest.end_upload(*answer);
    EXPECT_EQ(rest.upload_count(), 0U);
    answers.clear();
    for (std::size_t user = 0; user <= kUploadsMax / kUploadsPerAccountMax; ++user) {
        const std::string name = "user" + std::to_string(user);
        add_user(name);
        const std::string token = token_of(name);
        for (std::size_t i = 0; i < kUploadsPerAccountMax; ++i)
            begin(upload("/v1/devices/x", token, {}));
    }
    EXPECT_TRUE(answers.at(kUploadsMax - 1));
    EXPECT_FALSE(answers.at(kUploadsMax));
}

TEST_F(RestTest, NamesOfFilesAreCutToTheirEnd) {
    Lamp& lamp = add_lamp(1, "ann");
    const std::string long_name = "a/" + std::string(kFileNameSizeMax + 1, 'n');
    std::string whole = upload_of("firmware");
    whole.replace(whole.find("/tmp/dir/fw one.bin"), 19, long_name);
    rest.handle(upload("/v1/devices/" + id_text(lamp_id(1)), token_of("ann"), whole),
                [](const Answer&) {});
    settle();
    EXPECT_EQ(lamp.firmwares.at(0)->name, std::string(kFileNameSizeMax, 'n'));
}

TEST_F(RestTest, EventsOfUsersHaveNamesAndSizes) {
    const std::string token = token_of("ann");
    const auto publish = [&](const json& event) {
        return json_of(Method::Post, "/v1/devices/events", token, event).status;
    };
    EXPECT_EQ(publish({{"name", std::string(64, 'x')}}), 200U);
    EXPECT_EQ(publish({{"name", std::string(65, 'x')}}), 400U);
    EXPECT_EQ(publish({{"name", "e"}, {"data", std::string(1'024, 'x')}}), 200U);
    EXPECT_EQ(publish({{"name", "e"}, {"data", std::string(1'025, 'x')}}), 400U);
    for (const char* name : {"", "spark/status", "particle/x", "a b", "a\nevent: b"})
        EXPECT_EQ(publish({{"name", name}}), 400U) << name;
    EXPECT_EQ(publish({{"data", "x"}}), 400U);
}

TEST_F(RestTest, TellsAddressesMethodsAndBodiesApart) {
    const std::string token = token_of("ann");
    EXPECT_EQ(get("/v1/nothing", token).status, 404U);
    EXPECT_EQ(get("/v1", token).status, 404U);
    EXPECT_EQ(get("/v1/devices/%zz", token).status, 400U);
    EXPECT_EQ(get("//v1///devices/", token).status, 200U) << "slashes count once";
    const Reply method = json_of(Method::Put, "/v1/devices", token);
    EXPECT_EQ(method.status, 405U);
    EXPECT_EQ(method.allow, "GET, POST");
    const auto with = [&](const char* type, const std::string& text) {
        return reply({.method = Method::Post,
                      .target = "/v1/devices/events",
                      .authorization = "Bearer " + token,
                      .content_type = type,
                      .body = text})
            .status;
    };
    EXPECT_EQ(with("application/json", R"({"name":"e")"), 400U);
    EXPECT_EQ(with("application/json", "[1]"), 400U);
    EXPECT_EQ(with("application/json", std::string(4'000, '[')), 400U);
    EXPECT_EQ(with("application/x-www-form-urlencoded", "name=%f"), 400U);
    EXPECT_EQ(with("application/xml", "<e/>"), 415U);
    EXPECT_EQ(with("application/x-www-form-urlencoded", "name=e"), 200U);
    std::string many;
    for (std::size_t i = 0; i <= kFieldsMax; ++i) many += "&f" + std::to_string(i) + "=1";
    EXPECT_EQ(with("application/x-www-form-urlencoded", "name=e" + many), 400U);
}

TEST_F(RestTest, OtherOriginsMayAsk) {
    const Reply preflight = reply({.method = Method::Options, .target = "/v1/devices/x/led"});
    EXPECT_EQ(preflight.status, 204U);
    EXPECT_TRUE(preflight.body.empty());
    const auto header = [](const Reply& got, const std::string& name) {
        for (const auto& [known, value] : got.headers) {
            if (known == name) return value;
        }
        return std::string{};
    };
    EXPECT_EQ(header(preflight, "Access-Control-Allow-Origin"), "*");
    EXPECT_NE(header(preflight, "Access-Control-Allow-Headers").find("X-Particle-Tool"),
              std::string::npos);
    EXPECT_NE(header(preflight, "Access-Control-Allow-Methods").find("DELETE"), std::string::npos);
    EXPECT_EQ(header(get("/v1/user", token_of("ann")), "Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(header(get("/v1/user", "none"), "Access-Control-Allow-Origin"), "*");
}

TEST_F(RestTest, WhereTheStoreFailsNothingIsDone) {
    add_lamp(1, "ann");
    const std::string token = token_of("ann");
    now = now + kAccessLife;
    store_.fail_with(Error::StorageFailed);
    EXPECT_EQ(get("/v1/devices", token).status, 500U);
    EXPECT_EQ(log_in("ann").status, 500U);
    store_.fail_with(Error::Busy);
    EXPECT_EQ(get("/v1/devices", token).status, 503U);
}

TEST_F(RestTest, TheDocumentSaysWhatTheRoutesDo) {
    const Reply got = reply({.target = "/v1/openapi.json"});
    EXPECT_EQ(got.status, 200U);
    const json document = body(got);
    EXPECT_EQ(document["openapi"], "3.0.3");
    const std::string token = token_of("ann");
    add_lamp(1, "ann");
    std::size_t count = 0;
    for (const auto& [path, operations] : document["paths"].items()) {
        for (const auto& [name, operation] : operations.items()) {
            ++count;
            const std::map<std::string, Method> methods{{"get", Method::Get},
                                                        {"patch", Method::Patch},
                                                        {"post", Method::Post},
                                                        {"put", Method::Put},
                                                        {"delete", Method::Delete}};
            std::string target;
            std::set<std::string> places;
            for (std::size_t i = 0; i < path.size();) {
                if (path[i] != '{') {
                    target.push_back(path[i++]);
                    continue;
                }
                const std::size_t end = path.find('}', i);
                places.insert(path.substr(i + 1, end - i - 1));
                target += "x";
                i = end + 1;
            }
            std::set<std::string> told;
            for (const json& parameter : operation["parameters"]) {
                if (parameter["in"] == "path") told.insert(parameter["name"]);
            }
            EXPECT_EQ(told, places) << path;
            // Whoever has no token is refused, and whatever is documented is there.
            const Answer answer = ask({.method = methods.at(name), .target = target});
            ASSERT_TRUE(std::holds_alternative<Reply>(answer));
            const unsigned status = std::get<Reply>(answer).status;
            EXPECT_NE(status, 405U) << name << " " << path;
            const bool is_public = operation["security"].empty();
            EXPECT_TRUE(is_public || status == 400U) << name << " " << path;
            const Answer known = ask(
                {.method = methods.at(name), .target = target, .authorization = "Bearer " + token});
            const auto* got_now = std::get_if<Reply>(&known);
            EXPECT_TRUE(got_now == nullptr || got_now->status != 405U) << name << " " << path;
            for (const json& security : operation["security"]) {
                for (const json& scope : security["token"])
                    EXPECT_TRUE(parse_scopes(scope.get<std::string>())) << scope;
            }
        }
    }
    EXPECT_EQ(count, Rest::routes().size() + 6) << "six may leave their last part away";
}

}  // namespace
}  // namespace sotto::cloud::http
