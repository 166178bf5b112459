// SPDX-License-Identifier: Apache-2.0
// The real program: what it keeps, and what it says when it cannot run.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "testing/program.hpp"

namespace sotto::device {
namespace {

namespace fs = std::filesystem;
using testing::eventually;
using testing::Folder;
using testing::Program;
using testing::read_text;
using Arguments = std::vector<std::string>;

const std::string kProgram = SOTTO_BINARY_DIR "/bin/sotto-device";

// Made by `openssl genrsa 2048 | openssl rsa -pubout`.
constexpr const char* kCloudKey = R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA3G+pspaYc/j2CEDnzkfo
w7t4qUapMbf16QP/q8mPfiOfNlNFVy3p9nzHEkLU1NEiFZfvlE+W+OW+yhmh10aT
xSayuhF9Q5y4T4hmlTfoY7rB3NeIRI5Ghr6FfZMaWb+kbi+k/VZSobThEeIrlYd0
jWxnyy4esZI0MpLLVw0/W7FEClhdoXZE32edqeS+A245c0WhHITjTKJLGEB7EChj
qpIGrVE2RKbQSvy8Bmx5Kavfi3Hqr7Fw1RqVWE8b0FxeN2qlh5P4Nc9Ljq+fpfYZ
6r6zne7qP03helzlA6P1ajSl6ybaKCb9y0NFypPoPbJY08Oc2gRWJnM3odlkMOfg
KQIDAQAB
-----END PUBLIC KEY-----
)";

::testing::AssertionResult contains(const std::string& text, const std::string& words) {
    if (text.find(words) != std::string::npos) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << '"' << words << "\" is not in: " << text;
}

class ProcessTest : public ::testing::Test {
  protected:
    Arguments arguments(const Arguments& more = {}) const {
        Arguments all{"--state", state_, "--air", air_, "--code-file", code_file_};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    // Starts it, and waits until it has shown its code.
    std::unique_ptr<Program> start(const Arguments& more = {}) const {
        fs::remove(code_file_);
        auto program = std::make_unique<Program>(kProgram, arguments(more), log_);
        EXPECT_TRUE(eventually([this] { return fs::exists(code_file_); })) << read_text(log_);
        return program;
    }
    testing::Run reset(const Arguments& more = {}) const {
        Arguments all{"reset", "--state", state_};
        all.insert(all.end(), more.begin(), more.end());
        return testing::run(kProgram, all);
    }
    std::string code() const { return read_text(code_file_); }
    // The names of the sockets that are there.
    std::vector<std::string> sockets() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(air_)) {
            if (entry.path().extension() == ".sock") names.push_back(entry.path().filename());
        }
        return names;
    }

    const Folder folder_;
    const std::string state_ = folder_ / "state";
    const std::string air_ = folder_ / "air";
    const std::string code_file_ = folder_ / "code";
    const std::string log_ = folder_ / "log";
};

TEST_F(ProcessTest, IsTheSameDeviceAfterARestartAndAfterAKill) {
    auto device = start();
    const std::string first = code();
    const auto names = sockets();
    ASSERT_EQ(names.size(), 1U);
    EXPECT_EQ(first.size(), 60U);
    EXPECT_TRUE(contains(read_text(log_), first));
    EXPECT_EQ(device->stop(SIGTERM), 0);
    EXPECT_TRUE(sockets().empty());

    for (const int signal : {SIGINT, SIGKILL, SIGTERM}) {
        device = start();
        EXPECT_EQ(code(), first);
        EXPECT_EQ(sockets(), names);
        device->stop(signal);
    }
}

TEST_F(ProcessTest, RefusesAStateThatIsInUse) {
    const auto device = start();
    const std::string first = code();
    const testing::Run second = testing::run(kProgram, arguments());
    EXPECT_EQ(second.code, 1);
    EXPECT_TRUE(contains(second.output, "in use by process"));
    EXPECT_TRUE(contains(reset().output, "in use by process"));
    EXPECT_EQ(code(), first);
    EXPECT_EQ(device->stop(SIGTERM), 0);
}

TEST_F(ProcessTest, LeavesADamagedStateAsItIs) {
    start()->stop(SIGTERM);
    const std::string journal = state_ + "/journal";
    std::string damaged = read_text(journal);
    damaged[60] = static_cast<char>(damaged[60] ^ 1);  // in the first record
    std::ofstream{journal, std::ios::binary} << damaged;
    for (const Arguments& all : {arguments(), Arguments{"reset", "--state", state_}}) {
        const testing::Run run = testing::run(kProgram, all);
        EXPECT_EQ(run.code, 1);
        EXPECT_TRUE(contains(run.output, "is damaged and was left as it is"));
        EXPECT_EQ(read_text(journal), damaged);
    }
}

TEST_F(ProcessTest, AScreenShowsANewCodeAfterAReset) {
    auto device = start();
    const std::string first = code();
    const auto names = sockets();
    device->signal(SIGUSR2);
    ASSERT_TRUE(eventually([&] { return code() != first; }));
    const std::string second = code();
    EXPECT_TRUE(eventually([&] { return !!contains(read_text(log_), second); }));
    EXPECT_EQ(device->stop(SIGTERM), 0);

    EXPECT_EQ(reset().code, 0);
    device = start();
    EXPECT_NE(code(), first);
    EXPECT_NE(code(), second);
    EXPECT_EQ(sockets(), names) << "the identity stays";
}

TEST_F(ProcessTest, ALabelKeepsItsCode) {
    start({"--label"})->stop(SIGTERM);
    const std::string first = code();
    EXPECT_EQ(reset().code, 0);
    const auto device = start();
    EXPECT_EQ(code(), first);
}

TEST_F(ProcessTest, AScreenDoesNotBecomeALabel) {
    start()->stop(SIGTERM);
    const testing::Run run = testing::run(kProgram, arguments({"--label"}));
    EXPECT_EQ(run.code, 1);
    EXPECT_TRUE(contains(run.output, "Leave out --label"));
}

TEST_F(ProcessTest, ACopyIsStillTheDevice) {
    start()->stop(SIGTERM);
    const std::string first = code();
    fs::rename(state_, state_ + "-old");
    fs::copy(state_ + "-old", state_);
    const auto device = start();
    EXPECT_EQ(code(), first);
}

TEST_F(ProcessTest, TheButtonSwitchesTheLamp) {
    const auto device = start();
    device->signal(SIGUSR1);
    EXPECT_TRUE(eventually([&] { return !!contains(read_text(log_), "lamp on"); }));
}

TEST_F(ProcessTest, SaysWhatIsWrongWithItsOptions) {
    struct Case {
        Arguments more;
        int code;
        std::string words;
    };
    const std::vector<Case> cases{
        {{"--nonsense"}, 2, "--nonsense"},
        {{"--mtu", "7"}, 2, "--mtu"},
        {{"dance"}, 2, "dance"},
        {{"--function", "two words"}, 1, "\"two words\" cannot be declared"},
        {{"--variable", "lamp=1"}, 1, "come once"},
        {{"--name", std::string(33, 'x')}, 1, "at most 32 bytes"},
        {{"--air", folder_ / std::string(120, 'a')}, 1, "use a shorter folder"},
        {{"--code-file", folder_ / "no/such/folder"}, 1, "--code-file"},
    };
    for (const Case& item : cases) {
        Arguments all{"--state", state_, "--air", air_};
        all.insert(all.end(), item.more.begin(), item.more.end());
        if (item.more[0] == "--air") all.erase(all.begin() + 2, all.begin() + 4);
        const testing::Run run = testing::run(kProgram, all);
        EXPECT_EQ(run.code, item.code) << run.output;
        EXPECT_TRUE(contains(run.output, item.words));
        EXPECT_FALSE(contains(run.output, "unexpected"));
    }
}

TEST_F(ProcessTest, WhatCannotBeOpenedIsSaid) {
    const std::string key = folder_ / "cloud.pem";
    std::ofstream{key} << kCloudKey;
    const std::vector<std::pair<Arguments, std::string>> kWrong = {
        {{"--bluz-open", "nosuch"}, "\"nosuch\" cannot be opened"},
        {{"--bluz-open", "e/note"}, "\"e/note\" cannot be opened"},
        {{"--bluz-open", "f/"}, "cannot be opened"},
        {{"--bluz-open", "x/lamp"}, "cannot be opened"},
        {{"--function", "a_name_of_13_", "--bluz-open", "a_name_of_13_"}, "at most 12 characters"}};
    for (const auto& [more, said] : kWrong) {
        Arguments all = arguments({"--bluz", key});
        all.insert(all.end(), more.begin(), more.end());
        const testing::Run run = testing::run(kProgram, all);
        EXPECT_EQ(run.code, 1);
        EXPECT_TRUE(contains(run.output, said));
    }
    EXPECT_EQ(testing::run(kProgram, arguments({"--bluz-open", "lamp"})).code, 2);
    EXPECT_EQ(testing::run(kProgram, arguments({"--bluz", key, "--sleep", "5"})).code, 2);
    for (const std::string& none : {folder_ / "nosuch", log_}) {
        std::ofstream{log_} << "no key";
        const testing::Run run = testing::run(kProgram, arguments({"--bluz", none}));
        EXPECT_EQ(run.code, 1);
        EXPECT_TRUE(contains(run.output, none));
    }
}

TEST_F(ProcessTest, ItsBluzKeyIsKeptForItselfAndLeftAloneWhenItIsDamaged) {
    const std::string key = folder_ / "cloud.pem";
    std::ofstream{key} << kCloudKey;
    start({"--bluz", key})->stop(SIGTERM);
    EXPECT_TRUE(contains(read_text(log_), "bluz: nothing is open"));
    for (const char* name : {"id", "key.pem"}) {
        const std::string file = state_ + "/bluz/" + name;
        EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
        const std::string content = read_text(file);
        for (const std::string& damaged :
             {content.substr(0, content.size() / 2), content.substr(5), std::string{}}) {
            std::ofstream{file} << damaged;
            const testing::Run run = testing::run(kProgram, arguments({"--bluz", key}));
            EXPECT_EQ(run.code, 1) << name;
            EXPECT_TRUE(contains(run.output, file + " is damaged"));
            EXPECT_EQ(read_text(file), damaged);
        }
        std::ofstream{file} << content;
    }
    start({"--bluz", key})->stop(SIGTERM);
}

}  // namespace
}  // namespace sotto::device
