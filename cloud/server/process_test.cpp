// SPDX-License-Identifier: Apache-2.0
// sotto-cloud as its operator meets it: real processes, ended at any moment.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cloud/server/blocking_store.hpp"
#include "cloud/server/clients_test.hpp"
#include "cloud/server/clock.hpp"
#include "cloud/server/own_authority.hpp"
#include "cloud/server/state.hpp"
#include "testing/program.hpp"

namespace sotto::cloud::server {
namespace {

namespace fs = std::filesystem;
using testing::eventually;
using testing::Folder;
using testing::has;
using testing::Program;
using testing::read_text;

const std::string kProgram = std::string{SOTTO_BINARY_DIR} + "/bin/sotto-cloud";

testing::Run cloud(const std::vector<std::string>& arguments) {
    return testing::run(kProgram, arguments);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// What the ports file says about one of the two.
Endpoint endpoint_of(const std::string& ports, const std::string& name) {
    const std::size_t begin = ports.find(name + "=127.0.0.1:") + name.size() + 11;
    const auto port = static_cast<std::uint16_t>(std::stoi(ports.substr(begin)));
    return {boost::asio::ip::address_v4::loopback(), port};
}

class ProcessTest : public ::testing::Test {
  protected:
    const std::string& state() const { return state_; }
    std::string log() const { return read_text(folder_ / "log"); }

    void init() { ASSERT_EQ(cloud({"init", "--state", state_}).code, 0); }
    // Starts the cloud and waits until it listens.
    std::unique_ptr<Program> start(const std::vector<std::string>& more = {}) {
        const std::string ports = folder_ / "ports";
        fs::remove(ports);
        std::vector<std::string> arguments{"run",
                                           "--state",
                                           state_,
                                           "--http",
                                           "127.0.0.1:0",
                                           "--devices",
                                           "127.0.0.1:0",
                                           "--ports-file",
                                           ports};
        arguments.insert(arguments.end(), more.begin(), more.end());
        auto program = std::make_unique<Program>(kProgram, arguments, folder_ / "log");
        EXPECT_TRUE(eventually([&] { return !read_text(ports).empty(); })) << log();
        const std::string text = read_text(ports);
        http_ = endpoint_of(text, "http");
        devices_ = endpoint_of(text, "devices");
        return program;
    }
    std::string token(const std::string& name = "owner") const {
        return first_line(read_text(state_ + "/" + name + ".token"));
    }
    HttpReply ask(const std::string& line, const std::string& token) const {
        return server::ask(http_, line, token);
    }
    void expect_service() const {
        EXPECT_EQ(ask("GET /sotto/v1/cloud", token()).status, 200);
        EXPECT_TRUE(GatewayClient{devices_}.sign_in(token("gateway")));
    }
    // What is said about a run that cannot be.
    std::string complaint(const std::vector<std::string>& more = {}) const {
        std::vector<std::string> arguments{"run", "--state", state_};
        for (const char* option : {"--http", "--devices"}) {
            if (std::ranges::find(more, option) != more.end()) continue;
            arguments.insert(arguments.end(), {option, "127.0.0.1:0"});
        }
        arguments.insert(arguments.end(), more.begin(), more.end());
        const auto run = cloud(arguments);
        EXPECT_EQ(run.code, 1) << run.output;
        return run.output;
    }

    Folder folder_;
    std::string state_ = folder_ / "cloud";
    Endpoint http_;
    Endpoint devices_;
};

using Init = ProcessTest;
using Running = ProcessTest;

TEST_F(Init, MakesACloudThatOnlyItsUserCanRead) {
    init();
    for (const char* name : {"", "/cloud.db", "/owner.token", "/gateway.token", "/keys/journal"}) {
        struct stat status{};
        ASSERT_EQ(::stat((state() + name).c_str(), &status), 0) << name;
        EXPECT_EQ(status.st_mode & 077, 0U) << name;
    }
    EXPECT_EQ(token().size(), 64U);
    EXPECT_NE(token(), token("gateway"));
    const auto running = start();
    expect_service();
    EXPECT_EQ(running->stop(SIGTERM), 0);
}

TEST_F(Init, RefusesToOverwrite) {
    init();
    const std::string before = token();
    const auto again = cloud({"init", "--state", state()});
    EXPECT_EQ(again.code, 1);
    EXPECT_TRUE(has(again.output, "holds a cloud already")) << again.output;
    EXPECT_EQ(token(), before);
}

TEST_F(Init, KilledAtAnyMomentItIsWholeOrDoneAgain) {
    int finished = 0;
    // Later and later, until there is nothing left to cut short, however busy the machine is.
    for (int pause_us = 0; finished < 3 && pause_us < 5'000'000; pause_us += pause_us / 4 + 1'500) {
        {
            Program program{kProgram, {"init", "--state", state()}, folder_ / "log"};
            std::this_thread::sleep_for(std::chrono::microseconds{pause_us});
            program.stop(SIGKILL);
        }
        if (fs::exists(state() + "/cloud.db")) {
            ++finished;
        } else {
            EXPECT_TRUE(has(complaint(), "sotto-cloud init --state"));
            init();
        }
        const auto running = start();
        expect_service();
        running->stop(SIGKILL);
        fs::remove_all(state());
    }
    EXPECT_EQ(finished, 3);
}

TEST_F(Running, WhatWasAnsweredSurvivesAKill) {
    init();
    std::vector<std::string> claims;
    for (int round = 0; round < 5; ++round) {
        const auto running = start();
        for (int i = 0; i < 4; ++i) {
            const std::string text = ask("POST /sotto/v1/claims", token()).text;
            const auto body = nlohmann::json::parse(text.substr(text.find("\r\n\r\n") + 4));
            claims.push_back(body["claim"].get<std::string>());
        }
        running->stop(SIGKILL);
    }
    Waiter waiter;
    const auto store = open_store(state(), waiter.executor());
    ASSERT_TRUE(store);
    for (std::size_t i = 0; i < claims.size(); ++i) {
        model::ClaimCode code;
        for (std::size_t k = 0; k < code.bytes.size(); ++k)
            code.bytes[k] =
                static_cast<std::uint8_t>(std::stoi(claims[i].substr(2 * k, 2), nullptr, 16));
        const auto registered = waiter.wait_for<model::Registration>([&](auto done) {
            const auto number = static_cast<std::uint8_t>(i + 1);
            (*store)->redeem_claim(code, {number}, {number}, SteadyClock{}.now(), std::move(done));
        });
        EXPECT_TRUE(registered) << i;
    }
}

TEST_F(Running, StopsWhenAskedWithWhoeverIsConnected) {
    init();
    for (const int signal : {SIGTERM, SIGINT}) {
        const auto running = start();
        GatewayClient gateway{devices_};
        EXPECT_TRUE(gateway.sign_in(token("gateway")));
        AppClient app{http_, token()};
        RawClient silent{http_};
        EXPECT_EQ(running->stop(signal), 0) << log();
        EXPECT_TRUE(app.is_ended());
        EXPECT_TRUE(gateway.is_ended());
    }
}

TEST_F(Running, TokensAreAddedMeanwhile) {
    init();
    const auto running = start();
    const auto account = cloud({"account", "add", "bob", "--state", state()});
    EXPECT_EQ(account.code, 0) << account.output;
    const auto gateway = cloud({"gateway", "add", "hall", "--account", "bob", "--state", state()});
    EXPECT_EQ(gateway.code, 0) << gateway.output;
    const auto token_in = [](const std::string& output) {
        return first_line(output.substr(output.find(":\n") + 2));
    };
    EXPECT_EQ(ask("GET /sotto/v1/cloud", token_in(account.output)).status, 200);
    EXPECT_EQ(ask("GET /sotto/v1/cloud", token_in(gateway.output)).status, 401);
    EXPECT_TRUE(GatewayClient{devices_}.sign_in(token_in(gateway.output)));
    const auto again = cloud({"account", "add", "bob", "--state", state()});
    EXPECT_EQ(again.code, 1);
    EXPECT_TRUE(has(again.output, "choose another name")) << again.output;
    const auto nobody = cloud({"gateway", "add", "attic", "--account", "eve", "--state", state()});
    EXPECT_EQ(nobody.code, 1);
    EXPECT_TRUE(has(nobody.output, "sotto-cloud account add eve")) << nobody.output;
}

TEST_F(Running, WhatItCannotDoItSays) {
    EXPECT_TRUE(has(complaint(), "there is no cloud in"));
    init();
    EXPECT_TRUE(has(complaint({"--certificate", "/nowhere/file"}), "--key"));
    EXPECT_TRUE(has(complaint({"--certificate", "/nowhere/file", "--key", "x"}), "/nowhere/file"));
    EXPECT_TRUE(has(complaint({"--devices", "0.0.0.0:0", "--insecure"}), "--address"));
    EXPECT_TRUE(has(complaint({"--http", "nowhere"}), "must be ADDRESS:PORT"));
    EXPECT_TRUE(has(complaint({"--http", "127.0.0.1:70000"}), "must be ADDRESS:PORT"));
    EXPECT_TRUE(has(complaint({"--capture", "/nowhere/file"}), "--capture"));
    EXPECT_TRUE(has(complaint({"--ports-file", "/nowhere/file"}), "--ports-file"));
    EXPECT_EQ(cloud({}).code, 2);
    EXPECT_EQ(cloud({"account", "add"}).code, 2);
    EXPECT_EQ(cloud({"run", "--state", state(), "--what"}).code, 2);
    const auto running = start();
    EXPECT_TRUE(has(complaint(), "in use by process"));
    expect_service();
    running->stop(SIGTERM);
}

TEST_F(Running, TheFileSetsWhatTheCommandLineDoesNot) {
    init();
    const std::string file = folder_ / "my.toml";
    std::ofstream{file} << "capture = \"/nowhere/file\"\nports-file = \"/nowhere/ports\"\n";
    EXPECT_TRUE(has(complaint({"--settings", file}), "--capture /nowhere/file"));
    EXPECT_TRUE(has(complaint({"--settings", file, "--capture", folder_ / "x"}), "--ports-file"));
    const std::string usual = state() + "/sotto-cloud.toml";
    fs::copy(file, usual);
    EXPECT_TRUE(has(complaint(), "--capture /nowhere/file"));
    std::ofstream{usual} << "\nhttps = \"127.0.0.1:1\"\n";
    const auto refused = cloud({"run", "--state", state()});
    EXPECT_EQ(refused.code, 2);
    EXPECT_TRUE(has(refused.output, usual + ":2: there is no setting https")) << refused.output;
    EXPECT_EQ(cloud({"run", "--state", state(), "--settings", "/nowhere"}).code, 2);
}

TEST_F(Running, TheSettingsAreAsDocumented) {
    const auto printed = cloud({"settings", "--state", state()});
    EXPECT_EQ(printed.code, 0);
    const std::string source = SOTTO_SOURCE_DIR;
    EXPECT_EQ(printed.output, read_text(source + "/packaging/sotto-cloud.toml"));
    EXPECT_TRUE(has(read_text(source + "/docs/settings.md"), printed.output));
    const std::string file = folder_ / "my.toml";
    std::ofstream{file} << "insecure = true\n";
    const std::string mine = cloud({"settings", "--settings", file}).output;
    EXPECT_TRUE(has(mine, "\ninsecure = true\n")) << mine;
}

TEST_F(Running, BeyondThisMachineItSpeaksTlsOrSaysWhatIsMissing) {
    init();
    fs::remove_all(state() + "/tls");
    EXPECT_TRUE(has(complaint({"--http", "0.0.0.0:0"}), "sotto-cloud certificate --state"));
    EXPECT_TRUE(has(complaint({"--devices", "[::]:0"}), "--insecure"));
    EXPECT_EQ(cloud({"certificate", "--state", state(), "--host", "home.example"}).code, 0);
    const auto text = cloud({"certificate", "--state", state()});
    EXPECT_EQ(text.code, 0);
    EXPECT_TRUE(has(text.output, " home.example\n")) << text.output;
    EXPECT_TRUE(has(text.output, to_string(read_own_certificate(state())->authority)));
    EXPECT_EQ(cloud({"certificate", "--state", state(), "--host", "a b"}).code, 1);
}

TEST_F(Running, ACertificateIsReplacedWhileItServes) {
    init();
    const auto running = start({"--tls"});
    EXPECT_EQ(ask("GET /sotto/v1/health", token()).status, 426) << "spoken to in the clear";
    const std::string path = own_certificate_path(state());
    const std::string good = read_text(path);
    const auto rename_over = [&](const std::string& content) {
        std::ofstream{path + ".other"} << content;
        fs::rename(path + ".other", path);
        running->signal(SIGHUP);
    };
    rename_over(good.substr(0, good.size() / 2));
    EXPECT_TRUE(eventually([&] { return has(log(), "replaced: "); })) << log();
    EXPECT_NE(read_text(path), good);
    EXPECT_EQ(cloud({"certificate", "--state", state(), "--host", "new.example"}).code, 0);
    running->signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return has(log(), "new.example"); })) << log();
    EXPECT_EQ(running->stop(SIGTERM), 0);
}

TEST_F(Running, APortInUseIsNamed) {
    init();
    const auto running = start();
    const std::string taken = "127.0.0.1:" + std::to_string(devices_.port());
    state_ = folder_ / "other";
    init();
    const std::string text = complaint({"--devices", taken});
    EXPECT_TRUE(has(text, taken + ": the port is in use")) << text;
}

TEST_F(Running, DamageIsReportedAndLeftAsItIs) {
    init();
    for (const char* name : {"/cloud.db", "/keys/journal"}) {
        const std::string path = state() + name;
        const std::string whole = read_text(path);
        std::string damaged = whole;
        for (std::size_t i = 0; i < 200; ++i) damaged[i] = static_cast<char>(i * 7);
        std::ofstream{path, std::ios::binary} << damaged;
        EXPECT_TRUE(has(complaint(), "is damaged")) << complaint();
        EXPECT_EQ(read_text(path), damaged);
        std::ofstream{path, std::ios::binary} << whole;
        const auto running = start();
        expect_service();
        running->stop(SIGTERM);
    }
}

TEST_F(Running, ACopyServesAndForgetsItsSessions) {
    init();
    fs::copy(state(), folder_ / "copy", fs::copy_options::recursive);
    state_ = folder_ / "copy";
    const model::DeviceId device{7};
    {
        Waiter waiter;
        const auto store = open_store(state(), waiter.executor());
        ASSERT_TRUE(store);
        EXPECT_TRUE(waiter.wait_for<void>(
            [&](auto done) { (*store)->save_link_context(device, {1, 2, 3}, std::move(done)); }));
    }
    for (int round = 0; round < 2; ++round) {
        const auto running = start();
        expect_service();
        running->stop(SIGTERM);
    }
    Waiter waiter;
    const auto store = open_store(state(), waiter.executor());
    ASSERT_TRUE(store);
    using Context = std::optional<std::vector<std::uint8_t>>;
    const auto context = waiter.wait_for<Context>(
        [&](auto done) { (*store)->load_link_context(device, std::move(done)); });
    EXPECT_EQ(*context, std::nullopt);
}

TEST_F(Running, TheCaptureHoldsEverythingButTokens) {
    init();
    const std::string capture = folder_ / "capture";
    const auto running = start({"--capture", capture});
    GatewayClient gateway{devices_};
    EXPECT_TRUE(gateway.sign_in(token("gateway")));
    const framing::DeviceId device{0xd1};
    gateway.write(uplink::LinkUp{.link = uplink::LinkId{1}, .attach = {.device_id = device}});
    AppClient app{http_, token()};
    app.send(framing::DeviceId{0xee}, "marker");
    static_cast<void>(app.read<channel::Outcome>());
    EXPECT_TRUE(eventually([&] { return has(read_text(capture), "gateway>cloud d1"); }));
    running->stop(SIGTERM);
    const std::string text = read_text(capture);
    EXPECT_TRUE(has(text, "gateway>cloud - - 0101\n")) << text;
    EXPECT_TRUE(has(text, "cloud>gateway - - 02"));
    EXPECT_TRUE(has(text, "app>cloud ee0000000000000000000000 - 01"));
    EXPECT_TRUE(has(text, "6d61726b6572\n"));
    EXPECT_TRUE(has(text, "cloud>app - - 0200000001"));
    for (const char* name : {"owner", "gateway"}) {
        EXPECT_FALSE(has(text, token(name)));
        EXPECT_FALSE(has(log(), token(name)));
    }
}

}  // namespace
}  // namespace sotto::cloud::server
