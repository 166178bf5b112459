// SPDX-License-Identifier: Apache-2.0
// Users, as an administrator manages them.
#include "cloud/http/limits.hpp"
#include "cloud/http/rest_world.hpp"

namespace sotto::cloud::http {
namespace {

class UsersTest : public testing::Test, public RestWorld {
  protected:
    UsersTest() {
        add_user("root");
        set("root", {.is_administrator = true});
        root_ = token_of("root");
    }
    void set(const std::string& name, model::AccountChanges changes) {
        store_.update_account(accounts[name], changes, [](const auto& done) { EXPECT_TRUE(done); });
        settle();
    }
    Reply make(const std::string& name, const std::string& password = "good enough") {
        return json_of(
            Method::Post, "/v1/users", root_, {{"username", name}, {"password", password}});
    }
    Reply change(const std::string& name, const json& fields) {
        return json_of(Method::Put, "/v1/users/" + name, root_, fields);
    }
    Reply erase(const std::string& name, const std::string& token) {
        return json_of(Method::Delete, "/v1/users/" + name, token);
    }
    Reply log_in_with(const std::string& user, const std::string& password) {
        return form(
            "/oauth/token",
            "grant_type=password&client_id=particle&username=" + user + "&password=" + password);
    }
    std::string last_audit() {
        std::string line;
        store_.list_audit({}, 1, [&line](const auto& entries) {
            if (!entries->empty())
                line = entries->front().action + " " + entries->front().subject + " " +
                       entries->front().outcome;
        });
        settle();
        return line;
    }

    std::string root_;
};

TEST_F(UsersTest, NobodyElseMaySeeOrChangeUsers) {
    const std::string ann = token_of("ann");
    for (const Reply& refused : {get("/v1/users", ann),
                                 get("/v1/users/bob", ann),
                                 json_of(Method::Put, "/v1/users/bob", ann, {{"disabled", true}}),
                                 erase("bob", ann)}) {
        EXPECT_EQ(refused.status, 403U);
        EXPECT_EQ(body(refused)["error"], "forbidden");
    }
    const json fields{{"username", "eve"}, {"password", "good enough"}};
    EXPECT_EQ(body(json_of(Method::Post, "/v1/users", ann, fields))["error"], "not_here");
    EXPECT_EQ(body(form("/v1/users", "username=eve&password=good+enough"))["error"], "not_here");
    const std::string narrow = body(log_in("root", "&scope=devices%3Alist"))["access_token"];
    EXPECT_EQ(get("/v1/users", narrow).status, 403U) << "a token that is not good for it";
    EXPECT_EQ(json_of(Method::Post, "/v1/users", narrow, fields).status, 403U);
    EXPECT_EQ(log_in_with("ann", "pass+of+ann").status, 200U);
}

TEST_F(UsersTest, AnAdministratorMakesUsers) {
    EXPECT_EQ(make("cat").status, 201U);
    EXPECT_EQ(last_audit(), "user-create cat done");
    EXPECT_EQ(log_in_with("cat", "good+enough").status, 200U);
    EXPECT_EQ(make("cat").status, 409U);
    EXPECT_EQ(make("dog", "short").status, 400U);
    EXPECT_EQ(make("").status, 400U);
    EXPECT_EQ(make("a\nb").status, 400U);
    EXPECT_EQ(make(std::string(kUserNameSizeMax + 1, 'a')).status, 400U);
    EXPECT_EQ(make(std::string(kUserNameSizeMax, 'a')).status, 201U);
    const json list = body(get("/v1/users", root_))["users"];
    ASSERT_EQ(list.size(), 5U);
    EXPECT_EQ(body(get("/v1/users/cat", root_))["administrator"], false);
    EXPECT_EQ(body(get("/v1/users/root", root_))["administrator"], true);
    EXPECT_EQ(body(get("/v1/user", root_))["administrator"], true);
    EXPECT_EQ(get("/v1/users/nobody", root_).status, 404U);
}

TEST_F(UsersTest, ADisabledUserIsOutAtOnceAndInAgainWhenEnabled) {
    const std::string ann = token_of("ann");
    EXPECT_EQ(get("/v1/devices", ann).status, 200U);
    EXPECT_EQ(change("ann", {{"disabled", true}}).status, 200U);
    EXPECT_EQ(last_audit(), "user-update ann disabled done");
    EXPECT_EQ(locked_out, std::vector{accounts["ann"]});
    EXPECT_EQ(get("/v1/devices", ann).status, 401U);
    const Reply refused = log_in_with("ann", "pass+of+ann");
    EXPECT_EQ(body(refused)["error"], "invalid_grant") << "as if the password were wrong";
    EXPECT_EQ(last_audit(), "login ann disabled");
    EXPECT_EQ(body(get("/v1/users/ann", root_))["disabled"], true);
    EXPECT_EQ(change("ann", {{"disabled", false}}).status, 200U);
    EXPECT_EQ(get("/v1/devices", ann).status, 200U);
}

TEST_F(UsersTest, APasswordAndASecondFactorAreReset) {
    const std::string ann = token_of("ann");
    store_.set_otp_secret(accounts["ann"], {1, 2, 3}, [](const auto&) {});
    settle();
    EXPECT_EQ(body(get("/v1/users/ann", root_))["mfa"], true);
    EXPECT_EQ(change("ann", {{"password", "short"}}).status, 400U);
    EXPECT_EQ(change("ann", json::object()).status, 400U);
    EXPECT_EQ(change("ann", {{"password", "another one"}, {"reset_mfa", true}}).status, 200U);
    EXPECT_EQ(last_audit(), "user-update ann password reset_mfa done");
    EXPECT_EQ(get("/v1/devices", ann).status, 401U) << "who was logged in is out";
    EXPECT_EQ(log_in_with("ann", "pass+of+ann").status, 400U);
    EXPECT_EQ(log_in_with("ann", "another+one").status, 200U);
}

TEST_F(UsersTest, AUserGoesWithAllThatIsHisOwn) {
    Lamp& lamp = add_lamp(1, "ann");
    const std::string ann = token_of("ann");
    const std::string path = "/v1/devices/" + id_text(lamp_id(1));
    EXPECT_EQ(json_of(Method::Post,
                      "/v1/integrations",
                      ann,
                      {{"event", "e"}, {"url", "https://example.com/"}})
                  .status,
              201U);
    EXPECT_EQ(body(get("/v1/users/ann", root_))["devices"], 1);
    EXPECT_EQ(erase("ann", root_).status, 200U);
    EXPECT_EQ(last_audit(), "user-delete ann done");
    EXPECT_EQ(locked_out, std::vector{accounts["ann"]});
    EXPECT_EQ(get("/v1/devices", ann).status, 401U);
    EXPECT_EQ(log_in_with("ann", "pass+of+ann").status, 400U);
    EXPECT_TRUE(dispatcher.list(accounts["ann"]).empty());
    EXPECT_EQ(erase("ann", root_).status, 404U);
    EXPECT_EQ(lamp.replaced, 0) << "it stays connected, and may be claimed";
    EXPECT_EQ(
        json_of(Method::Post, "/v1/devices", token_of("bob"), {{"id", id_text(lamp_id(1))}}).status,
        200U);
    EXPECT_EQ(get(path, token_of("bob")).status, 200U);
}

TEST_F(UsersTest, AnAdministratorHasNoMoreOfDevicesThanHisOwn) {
    add_lamp(1, "ann");
    const std::string path = "/v1/devices/" + id_text(lamp_id(1));
    EXPECT_EQ(get(path, root_).status, 404U);
    EXPECT_EQ(get(path + "/count", root_).status, 404U);
    EXPECT_EQ(json_of(Method::Post, path + "/led", root_).status, 404U);
    EXPECT_EQ(json_of(Method::Delete, path, root_).status, 404U);
    EXPECT_TRUE(body(get("/v1/devices", root_)).empty());
}

TEST_F(UsersTest, AdministratorsAreTheOperatorsToChange) {
    set("bob", {.is_administrator = true});
    EXPECT_EQ(change("bob", {{"disabled", true}}).status, 403U);
    EXPECT_EQ(change("root", {{"password", "another one"}}).status, 403U);
    EXPECT_EQ(erase("bob", root_).status, 403U);
    EXPECT_EQ(json_of(Method::Delete, "/v1/user", root_, {{"password", "pass of root"}}).status,
              403U);
}

TEST_F(UsersTest, AUserEndsHisOwnAccountWithHisPassword) {
    const std::string ann = token_of("ann");
    EXPECT_EQ(json_of(Method::Delete, "/v1/user", ann, {{"password", "wrong"}}).status, 400U);
    EXPECT_EQ(get("/v1/user", ann).status, 200U);
    EXPECT_EQ(json_of(Method::Delete, "/v1/user", ann, {{"password", "pass of ann"}}).status, 200U);
    EXPECT_EQ(get("/v1/user", ann).status, 401U);
    EXPECT_EQ(get("/v1/users/ann", root_).status, 404U);
}

}  // namespace
}  // namespace sotto::cloud::http
