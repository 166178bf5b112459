// SPDX-License-Identifier: Apache-2.0
// What an operator does with a cloud that runs: look at it, back it up, end it, put it back.
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <list>
#include <sys/stat.h>

#include <boost/asio/local/datagram_protocol.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cloud/server/blocking_store.hpp"
#include "cloud/server/clients_test.hpp"
#include "cloud/server/clock.hpp"
#include "cloud/server/keys.hpp"
#include "cloud/server/limits.hpp"
#include "cloud/server/state.hpp"
#include "testing/exposition.hpp"
#include "testing/program.hpp"

namespace sotto::cloud::server {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::eventually;
using testing::Folder;
using testing::has;
using testing::Program;
using testing::read_text;

const std::string kCloud = std::string{SOTTO_BINARY_DIR} + "/bin/sotto-cloud";
constexpr model::DeviceId kDevice{7};

testing::Run cloud(const std::vector<std::string>& arguments) {
    return testing::run(kCloud, arguments);
}

class OperatorTest : public ::testing::Test {
  protected:
    std::string log() const { return read_text(folder_ / "log"); }
    void init() { ASSERT_EQ(cloud({"init", "--state", state_}).code, 0); }

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
        auto program = std::make_unique<Program>(kCloud, arguments, folder_ / "log");
        EXPECT_TRUE(eventually([&] { return has(read_text(ports), "devices="); })) << log();
        http_ = endpoint("http");
        devices_ = endpoint("devices");
        return program;
    }
    Endpoint endpoint(const std::string& name) const {
        const std::string ports = read_text(folder_ / "ports");
        const std::size_t begin = ports.find(name + "=127.0.0.1:") + name.size() + 11;
        return {boost::asio::ip::address_v4::loopback(),
                static_cast<std::uint16_t>(std::stoi(ports.substr(begin)))};
    }
    std::string token(const std::string& name = "owner") const {
        const std::string text = read_text(folder_ / ("cloud/" + name + ".token"));
        return text.substr(0, text.find('\n'));
    }
    HttpReply ask(const std::string& line, const std::string& with = {}) const {
        return server::ask(http_, line, with);
    }
    testing::Run on_state(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"--state", state_});
        return cloud(arguments);
    }
    json doctor() const {
        return json::parse(
            on_state({"doctor", "--json", "--http", "127.0.0.1:0", "--devices", "127.0.0.1:0"})
                .output);
    }
    std::string verdict_about(const std::string& about) const {
        std::string worst = "good";
        const json report = doctor();
        for (const json& finding : report["findings"]) {
            if (finding["about"] != about || finding["verdict"] == "good") continue;
            EXPECT_NE(finding["next"], json{}) << "it says what to do";
            if (worst != "bad") worst = finding["verdict"].get<std::string>();
        }
        EXPECT_EQ(report["healthy"].get<bool>(), worst != "bad");
        return worst;
    }
    // What is in the database while no cloud runs.
    template <class Function>
    auto with_store(Function function) const {
        Waiter waiter;
        const auto store = open_store(state_, waiter.executor());
        EXPECT_TRUE(store);
        return function(**store, waiter);
    }
    void save_context() const {
        with_store([](auto& store, Waiter& waiter) {
            EXPECT_TRUE(waiter.wait_for<void>(
                [&](auto done) { store.save_link_context(kDevice, {1, 2, 3}, std::move(done)); }));
        });
    }
    bool has_context() const {
        using Context = std::optional<std::vector<std::uint8_t>>;
        return with_store([](auto& store, Waiter& waiter) {
            const auto context = waiter.wait_for<Context>(
                [&](auto done) { store.load_link_context(kDevice, std::move(done)); });
            return context->has_value();
        });
    }
    void start_and_stop() { EXPECT_EQ(start()->stop(SIGTERM), 0) << log(); }

    Folder folder_;
    std::string state_ = folder_ / "cloud";
    Endpoint http_;
    Endpoint devices_;
};

using Status = OperatorTest;
using Ending = OperatorTest;
using Backup = OperatorTest;
using Doctor = OperatorTest;
using Watching = OperatorTest;

TEST_F(Status, SaysWhenNoCloudRuns) {
    const auto nothing = on_state({"status"});
    EXPECT_EQ(nothing.code, 1);
    EXPECT_TRUE(has(nothing.output, "no cloud runs in " + state_)) << nothing.output;
    init();
    start()->stop(SIGKILL);  // and leaves its socket behind
    const auto killed = on_state({"status"});
    EXPECT_EQ(killed.code, 1);
    EXPECT_TRUE(has(killed.output, "sotto-cloud run")) << killed.output;
}

TEST_F(Status, SaysWhoIsHereAndWhatIsStored) {
    init();
    const auto running = start();
    GatewayClient gateway{devices_};
    EXPECT_TRUE(gateway.sign_in(token("gateway")));
    AppClient app{http_, token()};
    EXPECT_TRUE(app.is_open());
    const auto asked = on_state({"status", "--json"});
    EXPECT_EQ(asked.code, 0);
    const json status = json::parse(asked.output);
    EXPECT_EQ(status["version"], "0.1.0");
    EXPECT_EQ(status["process"], running->id());
    EXPECT_GE(status["uptime_s"], 0);
    EXPECT_EQ(status["connected"]["gateways"], 1);
    EXPECT_EQ(status["connected"]["apps"], 1);
    EXPECT_EQ(status["connected"]["devices"], 0);
    EXPECT_EQ(status["database"]["accounts"], 1);
    EXPECT_EQ(status["database"]["letters"], 0);
    EXPECT_GT(status["database"]["bytes"], 4'096);
    EXPECT_EQ(status["certificate_expires_s"], json{});
    const std::string text = on_state({"status"}).output;
    EXPECT_TRUE(has(text, "1 signed in")) << text;
    struct stat socket{};
    ASSERT_EQ(::stat((state_ + "/control.sock").c_str(), &socket), 0);
    EXPECT_EQ(socket.st_mode & 0777U, 0600U);
    EXPECT_EQ(running->stop(SIGTERM), 0);
    EXPECT_FALSE(fs::exists(state_ + "/control.sock"));
}

TEST_F(Status, WorksInAFolderWithALongName) {
    state_ = folder_ / std::string(120, 'x');
    init();
    const auto running = start();
    EXPECT_EQ(on_state({"status"}).code, 0);
    running->stop(SIGTERM);
}

TEST_F(Ending, EverybodyIsToldGoodBye) {
    init();
    const auto running = start();
    GatewayClient gateway{devices_};
    EXPECT_TRUE(gateway.sign_in(token("gateway")));
    AppClient app{http_, token()};
    app.send(framing::DeviceId{0xee}, "marker");
    running->signal(SIGTERM);
    EXPECT_EQ(app.read<channel::Outcome>().code, channel::OutcomeCode::NotConnected);
    EXPECT_TRUE(app.is_ended());
    // RFC 6455 §7.4.1: 1001 is going away.
    EXPECT_EQ(app.socket().reason().code, 1001);
    EXPECT_TRUE(gateway.is_ended());
    gateway.raw().socket().close();
    EXPECT_EQ(running->wait(), 0);
    EXPECT_TRUE(has(log(), " info stopped\n")) << log();
}

TEST_F(Ending, WhoNeverAnswersDoesNotHoldItUp) {
    init();
    const auto running = start();
    GatewayClient gateway{devices_};
    EXPECT_TRUE(gateway.sign_in(token("gateway")));
    AppClient app{http_, token()};
    RawClient silent{http_};
    EXPECT_EQ(running->stop(SIGTERM), 0);
}

TEST_F(Ending, ASecondSignalEndsItAtOnce) {
    init();
    const auto running = start();
    AppClient app{http_, token()};
    running->signal(SIGTERM);
    EXPECT_TRUE(eventually([&] { return has(log(), " stopping "); }));
    running->signal(SIGTERM);
    EXPECT_EQ(running->wait(), 0);
    EXPECT_TRUE(has(log(), "stopping-at-once")) << log();
}

// Also while it does the last of its work; the last of all the system ends by itself.
TEST_F(Ending, ASecondSignalAtAnyMomentHoldsNothingUp) {
    init();
    for (int ms = 0; ms < 20; ++ms) {
        const auto running = start();
        running->signal(SIGTERM);
        std::this_thread::sleep_for(std::chrono::milliseconds(ms));
        running->signal(SIGTERM);
        const int code = running->wait();
        EXPECT_TRUE(code == 0 || code == 128 + SIGTERM) << code;
    }
}

TEST_F(Backup, BringsACloudBackWhileTheOldOneRuns) {
    init();
    save_context();
    const std::string owner = token();
    const std::string file = folder_ / "backup";
    const auto running = start();
    ASSERT_EQ(ask("POST /sotto/v1/claims", owner).status, 200);
    const std::string credential = ask("GET /sotto/v1/cloud", owner).text;
    ASSERT_EQ(on_state({"backup", file}).code, 0);
    struct stat status{};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    const auto again = on_state({"backup", file});
    EXPECT_EQ(again.code, 1);
    EXPECT_TRUE(has(again.output, "is there already")) << again.output;
    running->stop(SIGTERM);
    EXPECT_TRUE(has_context());
    const auto refused = on_state({"restore", file});
    EXPECT_EQ(refused.code, 1);
    EXPECT_TRUE(has(refused.output, "is not empty, and nothing was changed")) << refused.output;

    const std::string old_state = std::exchange(state_, folder_ / "new");
    ASSERT_EQ(on_state({"restore", file}).code, 0);
    EXPECT_FALSE(has_context());
    EXPECT_TRUE(fs::exists(state_ + "/tls/authority.pem"));
    for (const char* name : {"authority.pem", "authority.crt", "server.pem"})
        EXPECT_EQ(read_text(state_ + "/tls/" + name), read_text(old_state + "/tls/" + name));
    const auto restored = start();
    const auto part = [](const std::string& reply) {
        return json::parse(reply.substr(reply.find("\r\n\r\n") + 4))["credential"];
    };
    EXPECT_EQ(part(ask("GET /sotto/v1/cloud", owner).text), part(credential));
    EXPECT_EQ(json::parse(on_state({"status", "--json"}).output)["database"]["accounts"], 1);
    restored->stop(SIGTERM);
    const auto twice = on_state({"restore", file});
    EXPECT_EQ(twice.code, 1) << "nothing is overwritten";
}

TEST_F(Backup, IsSealedUnderAPassphrase) {
    init();
    const std::string file = folder_ / "backup";
    const std::string passphrase = folder_ / "passphrase";
    const std::string wrong = folder_ / "wrong";
    std::ofstream{passphrase} << "correct horse battery staple\n";
    std::ofstream{wrong} << "correct horse\n";
    ASSERT_EQ(on_state({"backup", file, "--passphrase-file", passphrase}).code, 0);
    EXPECT_TRUE(read_text(file).starts_with("SOTTO-BK"));
    EXPECT_FALSE(has(read_text(file), "SQLite format"));
    state_ = folder_ / "new";
    EXPECT_TRUE(has(on_state({"restore", file}).output, "--passphrase-file"));
    const auto refused = on_state({"restore", file, "--passphrase-file", wrong});
    EXPECT_TRUE(has(refused.output, "the passphrase is not the one")) << refused.output;
    EXPECT_FALSE(fs::exists(state_ + "/cloud.db"));
    ASSERT_EQ(on_state({"restore", file, "--passphrase-file", passphrase}).code, 0);
    start_and_stop();
}

TEST_F(Backup, ARestoreThatWasCutShortIsDoneAgain) {
    init();
    const std::string file = folder_ / "backup";
    ASSERT_EQ(on_state({"backup", file}).code, 0);
    state_ = folder_ / "new";
    ASSERT_EQ(on_state({"restore", file}).code, 0);
    fs::rename(state_ + "/cloud.db", state_ + "/cloud.db.new");
    ASSERT_EQ(on_state({"restore", file}).code, 0);
    start_and_stop();
    fs::remove(state_ + "/cloud.db");
    std::ofstream{state_ + "/something"} << "else";
    EXPECT_EQ(on_state({"restore", file}).code, 1);
}

TEST_F(Backup, WhatIsNoneIsRefused) {
    init();
    state_ = folder_ / "new";
    const std::string file = folder_ / "junk";
    EXPECT_TRUE(has(on_state({"restore", file}).output, "there is no file"));
    for (const std::string& content :
         {std::string{"junk"}, std::string{}, read_text(folder_ / "cloud/cloud.db")}) {
        std::ofstream{file, std::ios::binary} << content;
        const auto refused = on_state({"restore", file});
        EXPECT_EQ(refused.code, 1);
        EXPECT_FALSE(fs::exists(state_ + "/cloud.db"));
    }
    EXPECT_TRUE(has(on_state({"backup", folder_ / "b"}).output, "there is no cloud"));
}

TEST_F(Backup, ADatabaseThatIsPutBackForgetsItsSessions) {
    init();
    start_and_stop();
    save_context();
    start_and_stop();
    EXPECT_TRUE(has_context()) << "it is the same cloud";
    const std::string copy = folder_ / "copy.db";
    fs::copy(state_ + "/cloud.db", copy);
    start()->stop(SIGKILL);
    fs::copy(copy, state_ + "/cloud.db", fs::copy_options::overwrite_existing);
    for (const char* end : {"-wal", "-shm"}) fs::remove(state_ + "/cloud.db" + end);
    EXPECT_TRUE(has_context());
    start_and_stop();
    EXPECT_FALSE(has_context());
    EXPECT_TRUE(has(log(), "sessions-erased")) << log();
    save_context();
    start()->stop(SIGKILL);
    EXPECT_TRUE(has_context()) << "a kill alone erases nothing";
}

TEST_F(Doctor, FindsNothingWhereNothingIsWrong) {
    init();
    EXPECT_EQ(verdict_about("nothing"), "good");
    const auto running = start();
    const auto report = on_state({"doctor"});
    EXPECT_EQ(report.code, 0) << report.output;
    EXPECT_TRUE(has(report.output, "process " + std::to_string(running->id()) + " of this cloud"));
    running->stop(SIGTERM);
}

TEST_F(Doctor, FindsWhatIsWrong) {
    EXPECT_EQ(verdict_about("folder"), "bad");
    init();
    start_and_stop();
    const auto with_damage = [this](const std::string& name, std::size_t begin) {
        const std::string path = state_ + name;
        const std::string whole = read_text(path);
        std::string damaged = whole;
        for (std::size_t i = begin; i < std::min(begin + 4'000, whole.size()); ++i)
            damaged[i] = static_cast<char>(damaged[i] ^ 0x5a);
        std::ofstream{path, std::ios::binary} << damaged;
        const std::string verdict = verdict_about(name == "/cloud.db" ? "database" : "keys");
        std::ofstream{path, std::ios::binary} << whole;
        return verdict;
    };
    EXPECT_EQ(with_damage("/cloud.db", 0), "bad");
    EXPECT_EQ(with_damage("/cloud.db", 4'096), "bad");
    EXPECT_EQ(with_damage("/keys/journal", 0), "bad");
    fs::permissions(state_ + "/cloud.db", fs::perms{0644});
    EXPECT_EQ(verdict_about("folder"), "bad");
    fs::permissions(state_ + "/cloud.db", fs::perms{0600});
    EXPECT_EQ(doctor()["healthy"], true);
    fs::remove(state_ + "/cloud.db");
    EXPECT_EQ(verdict_about("database"), "bad");
    EXPECT_EQ(on_state({"doctor"}).code, 1);
}

TEST_F(Doctor, FindsPortsThatSomebodyElseHas) {
    init();
    const auto other = start();
    const std::string taken = "127.0.0.1:" + std::to_string(http_.port());
    state_ = folder_ / "second";
    init();
    const auto report = on_state({"doctor", "--http", taken});
    EXPECT_EQ(report.code, 1);
    EXPECT_TRUE(has(report.output, "bad       ports: --http " + taken)) << report.output;
    other->stop(SIGTERM);
}

TEST_F(Watching, MetricsAreServedWhereTheyAreAskedFor) {
    init();
    const auto running = start({"--metrics", "127.0.0.1:0"});
    AppClient app{http_, token()};
    app.send(framing::DeviceId{0xee}, "marker");
    static_cast<void>(app.read<channel::Outcome>());
    const std::string text = server::ask(endpoint("metrics"), "GET /metrics").text;
    EXPECT_TRUE(has(text, "Content-Type: text/plain; version=0.0.4")) << text;
    const auto page = testing::parse_exposition(text.substr(text.find("\r\n\r\n") + 4));
    EXPECT_EQ(page.complaint, "");
    const auto value = [&](const std::string& name) {
        return page.samples.at("sotto_cloud_" + name);
    };
    EXPECT_EQ(value("apps"), 1);
    EXPECT_EQ(value("outcomes_total{outcome=\"not_connected\"}"), 1);
    EXPECT_GE(value("store_commit_seconds_count"), 1);
    EXPECT_GT(value("store_bytes"), 4'096);
    EXPECT_EQ(server::ask(endpoint("metrics"), "GET /status").status, 404);
    EXPECT_EQ(ask("GET /metrics").status, 404) << "not where apps connect";
    running->stop(SIGTERM);
}

TEST_F(Watching, TheServiceManagerHearsHowItGoes) {
    init();
    const std::string path = folder_ / "notify";
    boost::asio::io_context loop;
    boost::asio::local::datagram_protocol::socket manager{loop, path};
    const auto hear = [&] {
        std::array<char, 64> text{};
        const std::size_t size = manager.receive(boost::asio::buffer(text));
        return std::string{text.data(), size};
    };
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    const auto running = start();
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    std::vector<std::string> heard{hear(), hear(), hear()};
    EXPECT_NE(std::ranges::find(heard, "READY=1"), heard.end());
    EXPECT_NE(std::ranges::find(heard, "WATCHDOG=1"), heard.end());
    running->signal(SIGTERM);
    while (heard.back() != "STOPPING=1") heard.push_back(hear());
    EXPECT_EQ(running->wait(), 0);
}

TEST_F(Watching, SoManyMayAskForMetricsAtOnce) {
    init();
    const auto running = start({"--metrics", "127.0.0.1:0"});
    const Endpoint metrics = endpoint("metrics");
    std::list<RawClient> silent;
    for (std::size_t i = 0; i < kAdminConnectionsMax; ++i) silent.emplace_back(metrics);
    EXPECT_TRUE(eventually([&] { return server::ask(metrics, "GET /metrics").status == 0; }))
        << "the next one is closed at once";
    silent.pop_front();
    EXPECT_TRUE(eventually([&] { return server::ask(metrics, "GET /metrics").status == 200; }));
    running->stop(SIGTERM);
}

TEST_F(Watching, TheLogIsJsonIfWanted) {
    init();
    const auto running = start({"--log-format", "json", "--log-level", "debug"});
    AppClient app{http_, token()};
    app.send(framing::DeviceId{0xee}, "marker");
    static_cast<void>(app.read<channel::Outcome>());
    running->stop(SIGTERM);
    std::istringstream lines{log()};
    std::vector<std::string> events;
    for (std::string line; std::getline(lines, line);) {
        const json entry = json::parse(line);
        events.push_back(entry["event"].get<std::string>());
        if (events.back() == "answered") {
            EXPECT_EQ(entry["device"], "ee0000000000000000000000");
            EXPECT_EQ(entry["outcome"], "not_connected");
        }
    }
    for (const char* event : {"ready", "app-connected", "answered", "stopping", "stopped"})
        EXPECT_NE(std::ranges::find(events, event), events.end()) << event << "\n" << log();
    EXPECT_FALSE(has(log(), "marker"));
    EXPECT_FALSE(has(log(), token()));
}

TEST_F(Watching, HealthTellsOfAStoreThatCannotWrite) {
    init();
    const auto running = start();
    EXPECT_EQ(ask("GET /sotto/v1/health").status, 200);
    // Somebody holds the database locked: what is written does not get through.
    const auto database = store_sqlite::Database::open(
        state_ + "/cloud.db", store_sqlite::Database::Mode::Open, seconds(1));
    ASSERT_TRUE((*database)->execute("BEGIN IMMEDIATE"));
    EXPECT_TRUE(eventually([&] { return ask("GET /sotto/v1/health").status == 503; }));
    EXPECT_TRUE(eventually([&] { return has(log(), "error store-failed"); })) << log();
    ASSERT_TRUE((*database)->execute("ROLLBACK"));
    EXPECT_TRUE(eventually([&] { return ask("GET /sotto/v1/health").status == 200; }));
    running->stop(SIGTERM);
}

}  // namespace
}  // namespace sotto::cloud::server
