// SPDX-License-Identifier: Apache-2.0
// The program with its port for legacy devices, its keys and the operator's commands about them.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include "cloud/server/particle_keys.hpp"
#include "core/base/hex.hpp"
#include "testing/particle/legacy_device.hpp"
#include "testing/program.hpp"

namespace sotto::cloud::server {
namespace {

namespace fs = std::filesystem;
using testing::eventually;
using testing::Folder;
using testing::LegacyDevice;
using testing::LegacyId;
using testing::LegacyKey;
using testing::Program;
using testing::read_text;

const std::string kCloud = std::string{SOTTO_BINARY_DIR} + "/bin/sotto-cloud";
constexpr LegacyId kId{0xb1, 0xe2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

testing::Run cloud(const std::vector<std::string>& arguments) {
    return testing::run(kCloud, arguments);
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

const LegacyKey& device_key() {
    static const LegacyKey key = LegacyKey::generate();
    return key;
}

class ParticleProgram : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(cloud({"init", "--state", state_}).code, 0);
        write(folder_ / "device.pub.pem", particle_openssl::to_pem(device_key().public_der()));
        const auto der = device_key().public_der();
        write(folder_ / "device.pub.der", std::string{as_text(der)});
    }
    static void write(const std::string& path, const std::string& text) {
        std::ofstream(path, std::ios::binary) << text;
    }
    std::string key_file(const std::string& name) const { return state_ + "/particle/" + name; }
    std::string log() const { return read_text(folder_ / "log"); }
    testing::Run device_key_command(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "device-key");
        arguments.insert(arguments.begin() + 2, {"--state", state_});
        return cloud(arguments);
    }

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
                                           "--particle",
                                           "127.0.0.1:0",
                                           "--ports-file",
                                           ports};
        arguments.insert(arguments.end(), more.begin(), more.end());
        auto program = std::make_unique<Program>(kCloud, arguments, folder_ / "log");
        EXPECT_TRUE(eventually([&] { return has(read_text(ports), "particle="); })) << log();
        const std::string text = read_text(ports);
        const std::size_t begin = text.find("particle=127.0.0.1:") + 19;
        port_ = static_cast<std::uint16_t>(std::stoi(text.substr(begin)));
        return program;
    }
    // What the device is told from first to last, until it is connected or hangs up.
    std::string connect(LegacyDevice& device) {
        boost::asio::io_context loop;
        boost::asio::ip::tcp::socket socket{loop};
        socket.connect({boost::asio::ip::address_v4::loopback(), port_});
        socket.non_blocking(true);
        std::vector<std::uint8_t> buffer(4'096);
        eventually([&] {
            boost::system::error_code error;
            const std::size_t size = socket.read_some(boost::asio::buffer(buffer), error);
            if (error && error != boost::asio::error::would_block) return true;
            device.receive(Bytes{buffer}.first(size));
            while (device.step()) {
            }
            const auto output = device.take_output();
            socket.write_some(boost::asio::buffer(output), error);
            return device.time().has_value() || !device.trouble().empty();
        });
        return device.time() ? "connected" : device.trouble();
    }
    std::string connect() {
        const std::string der = read_text(key_file("default_key.pub.der"));
        LegacyDevice device{
            {.id = kId, .key = device_key(), .server_key = {der.begin(), der.end()}}};
        return connect(device);
    }

    Folder folder_;
    std::string state_ = folder_ / "cloud";
    std::uint16_t port_ = 0;
};

TEST_F(ParticleProgram, InitMakesTheKeyInTheFormatsOfTheTools) {
    EXPECT_TRUE(has(read_text(key_file("default_key.pem")), "BEGIN PRIVATE KEY"));
    EXPECT_TRUE(has(read_text(key_file("default_key.pub.pem")), "BEGIN PUBLIC KEY"));
    EXPECT_EQ(fs::file_size(key_file("default_key.pub.der")), 294U);
    EXPECT_EQ(fs::status(key_file("default_key.pem")).permissions(), fs::perms{0600});
    const auto shown = device_key_command({"server"});
    EXPECT_EQ(shown.code, 0);
    EXPECT_TRUE(has(shown.output, key_file("default_key.pub.pem")));
    EXPECT_TRUE(has(shown.output, key_file("default_key.pub.der")));
}

TEST_F(ParticleProgram, ADeviceConnectsOnceTheOperatorHasStoredItsKey) {
    const auto running = start();
    EXPECT_NE(connect(), "connected");
    EXPECT_TRUE(eventually([&] { return has(log(), "no key stored"); })) << log();
    const std::string id = to_hex<std::string>(kId);
    const auto set = device_key_command({"set", id, folder_ / "device.pub.pem"});
    EXPECT_EQ(set.code, 0) << set.output;
    EXPECT_EQ(connect(), "connected") << log();
    EXPECT_TRUE(eventually([&] { return has(log(), "particle-connected device=" + id); })) << log();
    EXPECT_EQ(device_key_command({"list"}).output, id + "\n");
    EXPECT_EQ(device_key_command({"remove", id}).code, 0);
    EXPECT_EQ(device_key_command({"list"}).output, "");
    EXPECT_NE(connect(), "connected");
    EXPECT_EQ(device_key_command({"set", id, folder_ / "device.pub.der"}).code, 0);
    EXPECT_EQ(connect(), "connected");
    EXPECT_EQ(cloud({"status", "--state", state_}).code, 0);
    EXPECT_TRUE(has(cloud({"status", "--state", state_}).output, "legacy "));
}

TEST_F(ParticleProgram, WhatIsWrongWithAKeyIsSaid) {
    const auto no_id = device_key_command({"set", "b1e2", folder_ / "device.pub.pem"});
    EXPECT_EQ(no_id.code, 1);
    EXPECT_TRUE(has(no_id.output, "24 hexadecimal digits"));
    const std::string id = to_hex<std::string>(kId);
    const auto no_key = device_key_command({"set", id, key_file("default_key.pub.pem")});
    EXPECT_EQ(no_key.code, 1);
    EXPECT_TRUE(has(no_key.output, "1024 bits"));
    EXPECT_EQ(device_key_command({"set", id, folder_ / "nothing"}).code, 1);
    const auto unknown = device_key_command({"remove", id});
    EXPECT_EQ(unknown.code, 1);
    EXPECT_TRUE(has(unknown.output, "no key of device"));
    EXPECT_EQ(cloud({"device-key"}).code, 2);
    EXPECT_EQ(cloud({"device-key", "list", "--state", folder_ / "nowhere"}).code, 1);
}

TEST_F(ParticleProgram, TheDoctorLooksAtTheKeyAndThePort) {
    const auto ask = [this](const std::vector<std::string>& more) {
        std::vector<std::string> arguments{
            "doctor", "--state", state_, "--http", "127.0.0.1:0", "--devices", "127.0.0.1:0"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return cloud(arguments);
    };
    const auto good = ask({"--particle", "127.0.0.1:0"});
    EXPECT_EQ(good.code, 0) << good.output;
    EXPECT_TRUE(has(good.output, "legacy devices know this cloud is whole")) << good.output;
    EXPECT_TRUE(has(good.output, "is free for particle")) << good.output;
    EXPECT_TRUE(has(ask({"--particle-enrol"}).output, "Remove the setting particle-enrol"));
    write(key_file("default_key.pem"), "damaged");
    const auto bad = ask({});
    EXPECT_EQ(bad.code, 1);
    EXPECT_TRUE(has(bad.output, "default_key.pem is no RSA key")) << bad.output;
}

TEST_F(ParticleProgram, AFolderOfAnOlderVersionGetsAKeyAtTheFirstStart) {
    fs::remove_all(state_ + "/particle");
    const auto running = start({"--particle-enrol"});
    EXPECT_EQ(connect(), "connected") << log();
    EXPECT_TRUE(eventually([&] { return has(log(), "particle-enrolled"); })) << log();
}

TEST_F(ParticleProgram, AKeyOfAnOlderServerIsTakenAndADamagedOneLeftAlone) {
    fs::remove_all(state_ + "/particle");
    fs::create_directory(state_ + "/particle");
    ::chmod((state_ + "/particle").c_str(), 0700);
    const auto old = particle_openssl::ServerKey::generate();
    write(key_file("default_key.pem"), old->private_pem());
    {
        const auto running = start({"--particle-enrol"});
        EXPECT_EQ(connect(), "connected") << log();
    }
    EXPECT_EQ(read_text(key_file("default_key.pub.pem")), old->public_pem());
    write(key_file("default_key.pem"), "damaged");
    const auto refused = cloud({"run",
                                "--state",
                                state_,
                                "--http",
                                "127.0.0.1:0",
                                "--devices",
                                "127.0.0.1:0",
                                "--particle",
                                "127.0.0.1:0"});
    EXPECT_EQ(refused.code, 1);
    EXPECT_TRUE(has(refused.output, "default_key.pem is no RSA key")) << refused.output;
    EXPECT_EQ(read_text(key_file("default_key.pem")), "damaged");
}

TEST_F(ParticleProgram, ABackupHoldsTheKeysOfServerAndDevices) {
    const std::string id = to_hex<std::string>(kId);
    ASSERT_EQ(device_key_command({"set", id, folder_ / "device.pub.pem"}).code, 0);
    const std::string key = read_text(key_file("default_key.pem"));
    ASSERT_EQ(cloud({"backup", "--state", state_, folder_ / "backup"}).code, 0);
    fs::remove_all(state_);
    const auto restored = cloud({"restore", "--state", state_, folder_ / "backup"});
    ASSERT_EQ(restored.code, 0) << restored.output;
    EXPECT_EQ(read_text(key_file("default_key.pem")), key);
    const auto running = start();
    EXPECT_EQ(connect(), "connected") << log();
}

}  // namespace
}  // namespace sotto::cloud::server
