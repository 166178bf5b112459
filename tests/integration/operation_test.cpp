// SPDX-License-Identifier: Apache-2.0
// What the operator of a cloud relies on: a restored cloud goes on with everybody, and its log
// tells what happened without telling what was said.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/integration/line.hpp"
#include "tests/integration/marker.hpp"

namespace sotto::integration {
namespace {

namespace fs = std::filesystem;
using testing::read_text;

const std::string kCloud = SOTTO_BINARY_DIR "/bin/sotto-cloud";

std::size_t count_of(const Recording& bytes, const std::string& text) {
    const std::string all{bytes.begin(), bytes.end()};
    std::size_t count = 0;
    for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1))
        ++count;
    return count;
}

// EDHOC messages of the cloud to devices: RFC 9528 A.2 has the path in the clear.
std::size_t handshakes_of_cloud(Line& line) {
    return count_of(line.uplink_tap().from_server(), "edhoc");
}

TEST(OperationTest, ARestoredCloudGoesOnWithNewSessionsAndNothingElseIsLost) {
    Line line{{"--function", "echo"}};
    ASSERT_TRUE(line.pair()) << line.logs();
    const std::string state = line.folder() / "cloud";
    const std::string backup = line.folder() / "backup";
    const testing::Run made = testing::run(kCloud, {"backup", backup, "--state", state});
    ASSERT_EQ(made.code, 0) << made.output;
    // The old cloud goes on for a while, and its sessions with it.
    ASSERT_EQ(line.app({"call", "lamp", "echo", "before"}).code, 0) << line.logs();
    line.kill_cloud();
    line.start_cloud();
    ASSERT_TRUE(testing::eventually([&] { return line.app({"get", "lamp"}).code == 0; }));
    const std::size_t before = handshakes_of_cloud(line);

    line.kill_cloud();
    const std::string old = line.folder() / "old";
    fs::rename(state, old);
    const testing::Run restored = testing::run(kCloud, {"restore", backup, "--state", state});
    ASSERT_EQ(restored.code, 0) << restored.output;
    for (const char* name : {"owner.token", "gateway.token"})
        fs::copy(old + "/" + name, state + "/" + name);
    line.start_cloud();
    ASSERT_TRUE(testing::eventually([&] {
        return line.app({"call", "lamp", "echo", "after"}).code == 0;
    })) << line.logs();
    EXPECT_GE(line.call_count("after"), 1U);
    EXPECT_TRUE(testing::eventually([&] { return handshakes_of_cloud(line) > before; }))
        << "no session of the backup is resumed";
    const testing::Run status = testing::run(kCloud, {"status", "--json", "--state", state});
    EXPECT_NE(status.output.find("\"devices\":1"), std::string::npos) << status.output;
}

TEST(OperationTest, TheLogsOfAWholeRunHoldNoSecretAndNothingThatWasSaid) {
    const std::string function = draw_marker();
    const std::string argument = draw_marker();
    const std::string result = draw_marker();
    Line line{{"--function", function + "=" + result}};
    const std::string state = line.folder() / "cloud";
    std::ofstream{state + "/sotto-cloud.toml"} << "log-level = \"debug\"\n";
    line.kill_cloud();
    const std::string before = read_text(line.folder() / "cloud.log");
    line.start_cloud();
    ASSERT_TRUE(testing::eventually([&] {
        return read_text(line.folder() / "cloud.log").find("gateway-connected", before.size()) !=
               std::string::npos;
    })) << line.logs();
    ASSERT_TRUE(line.pair()) << line.logs();
    EXPECT_EQ(line.app({"call", "lamp", function, argument}).code, 0) << line.logs();
    const std::string cloud_log = read_text(line.folder() / "cloud.log");
    for (const char* event :
         {"gateway-connected", "app-connected", "device-attached", "answered", "outcome=handed_on"})
        EXPECT_NE(cloud_log.find(event), std::string::npos) << event << "\n" << cloud_log;
    const std::string gateway_log = read_text(line.folder() / "gateway.log");
    EXPECT_NE(gateway_log.find("device-offered"), std::string::npos) << gateway_log;
    std::vector<std::string> secrets{function, argument, result, read_text(line.folder() / "code")};
    for (const char* name : {"owner.token", "gateway.token"}) {
        const std::string token = read_text(state + "/" + name);
        secrets.push_back(token.substr(0, token.find('\n')));
    }
    for (const std::string& log : {cloud_log, gateway_log}) {
        for (const std::string& secret : secrets)
            EXPECT_EQ(find_marker({log.begin(), log.end()}, secret), "") << log;
    }
}

}  // namespace
}  // namespace sotto::integration
