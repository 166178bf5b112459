// SPDX-License-Identifier: Apache-2.0
// From a spark-server's data folder to a cloud that its users, their programs and devices go on
// with.
#include <filesystem>
#include <fstream>
#include <regex>

#include <gtest/gtest.h>

#include "cloud/particle_openssl/keys.hpp"
#include "cloud/server/blocking_store.hpp"
#include "cloud/server/clients_test.hpp"
#include "cloud/server/clock.hpp"
#include "cloud/server/particle_keys.hpp"
#include "cloud/server/state.hpp"
#include "testing/program.hpp"

namespace sotto::cloud::server {
namespace {

using testing::eventually;
using testing::Folder;
using testing::has;
using testing::Program;
using testing::read_text;

const std::string kCloud = std::string{SOTTO_BINARY_DIR} + "/bin/sotto-cloud";
constexpr const char* kTokenOfAnn = "d961efc8b857a7cb92096c2fb077208b9540d3d4";

class Import : public ::testing::Test {
  protected:
    Import() {
        std::filesystem::create_directories(folder_ / "there/data");
        std::filesystem::copy(std::string{SOTTO_SOURCE_DIR} + "/tests/spark_server/db",
                              folder_ / "there/data/db");
        // Else this test would end with the tokens.
        const std::string users = folder_ / "there/data/db/users.db";
        const std::string text = std::regex_replace(
            read_text(users), std::regex{"18037663\\d{5}"}, std::to_string(tomorrow()));
        std::ofstream{users} << text;
        std::ofstream{folder_ / "there/data/default_key.pem"} << key_.private_pem();
        EXPECT_EQ(operate({"init"}).code, 0);
    }
    static std::int64_t tomorrow() { return SteadyClock{}.now().ms + days(1).ms; }
    testing::Run operate(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"--state", folder_ / "cloud"});
        return testing::run(kCloud, arguments);
    }
    testing::Run import(std::vector<std::string> options = {}) const {
        options.insert(options.begin(), {"import", folder_ / "there"});
        return operate(options);
    }
    std::string line_of_password(const std::string& user) const {
        Waiter waiter;
        const auto store = open_store(folder_ / "cloud", waiter.executor());
        const auto login = waiter.wait_for<model::Login>(
            [&](auto done) { (*store)->find_login(user, std::move(done)); });
        return login ? login->password : "nobody";
    }
    void start() {
        const std::string ports = folder_ / "ports";
        std::filesystem::remove(ports);
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
    std::string get(const std::string& target) const {
        RawClient client{http_};
        client.send("GET " + target + " HTTP/1.1\r\nHost: cloud\r\nConnection: close\r\n" +
                    "Authorization: Bearer " + kTokenOfAnn + "\r\n\r\n");
        return reply_of(client.read_reply()).text;
    }
    std::string log_in(const std::string& user, const std::string& password) const {
        const std::string body =
            "grant_type=password&client_id=spark-server&username=" + user + "&password=" + password;
        RawClient client{http_};
        client.send(
            "POST /oauth/token HTTP/1.1\r\nHost: cloud\r\nConnection: close\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body);
        return reply_of(client.read_reply()).text;
    }

    Folder folder_;
    particle_openssl::ServerKey key_ = *particle_openssl::ServerKey::generate();
    std::unique_ptr<Program> program_;
    Endpoint http_;
};

TEST_F(Import, UsersProgramsAndDevicesGoOnAsTheyWere) {
    const auto imported = import();
    ASSERT_EQ(imported.code, 0) << imported.output;
    EXPECT_TRUE(has(imported.output, "user      ann@example.com               came"));
    EXPECT_TRUE(has(imported.output, "calls no public address"));
    EXPECT_EQ(read_particle_key(folder_ / "cloud")->public_der(), key_.public_der());
    EXPECT_TRUE(has(operate({"keys", "list"}).output, "0123456789abcdef00000003"));
    EXPECT_EQ(line_of_password("__admin__"), "") << "the password that everybody knows";
    EXPECT_TRUE(line_of_password("ann@example.com").starts_with("$pbkdf2-sha256$"));
    start();
    EXPECT_TRUE(has(get("/v1/devices"), "\"name\":\"lamp\""));
    EXPECT_FALSE(has(get("/v1/devices"), "0123456789abcdef00000002")) << "is ben's";
    EXPECT_TRUE(has(get("/v1/integrations"), "\"event\":\"temp\""));
    EXPECT_TRUE(has(log_in("ann@example.com", "wrong"), "invalid_grant"));
    EXPECT_TRUE(has(log_in("__admin__", "adminPassword"), "invalid_grant"));
    EXPECT_TRUE(has(log_in("ann@example.com", "correct%20horse"), "access_token"));
    EXPECT_TRUE(
        eventually([&] { return line_of_password("ann@example.com").starts_with("$scrypt$"); }));
    EXPECT_TRUE(has(log_in("ann@example.com", "correct%20horse"), "access_token"));
    EXPECT_TRUE(line_of_password("ben@example.com").starts_with("$pbkdf2-sha256$"));
    const auto busy = import();
    EXPECT_EQ(busy.code, 1);
    EXPECT_TRUE(has(busy.output, "the cloud is running"));
    EXPECT_EQ(import({"--dry-run"}).code, 0);
    EXPECT_TRUE(has(operate({"audit"}).output, " import done spark-server"));
}

TEST_F(Import, ADryRunSaysTheSameAndTakesNothing) {
    const std::string dry = import({"--dry-run"}).output;
    EXPECT_TRUE(has(dry, "user      ann@example.com               would come"));
    EXPECT_TRUE(has(dry, "Nothing was changed."));
    EXPECT_EQ(line_of_password("ann@example.com"), "nobody");
    EXPECT_EQ(operate({"keys", "list"}).output, "");
    EXPECT_NE(read_particle_key(folder_ / "cloud")->public_der(), key_.public_der());
    std::string wet = import().output;
    std::string expected = std::regex_replace(dry, std::regex{"would come"}, "came");
    expected = expected.substr(0, expected.find("Nothing"));
    EXPECT_EQ(wet.substr(0, expected.size()), expected);
}

TEST_F(Import, TheSecondTimeNothingChanges) {
    ASSERT_EQ(import().code, 0);
    const std::string line = line_of_password("ann@example.com");
    const auto again = import({"--user",
                               "ann@example.com=ann@example.com",
                               "--user",
                               "ben@example.com=ben@example.com",
                               "--user",
                               "__admin__=__admin__"});
    EXPECT_EQ(again.code, 0);
    EXPECT_FALSE(has(again.output, "came\n"));
    EXPECT_TRUE(has(again.output, "0 came, 1 are here already, 0 left out"));
    EXPECT_TRUE(has(again.output, "lamp  is here already"));
    EXPECT_EQ(line_of_password("ann@example.com"), line);
}

// Anybody could register there under the name of somebody here.
TEST_F(Import, AnAccountThatIsHereIsLeftAloneUnlessTheOperatorSaysWhoseItIs) {
    ASSERT_EQ(operate({"account", "add", "ann@example.com"}).code, 0);
    const auto alone = import();
    EXPECT_EQ(alone.code, 0);
    EXPECT_TRUE(has(alone.output, "ann@example.com               left out: here is an account"));
    EXPECT_TRUE(has(alone.output, "0 came, 0 are here already, 1 left out"));
    start();
    EXPECT_TRUE(has(get("/v1/devices"), "invalid_token"));
    program_.reset();
    const auto named = import({"--user", "ann@example.com=ann@example.com"});
    EXPECT_TRUE(has(named.output, "ann@example.com               is here already"));
    EXPECT_TRUE(has(named.output, "lamp  came"));
    EXPECT_EQ(line_of_password("ann@example.com"), "") << "it stays as it was";
    start();
    EXPECT_TRUE(has(get("/v1/devices"), "\"name\":\"lamp\""));
}

TEST_F(Import, WhatIsNoSuchServerIsRefusedAndNothingComes) {
    const auto refused = [&](const std::string& words) {
        const auto run = import();
        EXPECT_EQ(run.code, 1);
        EXPECT_TRUE(has(run.output, words)) << run.output;
        EXPECT_EQ(line_of_password("ben@example.com"), "nobody");
    };
    std::ofstream{folder_ / "there/data/default_key.pem"} << "no key";
    refused("no RSA key of 2048 bits");
    std::filesystem::remove(folder_ / "there/data/default_key.pem");
    std::ofstream{folder_ / "there/data/db/webhooks.db"} << "no\njson\n";
    refused("webhooks.db: more than a tenth");
    std::filesystem::remove_all(folder_ / "there/data");
    refused("there is no db/users.db");
    std::filesystem::create_directories(folder_ / "there/users");
    refused("migrateFilesToDatabase");
}

TEST_F(Import, WithoutAKeyOfTheServerItSaysSo) {
    std::filesystem::remove(folder_ / "there/data/default_key.pem");
    const auto imported = import();
    EXPECT_EQ(imported.code, 0);
    EXPECT_TRUE(has(imported.output, "There is no default_key.pem"));
}

}  // namespace
}  // namespace sotto::cloud::server
