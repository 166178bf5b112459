// SPDX-License-Identifier: Apache-2.0
#include "gateway/daemon/settings.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>

namespace sotto::gateway {
namespace {

namespace fs = std::filesystem;

class SettingsTest : public ::testing::Test {
  protected:
    SettingsTest() {
        std::string name = (fs::temp_directory_path() / "sotto_settings_XXXXXX").string();
        if (::mkdtemp(name.data()) != nullptr) folder = name;
        token = write("token", "secret-1\n");
    }
    ~SettingsTest() override { fs::remove_all(folder); }

    std::string write(const std::string& name, const std::string& text) {
        std::ofstream{folder / name} << text;
        return (folder / name).string();
    }
    std::string complaint(const Settings& settings) {
        const auto loaded = load_uplinks(settings);
        const auto* found = std::get_if<Complaint>(&loaded);
        return found == nullptr ? "" : found->text;
    }
    SettingsOrExit parse(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "sotto-gateway");
        std::vector<char*> pointers;
        for (std::string& argument : arguments) pointers.push_back(argument.data());
        return read_command_line(static_cast<int>(pointers.size()), pointers.data());
    }

    fs::path folder;
    std::string token;
};

TEST_F(SettingsTest, EveryCloudHasItsTokenAndTheFirstIsTheDefault) {
    const std::string own = write("own", "secret-2 \r\nsecond line");
    const Settings settings{
        .clouds = {"a:1", "b:2"}, .token_file = token, .tokens = {"b:2=" + own}};
    const auto loaded = load_uplinks(settings);
    const auto& uplinks = std::get<std::vector<Uplink>>(loaded);
    ASSERT_EQ(uplinks.size(), 2U);
    EXPECT_EQ(uplinks[0].cloud.address, "a:1");
    EXPECT_EQ(uplinks[0].cloud.token, "secret-1");
    EXPECT_EQ(uplinks[1].cloud.token, "secret-2");
    EXPECT_EQ(uplinks[1].address.port, "2");
}

TEST_F(SettingsTest, ComplainsInWords) {
    EXPECT_NE(complaint({.clouds = {"a"}, .token_file = token}), "");
    EXPECT_NE(complaint({.clouds = {"a:1", "a:1"}, .token_file = token}), "");
    EXPECT_NE(complaint({.clouds = {"a:1"}}), "");
    EXPECT_NE(complaint({.clouds = {"a:1"}, .token_file = "/nonexistent/token"}), "");
    EXPECT_NE(complaint({.clouds = {"a:1"}, .token_file = folder.string()}), "");
    EXPECT_NE(complaint({.clouds = {"a:1"}, .token_file = write("empty", "\nlater")}), "");
    EXPECT_NE(complaint({.clouds = {"a:1"}, .token_file = write("space", "a b")}), "");
    EXPECT_NE(complaint({.clouds = {"a:1"}, .token_file = token, .tokens = {"b:2=x"}}), "");
    EXPECT_NE(complaint({.clouds = {"a:1"}, .token_file = token, .tokens = {"a:1"}}), "");
    const std::vector<std::string> many{
        "a:1", "a:2", "a:3", "a:4", "a:5", "a:6", "a:7", "a:8", "a:9"};
    EXPECT_NE(complaint({.clouds = many, .token_file = token}), "");
}

TEST_F(SettingsTest, EveryCloudIsKnownByItsPinItsAuthorityOrNotAtAll) {
    const std::string pin(64, 'a');
    const std::string authority =
        std::string{SOTTO_SOURCE_DIR} + "/tests/vectors/tls/localhost.crt";
    const Settings settings{
        .clouds = {"127.0.0.1:1", "localhost:2", "far:3", "127.0.0.1:4", "far:5"},
        .token_file = token,
        .pins = {"127.0.0.1:1=" + pin},
        .authorities = {"localhost:2=" + authority}};
    const auto loaded = load_uplinks(settings);
    const auto& uplinks = std::get<std::vector<Uplink>>(loaded);
    const bool is_clear[] = {false, false, false, true, false};
    for (std::size_t i = 0; i < uplinks.size(); ++i)
        EXPECT_EQ(uplinks[i].security.is_clear(), is_clear[i]) << i;
    Settings insecure = settings;
    insecure.insecure = true;
    insecure.pins = {pin};
    insecure.authorities = {};
    const auto pinned = load_uplinks(insecure);
    for (const Uplink& uplink : std::get<std::vector<Uplink>>(pinned))
        EXPECT_FALSE(uplink.security.is_clear()) << "a pin for all";
    insecure.pins = {};
    const auto open = load_uplinks(insecure);
    for (const Uplink& uplink : std::get<std::vector<Uplink>>(open))
        EXPECT_TRUE(uplink.security.is_clear());
}

TEST_F(SettingsTest, ComplainsOfPinsAndAuthorities) {
    const auto about = [&](std::vector<std::string> pins, std::vector<std::string> authorities) {
        return complaint({.clouds = {"a:1"},
                          .token_file = token,
                          .pins = std::move(pins),
                          .authorities = std::move(authorities)});
    };
    EXPECT_NE(about({"1234"}, {}).find("--pin 1234: it must be the 64 hex digits"),
              std::string::npos);
    EXPECT_NE(about({"b:1=" + std::string(64, 'a')}, {}).find("there is no --cloud b:1"),
              std::string::npos);
    EXPECT_NE(about({}, {"/nonexistent"}), "");
    EXPECT_NE(about({}, {folder.string()}), "");
    EXPECT_NE(about({}, {token}).find("no certificate"), std::string::npos);
    EXPECT_NE(about({}, {write("nothing", "")}), "");
}

TEST_F(SettingsTest, AirFolderMustBeThere) {
    EXPECT_EQ(check_air({.air_folder = folder.string()}), "");
    EXPECT_NE(check_air({.air_folder = (folder / "missing").string()}), "");
    EXPECT_NE(check_air({.air_folder = token}), "");
    EXPECT_EQ(check_air({.adapters = {"hci0"}}), "");
    EXPECT_NE(check_air({.air_folder = folder.string(), .adapters = {"hci0"}}), "");
    EXPECT_EQ(adapters_of({.adapters = {"hci0", "hci1"}}).size(), 2U);
    EXPECT_EQ(adapters_of({.adapters = {"all"}}).size(), 0U);
}

TEST_F(SettingsTest, ServesEverybodyUnlessItIsToldWhom) {
    const auto all = std::get<relay::Admission>(load_admission({}));
    EXPECT_FALSE(all.is_by_tag);
    EXPECT_TRUE(all.devices.empty());
    const auto some = std::get<relay::Admission>(load_admission(
        {.serve = kServeAccount, .device_ids = {std::string(24, 'a'), std::string(24, 'B')}}));
    EXPECT_TRUE(some.is_by_tag);
    ASSERT_EQ(some.devices.size(), 2U);
    EXPECT_EQ(some.devices[1][0], 0xbb);
    for (const char* text : {"", "lamp", "0102"}) {
        const auto wrong = load_admission({.device_ids = {text}});
        EXPECT_NE(std::get<Complaint>(wrong).text.find("24 hex digits"), std::string::npos);
    }
    EXPECT_EQ(std::get<int>(parse({"--air", "x", "--cloud", "a:1", "--serve", "nobody"})), 2);
}

TEST_F(SettingsTest, CommandLineAndFileSayTheSame) {
    const auto line = parse({"--air",
                             "x",
                             "--cloud",
                             "a:1",
                             "--cloud",
                             "b:2",
                             "--token-file",
                             "t",
                             "--insecure",
                             "--mtu",
                             "247"});
    const Settings& given = std::get<Settings>(line);
    EXPECT_EQ(given.clouds, (std::vector<std::string>{"a:1", "b:2"}));
    EXPECT_TRUE(given.insecure);
    EXPECT_EQ(given.value_size_max, 247U);

    const std::string file = write("gateway.toml",
                                   "air = \"x\"\ncloud = [\"a:1\", \"b:2\"]\n"
                                   "token-file = \"t\"\ninsecure = true\nmtu = 247\n");
    const auto read = parse({"--settings", file});
    const Settings& same = std::get<Settings>(read);
    EXPECT_EQ(same.air_folder, "x");
    EXPECT_EQ(same.clouds, given.clouds);
    EXPECT_EQ(same.token_file, "t");
    EXPECT_TRUE(same.insecure);
    EXPECT_EQ(same.value_size_max, 247U);

    const auto both = parse({"--settings", file, "--air", "y", "--cloud", "c:3"});
    EXPECT_EQ(std::get<Settings>(both).air_folder, "y");
    EXPECT_EQ(std::get<Settings>(both).clouds, std::vector<std::string>{"c:3"});
    EXPECT_EQ(std::get<Settings>(both).token_file, "t");
}

TEST_F(SettingsTest, TheSettingsAreAsDocumented) {
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(std::get<int>(parse({"--print-settings"})), 0);
    const std::string printed = ::testing::internal::GetCapturedStdout();
    const auto read = [](const std::string& name) {
        std::ifstream file{std::string{SOTTO_SOURCE_DIR} + "/" + name};
        return std::string{std::istreambuf_iterator<char>{file}, {}};
    };
    EXPECT_EQ(printed, read("packaging/sotto-gateway.toml"));
    EXPECT_NE(read("docs/settings.md").find(printed), std::string::npos);
}

TEST_F(SettingsTest, ConnectionIntervalsAreOfOneDeviceOrOfAll) {
    const auto loaded =
        load_paces({.connection_intervals = {"15-30", std::string(24, 'a') + "=400/2"}});
    ASSERT_TRUE(std::holds_alternative<Paces>(loaded));
    EXPECT_EQ(std::get<Paces>(loaded).of({})->interval_max_ms, 30U);
    const auto wrong = load_paces({.connection_intervals = {"soon"}});
    ASSERT_TRUE(std::holds_alternative<Complaint>(wrong));
    EXPECT_NE(std::get<Complaint>(wrong).text.find("--connection-interval soon"),
              std::string::npos);
}

TEST_F(SettingsTest, WrongUsageEndsWithCodeTwo) {
    EXPECT_EQ(std::get<int>(parse({})), 2);
    EXPECT_EQ(std::get<int>(parse({"--air", "x"})), 2);
    EXPECT_EQ(std::get<int>(parse({"--air", "x", "--cloud", "a:1", "--mtu", "19"})), 2);
    EXPECT_EQ(std::get<int>(parse({"--nonsense"})), 2);
    EXPECT_EQ(std::get<int>(parse({"--settings", write("bad.toml", "nonsense = 1\n")})), 2);
    EXPECT_EQ(std::get<int>(parse({"--version"})), 0);
}

TEST_F(SettingsTest, BluzDevicesAreServedIfThereIsAServerOrAFolder) {
    const auto none = load_bluz({});
    EXPECT_FALSE(std::get<BluzService>(none).is_offered());
    const auto server = load_bluz({.legacy = "home.lan:5683"});
    EXPECT_TRUE(std::get<BluzService>(server).is_offered());
    EXPECT_EQ(std::get<BluzService>(server).server->port, "5683");
    const auto local = load_bluz({.air_folder = "/", .local_folder = folder.string()});
    EXPECT_TRUE(std::get<BluzService>(local).is_offered());
    const auto ids = load_bluz({.bluz_ids = {"b1e20102030405060708090a", std::string(24, '0')}});
    EXPECT_EQ(std::get<BluzService>(ids).admitted.size(), 2U);
}

TEST_F(SettingsTest, WhatIsWrongWithBluzIsSaidInWords) {
    const auto wrong = [](const Settings& settings) {
        const auto loaded = load_bluz(settings);
        const auto* found = std::get_if<Complaint>(&loaded);
        return found == nullptr ? "" : found->text;
    };
    EXPECT_NE(wrong({.legacy = "home"}).find("--legacy home"), std::string::npos);
    EXPECT_NE(wrong({.bluz_ids = {"b1e2"}}).find("24 hex digits"), std::string::npos);
    EXPECT_NE(wrong({.local_folder = (folder / "none").string()}).find("create it"),
              std::string::npos);
    EXPECT_NE(wrong({.local_folder = token}).find("create it"), std::string::npos);
    EXPECT_NE(wrong({.air_folder = folder.string(), .local_folder = (folder / ".").string()})
                  .find("another folder"),
              std::string::npos);
    const fs::path deep = folder / std::string(100, 'd');
    fs::create_directory(deep);
    EXPECT_NE(wrong({.local_folder = deep.string()}).find("too long"), std::string::npos);
}

}  // namespace
}  // namespace sotto::gateway
