// SPDX-License-Identifier: Apache-2.0
// What an operator does with users, beside a cloud that runs.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cloud/server/clients_test.hpp"
#include "testing/program.hpp"

namespace sotto::cloud::server {
namespace {

using nlohmann::json;
using testing::eventually;
using testing::Folder;
using testing::has;
using testing::Program;
using testing::read_text;

const std::string kCloud = std::string{SOTTO_BINARY_DIR} + "/bin/sotto-cloud";
constexpr const char* kPassword = "correct horse";

class Users : public ::testing::Test {
  protected:
    Users() {
        EXPECT_EQ(operate({"init"}).code, 0);
        EXPECT_EQ(operate({"account", "add", "ann"}).code, 0);
    }
    testing::Run operate(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"--state", folder_ / "cloud"});
        return testing::run(kCloud, arguments);
    }
    testing::Run set_password(const std::string& name, const std::string& password) const {
        std::ofstream{folder_ / "password"} << password << "\nand more";
        return operate({"account", "password", name, "--password-file", folder_ / "password"});
    }
    void start() {
        const std::string ports = folder_ / "ports";
        program_ = std::make_unique<Program>(kCloud,
                                             std::vector<std::string>{"run",
                                                                      "--state",
                                                                      folder_ / "cloud",
                                                                      "--http",
                                                                      "127.0.0.1:0",
                                                                      "--devices",
                                                                      "127.0.0.1:0",
                                                                      "--ports-file",
                                                                      ports},
                                             folder_ / "log");
        ASSERT_TRUE(eventually([&] { return has(read_text(ports), "devices="); }));
        const std::string text = read_text(ports);
        http_ = {boost::asio::ip::address_v4::loopback(),
                 static_cast<std::uint16_t>(std::stoi(text.substr(text.find("127.0.0.1:") + 10)))};
    }
    HttpReply log_in(const std::string& user, const std::string& password) const {
        const std::string body =
            "grant_type=password&client_id=particle&username=" + user + "&password=" + password;
        RawClient client{http_};
        client.send(
            "POST /oauth/token HTTP/1.1\r\nHost: cloud\r\nConnection: close\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body);
        return reply_of(client.read_reply());
    }
    static std::string token_in(const HttpReply& reply) {
        return json::parse(reply.text.substr(reply.text.find("\r\n\r\n")))["access_token"];
    }

    Folder folder_;
    std::unique_ptr<Program> program_;
    Endpoint http_;
};

TEST_F(Users, TheOperatorManagesAccounts) {
    set_password("ann", kPassword);
    EXPECT_EQ(operate({"account", "list"}).output,
              "ann  0 devices\nowner  0 devices  no password\n");
    EXPECT_EQ(operate({"account", "promote", "nobody"}).code, 1);
    EXPECT_EQ(operate({"account", "promote", "ann"}).code, 0);
    start();
    const std::string token = token_in(log_in("ann", "correct%20horse"));
    const auto get = [&](const std::string& target) {
        RawClient client{http_};
        client.send("GET " + target + " HTTP/1.1\r\nHost: cloud\r\nConnection: close\r\n" +
                    "Authorization: Bearer " + token + "\r\n\r\n");
        return reply_of(client.read_reply()).text;
    };
    EXPECT_TRUE(has(get("/v1/users"), "\"username\":\"owner\""));
    const auto running = operate({"account", "remove", "ann"});
    EXPECT_EQ(running.code, 1);
    EXPECT_TRUE(has(running.output, "the cloud is running"));
    EXPECT_EQ(operate({"account", "disable", "ann"}).code, 0);
    EXPECT_TRUE(has(log_in("ann", "correct%20horse").text, "invalid_grant"));
    EXPECT_TRUE(eventually([&] { return has(get("/v1/users"), "invalid_token"); }));
    EXPECT_TRUE(
        has(operate({"account", "list"}).output, "ann  0 devices  administrator  disabled"));
    EXPECT_EQ(operate({"account", "enable", "ann"}).code, 0);
    EXPECT_EQ(operate({"account", "demote", "ann"}).code, 0);
    EXPECT_TRUE(eventually([&] { return has(get("/v1/users"), "this is for administrators"); }));
    program_.reset();
    EXPECT_EQ(operate({"account", "remove", "ann"}).code, 0);
    EXPECT_EQ(operate({"account", "list"}).output, "owner  0 devices  no password\n");
    EXPECT_EQ(operate({"account", "remove", "ann"}).code, 1);
    EXPECT_TRUE(has(operate({"audit"}).output, " account-remove done ann"));
}

TEST_F(Users, LogInOnceTheyHaveAPasswordAndAreOutWhenItChanges) {
    start();
    EXPECT_EQ(log_in("ann", "correct+horse").status, 400) << "there is no default password";
    EXPECT_EQ(log_in("ann", "").status, 400);
    ASSERT_EQ(set_password("ann", kPassword).code, 0);
    const HttpReply in = log_in("ann", "correct+horse");
    ASSERT_EQ(in.status, 200) << in.text;
    EXPECT_EQ(log_in("ann", "correct+horse%0Aand+more").status, 400);
    EXPECT_EQ(log_in("owner", "correct+horse").status, 400);
    const std::string token = token_in(in);
    EXPECT_EQ(ask(http_, "GET /v1/user", token).status, 200);
    ASSERT_EQ(set_password("ann", "battery staple").code, 0);
    EXPECT_TRUE(eventually([&] { return ask(http_, "GET /v1/user", token).status == 401; }));
    EXPECT_EQ(log_in("ann", "correct+horse").status, 400);
}

TEST_F(Users, TheOperatorIsToldWhatIsWrong) {
    const testing::Run unknown = set_password("eve", kPassword);
    EXPECT_EQ(unknown.code, 1);
    EXPECT_TRUE(has(unknown.output, "sotto-cloud account add eve")) << unknown.output;
    for (const std::string& password : {std::string{}, std::string{"short"}, std::string(257, 'x')})
        EXPECT_TRUE(has(set_password("ann", password).output, "8 to 256 bytes"));
    const testing::Run no_file =
        operate({"account", "password", "ann", "--password-file", folder_ / "nothing"});
    EXPECT_EQ(no_file.code, 1);
    EXPECT_EQ(operate({"audit", "--account", "eve"}).code, 1);
    const testing::Run no_cloud = testing::run(kCloud, {"audit", "--state", folder_ / "none"});
    EXPECT_EQ(no_cloud.code, 1);
    EXPECT_TRUE(has(no_cloud.output, "sotto-cloud init")) << no_cloud.output;
}

TEST_F(Users, TheAuditLogSaysWhoCameAndHoldsNoSecret) {
    start();
    ASSERT_EQ(set_password("ann", kPassword).code, 0);
    log_in("ann", "wrong+password");
    log_in("x%0A2026-01-01T00:00:00.000Z", "wrong+password");
    const std::string token = token_in(log_in("ann", "correct+horse"));
    std::string log;
    EXPECT_TRUE(eventually([&] {
        log = operate({"audit"}).output;
        return has(log, "login done");
    }));
    EXPECT_TRUE(has(log, " 127.0.0.1 account=- login refused ann\n")) << log;
    EXPECT_TRUE(has(log, " login refused x?2026-01-01T00:00:00.000Z\n")) << log;
    EXPECT_TRUE(has(log, " account=2 login done particle\n")) << log;
    EXPECT_EQ(std::ranges::count(log, '\n'), 3);
    for (const std::string& secret : {std::string{"horse"}, std::string{"wrong"}, token})
        EXPECT_FALSE(has(log + read_text(folder_ / "log"), secret)) << secret;
    EXPECT_EQ(std::ranges::count(operate({"audit", "--account", "ann"}).output, '\n'), 1);
    EXPECT_EQ(std::ranges::count(operate({"audit", "--count", "2"}).output, '\n'), 2);
}

TEST_F(Users, AStreamEndsWithTheCloud) {
    start();
    ASSERT_EQ(set_password("ann", kPassword).code, 0);
    const std::string token = token_in(log_in("ann", "correct+horse"));
    RawClient reader{http_};
    reader.send("GET /v1/events HTTP/1.1\r\nHost: cloud\r\nAuthorization: Bearer " + token +
                "\r\n\r\n");
    EXPECT_TRUE(
        eventually([&] { return has(operate({"status", "--json"}).output, "\"streams\":1"); }));
    program_->signal(SIGTERM);
    EXPECT_TRUE(has(reader.read_all(), ":ok\n\n"));
}

}  // namespace
}  // namespace sotto::cloud::server
