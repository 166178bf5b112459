// SPDX-License-Identifier: Apache-2.0
// Users with one-time passwords.
#include "cloud/http/rest_world.hpp"

namespace sotto::cloud::http {
namespace {

class MfaTest : public testing::Test, public RestWorld {
  protected:
    // In this world, that of the present step.
    std::string otp() const { return std::to_string(now.ms / 30'000); }
    void next_step() { now = now + seconds(30); }

    Reply second_step(const std::string& mfa_token, const std::string& password) {
        return form("/oauth/token",
                    "grant_type=urn%3Acustom%3Amfa-otp&client_id=particle-cli&client_secret="
                    "particle-cli&mfa_token=" +
                        mfa_token + "&otp=" + password);
    }
    Reply confirm(const std::string& token, const json& fields) {
        return json_of(Method::Post, "/v1/user/mfa-enable", token, fields);
    }
    // A token of ann's from before.
    std::string enable() {
        const std::string token = token_of("ann");
        const json begun = body(get("/v1/user/mfa-enable", token));
        EXPECT_EQ(confirm(token, {{"mfa_token", begun["mfa_token"]}, {"otp", otp()}}).status, 200U);
        next_step();
        return token;
    }
};

TEST_F(MfaTest, ASecretIsConfirmedByItsFirstPassword) {
    const std::string token = token_of("ann");
    const json begun = body(get("/v1/user/mfa-enable", token));
    EXPECT_EQ(begun["secret"].get<std::string>().size(), 32U) << "20 bytes";
    EXPECT_EQ(
        begun["url"],
        "otpauth://totp/Sotto:ann?secret=" + begun["secret"].get<std::string>() + "&issuer=Sotto");
    EXPECT_EQ(log_in("ann").status, 200U) << "it does not count yet";
    EXPECT_EQ(confirm(token, {{"mfa_token", begun["mfa_token"]}, {"otp", "1"}}).status, 400U);
    EXPECT_EQ(confirm(token, {{"mfa_token", "x"}, {"otp", otp()}}).status, 400U);
    const json fields{{"mfa_token", begun["mfa_token"]}, {"otp", otp()}};
    EXPECT_EQ(confirm(token_of("bob"), fields).status, 400U) << "another user's";
    EXPECT_EQ(confirm(token, fields).status, 200U);
    EXPECT_EQ(confirm(token, fields).status, 400U) << "once";
    EXPECT_EQ(log_in("ann").status, 403U);
    EXPECT_EQ(log_in("bob").status, 200U);
    EXPECT_EQ(get("/v1/user/mfa-enable", token).status, 400U) << "another secret would lock it out";
    EXPECT_EQ(get("/v1/user", token).status, 200U) << "tokens of before stay";
}

TEST_F(MfaTest, ALogInTakesTwoSteps) {
    enable();
    const Reply first = log_in("ann", "&expires_in=60&scope=devices%3Alist");
    EXPECT_EQ(first.status, 403U);
    EXPECT_EQ(body(first)["error"], "mfa_required");
    EXPECT_FALSE(body(first).contains("access_token"));
    const std::string waiting = body(first)["mfa_token"];
    EXPECT_EQ(get("/v1/user", waiting).status, 401U) << "it is good for nothing else";
    const Reply wrong = second_step(waiting, "123456");
    EXPECT_EQ(wrong.status, 400U);
    EXPECT_EQ(body(wrong)["error"], "invalid_grant");
    const json done = body(second_step(waiting, otp()));
    EXPECT_EQ(done["expires_in"], 60);
    EXPECT_EQ(done["scope"], "devices:list");
    EXPECT_EQ(get("/v1/devices", done["access_token"]).status, 200U);
    EXPECT_EQ(second_step(waiting, otp()).status, 400U);
}

TEST_F(MfaTest, AOneTimePasswordIsGoodOnce) {
    enable();
    const std::string one = body(log_in("ann"))["mfa_token"];
    const std::string other = body(log_in("ann"))["mfa_token"];
    EXPECT_EQ(second_step(one, otp()).status, 200U);
    EXPECT_EQ(second_step(other, otp()).status, 400U) << "whoever looked over the shoulder";
    next_step();
    EXPECT_EQ(second_step(other, otp()).status, 200U);
}

TEST_F(MfaTest, TriesAndTimeAreBounded) {
    enable();
    std::string waiting = body(log_in("ann"))["mfa_token"];
    for (int i = 0; i < kOtpTriesMax; ++i) EXPECT_EQ(second_step(waiting, "1").status, 400U);
    EXPECT_EQ(second_step(waiting, otp()).status, 400U) << "to be begun anew";
    waiting = body(log_in("ann"))["mfa_token"];
    now = now + kOtpWaitMax;
    EXPECT_EQ(second_step(waiting, otp()).status, 400U);
    // Guesses count as wrong passwords do.
    unsigned status = 0;
    for (int i = 0; i < 2 * kLoginFailuresMax && status != 429; ++i) {
        const Reply first = log_in("ann");
        status = first.status;
        if (status == 403) status = second_step(body(first)["mfa_token"], "1").status;
    }
    EXPECT_EQ(status, 429U);
}

TEST_F(MfaTest, ThePasswordAloneOpensNothing) {
    enable();
    Request request{.method = Method::Get,
                    .target = "/v1/access_tokens",
                    .authorization = "Basic " + base64_encode("ann:pass of ann")};
    EXPECT_EQ(reply(request).status, 403U);
}

TEST_F(MfaTest, ItIsDisabledWithThePassword) {
    const std::string token = enable();
    const auto disable = [&](const char* password) {
        return json_of(Method::Put, "/v1/user/mfa-disable", token, {{"current_password", password}})
            .status;
    };
    EXPECT_EQ(disable("wrong"), 400U);
    EXPECT_EQ(log_in("ann").status, 403U);
    EXPECT_EQ(disable("pass of ann"), 200U);
    EXPECT_EQ(log_in("ann").status, 200U);
}

TEST_F(MfaTest, EnablingItMayEndAllTokens) {
    const std::string token = token_of("ann");
    const json begun = body(get("/v1/user/mfa-enable", token));
    EXPECT_EQ(
        confirm(token,
                {{"mfa_token", begun["mfa_token"]}, {"otp", otp()}, {"invalidate_tokens", true}})
            .status,
        200U);
    EXPECT_EQ(get("/v1/user", token).status, 401U);
}

}  // namespace
}  // namespace sotto::cloud::http
