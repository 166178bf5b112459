// SPDX-License-Identifier: Apache-2.0
// `sotto` and `sotto-device`, the real programs, nearby: pairing, commands, kill -9, reset.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>

#include <gtest/gtest.h>

#include "testing/program.hpp"

namespace sotto {
namespace {

namespace fs = std::filesystem;
using testing::eventually;
using testing::Folder;
using testing::Program;
using testing::read_text;

using Arguments = std::vector<std::string>;
using Ran = testing::Run;

// docs/cli.md
constexpr int kDone = 0;
constexpr int kUsage = 1;
constexpr int kRefused = 2;
constexpr int kUnreachable = 3;
constexpr int kNotTheDevice = 5;
constexpr int kState = 6;

class NearbyTest : public ::testing::Test {
  protected:
    std::unique_ptr<Program> start(const Arguments& more = {}) const {
        fs::remove(code_file_);
        Arguments all{"--state", folder_ / "device", "--air", folder_ / "air"};
        all.insert(all.end(), {"--code-file", code_file_, "--function", "repeat"});
        all.insert(all.end(), more.begin(), more.end());
        auto device =
            std::make_unique<Program>(SOTTO_BINARY_DIR "/bin/sotto-device", all, folder_ / "log");
        EXPECT_TRUE(eventually([this] { return fs::exists(code_file_); }));
        return device;
    }
    // A command of an app, whose state is in the folder of this name.
    Ran app(const std::string& name, const Arguments& more) const {
        Arguments all{"--state", folder_ / name, "--air", folder_ / "air", "--local"};
        all.insert(all.end(), more.begin(), more.end());
        return testing::run(SOTTO_BINARY_DIR "/bin/sotto", all);
    }
    Ran pair(const std::string& name) const {
        return app(name, {"pair", code(), "--name", "lamp"});
    }
    std::string code() const {
        const std::string text = read_text(code_file_);
        return text.substr(0, text.find('\n'));
    }
    static std::string first_line(const Ran& run) {
        return run.output.substr(0, run.output.find('\n'));
    }
    void expect(const Ran& run, int exit_code, const std::string& words) const {
        EXPECT_EQ(run.code, exit_code) << run.output;
        EXPECT_NE(run.output.find(words), std::string::npos) << run.output;
    }

    const Folder folder_;
    const std::string code_file_ = folder_ / "code";
};

TEST_F(NearbyTest, AnOwnerCommandsItsDeviceOverKillsOfIt) {
    auto device = start();
    expect(pair("app"), kDone, "lamp");
    expect(app("app", {"call", "lamp", "lamp", "on"}), kDone, "on");
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(device->stop(SIGKILL), 128 + SIGKILL);
        device = start();
        expect(app("app", {"get", "lamp", "lamp"}), kDone, "off");
        expect(app("app", {"call", "lamp", "repeat", "marker-of-the-test"}), kDone, "marker-of");
    }
    expect(app("app", {"call", "lamp", "lamp", "purple"}), kRefused, "");
    EXPECT_EQ(device->stop(SIGTERM), 0);
    expect(app("app", {"--timeout", "1", "get", "lamp", "lamp"}), kUnreachable, "reach");
}

// A new phone: no pairing again, and no session travels with the backup.
TEST_F(NearbyTest, AnImportedIdentityCommandsTheDeviceWithoutPairing) {
    const auto device = start();
    std::ofstream{folder_ / "passphrase"} << "correct horse battery\n";
    std::ofstream{folder_ / "wrong"} << "correct horse batters\n";
    const std::string file = folder_ / "backup";
    const Arguments phrase{"--passphrase-file", folder_ / "passphrase"};
    const auto with_phrase = [&](const char* verb) {
        return Arguments{verb, file, phrase[0], phrase[1]};
    };
    expect(app("old", with_phrase("export")), kUsage, "nothing to export");
    expect(pair("old"), kDone, "lamp");
    expect(app("old", {"call", "lamp", "lamp", "on"}), kDone, "on");
    expect(app("old", with_phrase("export")), kDone, "1 device");
    expect(app("old", with_phrase("export")), kUsage, "already");
    EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);

    expect(app("new", {"import", file, phrase[0], folder_ / "wrong"}), kUsage, "passphrase");
    EXPECT_FALSE(fs::exists(folder_ / "new"));
    expect(app("new", with_phrase("import")), kDone, "1 device");
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "new"))
        EXPECT_EQ(entry.path().filename().string().find("session"), std::string::npos);
    expect(app("new", {"call", "lamp", "repeat", "from-the-new-phone"}), kDone, "from-the-new");
    expect(app("old", {"get", "lamp", "lamp"}), kDone, "on");

    expect(app("new", {"takeover"}), kDone, "new key");
    expect(app("new", {"call", "lamp", "repeat", "the-only-owner"}), kDone, "the-only-owner");
    expect(app("old", {"get", "lamp", "lamp"}), kRefused, "does not let this app in");
    expect(app("old", {"takeover"}), kRefused, "does not let this app in");
    expect(app("stranger", with_phrase("import")), kDone, "1 device");
    expect(app("stranger", {"get", "lamp", "lamp"}), kRefused, "does not let this app in");

    fs::remove(file);
    expect(app("new", with_phrase("export")), kDone, "1 device");
    expect(app("newer", with_phrase("import")), kDone, "1 device");
    expect(app("newer", {"get", "lamp", "lamp"}), kDone, "on");
}

TEST_F(NearbyTest, AGuestUsesWhatHeWasGivenUntilItIsTakenBack) {
    auto device = start();
    expect(pair("owner"), kDone, "lamp");
    const std::string key = first_line(app("guest", {"key"}));
    expect(app("owner", {"share", "lamp", "no-key"}), kUsage, "no key");
    expect(app("owner", {"share", "lamp", key, "--only", "lamp"}), kUsage, "nothing that can be");
    const std::string invitation = first_line(
        app("owner", {"share", "lamp", key, "--name", "Anna", "--only", "f/lamp", "--for", "1d"}));
    expect(app("owner", {"share", "lamp", key, "--name", "Anna"}), kUsage, "already");

    expect(app("guest", {"accept", invitation.substr(0, 100)}), kUsage, "no invitation");
    expect(app("guest", {"accept", invitation}), kDone, "you may use lamp");
    expect(app("guest", {"devices"}), kDone, "guest");
    expect(app("guest", {"call", "lamp", "lamp", "on"}), kDone, "on");
    expect(app("guest", {"call", "lamp", "repeat", "x"}), kRefused, "not for this app");
    expect(app("guest", {"get", "lamp", "lamp"}), kRefused, "not for this app");
    expect(app("guest", {"share", "lamp", key}), kUsage, "not yours");
    expect(app("guest", {"takeover", "lamp"}), kUsage, "not yours");
    expect(app("stranger", {"accept", invitation}), kDone, "you may use lamp");
    expect(app("stranger", {"call", "lamp", "lamp", "off"}), kRefused, "does not let this app in");

    EXPECT_EQ(device->stop(SIGKILL), 128 + SIGKILL);
    device = start();
    expect(app("guest", {"call", "lamp", "lamp", "on"}), kRefused, "does not know the time");
    expect(app("owner", {"call", "lamp", "repeat", "here"}), kDone, "here");
    expect(app("guest", {"call", "lamp", "lamp", "on"}), kDone, "on");

    expect(app("owner", {"guests", "lamp"}), kDone, "Anna  f/lamp  until");
    expect(app("owner", {"revoke", "lamp", "Berta"}), kUsage, "nobody called");
    expect(app("owner", {"revoke", "lamp", "Anna"}), kDone, "no access");
    expect(app("guest", {"call", "lamp", "lamp", "off"}), kRefused, "taken it back");
    expect(app("owner", {"guests", "lamp"}), kDone, "taken back");

    const std::string again = first_line(app("owner", {"share", "lamp", key, "--name", "Anna"}));
    expect(app("guest", {"accept", again}), kDone, "you may use lamp");
    expect(app("guest", {"call", "lamp", "repeat", "everything"}), kDone, "everything");
    expect(app("owner", {"revoke", "lamp", "--all"}), kDone, "new key");
    expect(app("guest", {"call", "lamp", "repeat", "x"}), kRefused, "does not let this app in");
    expect(app("owner", {"guests", "lamp"}), kDone, "Anna  everything  over");
}

TEST_F(NearbyTest, WhatCannotBeRevokedOneByOneIsSaidToBeSo) {
    const auto device = start();
    expect(pair("owner"), kDone, "lamp");
    const std::string key = first_line(app("guest", {"key"}));
    for (char name = 'A'; name <= 'Q'; ++name) {
        expect(app("owner", {"share", "lamp", key, "--name", {name}}), kDone, "SOTTO:I");
        const Ran revoked = app("owner", {"revoke", "lamp", {name}});
        if (name < 'Q') {
            expect(revoked, kDone, "no access");
        } else {
            expect(revoked, kRefused, "cannot remember another one");
        }
    }
    expect(app("owner", {"guests", "lamp"}), kDone, "without end");
    expect(app("owner", {"accept", "SOTTO:I"}), kUsage, "no invitation");
}

TEST_F(NearbyTest, AWatchLetsOtherCommandsIn) {
    const auto device = start();
    expect(pair("app"), kDone, "lamp");
    const std::string log = folder_ / "watch";
    Program watch{
        SOTTO_BINARY_DIR "/bin/sotto",
        {"--state", folder_ / "app", "--air", folder_ / "air", "--local", "watch", "lamp"},
        log};
    ASSERT_TRUE(eventually([&] { return read_text(log).find("watching") != std::string::npos; }));
    for (const char* state : {"on", "off"})
        expect(app("app", {"call", "lamp", "lamp", state}), kDone, state);
    EXPECT_EQ(watch.stop(SIGTERM), 128 + SIGTERM) << "it is still running";
}

TEST_F(NearbyTest, ASecondOwnerIsRefusedUntilAReset) {
    auto device = start();
    expect(pair("first"), kDone, "lamp");
    EXPECT_EQ(pair("second").code, kRefused);
    expect(pair("first"), kDone, "lamp");
    const std::string before = code();
    device->signal(SIGUSR2);
    ASSERT_TRUE(eventually([&] { return code() != before; }));
    EXPECT_NE(app("first", {"get", "lamp", "lamp"}).code, kDone);
    expect(pair("second"), kDone, "lamp");
    expect(app("second", {"get", "lamp", "lamp"}), kDone, "off");
}

TEST_F(NearbyTest, AWrongCodeIsToldFromAWrongDevice) {
    const auto device = start();
    // The secret is in the last 26 digits.
    std::string wrong_secret = code();
    wrong_secret[50] = wrong_secret[50] == 'A' ? 'B' : 'A';
    EXPECT_NE(app("app", {"pair", wrong_secret}).code, kDone);
    std::string other_device = code();
    other_device[10] = other_device[10] == 'A' ? 'B' : 'A';
    const Ran run = app("app", {"--timeout", "3", "pair", other_device});
    EXPECT_TRUE(run.code == kUnreachable || run.code == kNotTheDevice) << run.output;
    expect(pair("app"), kDone, "lamp");
}

TEST_F(NearbyTest, ALabelledDeviceWantsItsButtonPressed) {
    const auto device = start({"--label"});
    expect(pair("app"), kRefused, "button");
    device->signal(SIGUSR1);
    ASSERT_TRUE(eventually(
        [&] { return read_text(folder_ / "log").find("pressed") != std::string::npos; }));
    expect(pair("app"), kDone, "lamp");
}

}  // namespace
}  // namespace sotto
