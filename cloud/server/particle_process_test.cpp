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
using testing::has;
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
    testing::Run keys_command(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "keys");
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
    const auto shown = keys_command({"server"});
    EXPECT_EQ(shown.code, 0);
    EXPECT_TRUE(has(shown.output, key_file("default_key.pub.pem")));
    EXPECT_TRUE(has(shown.output, key_file("default_key.pub.der")));
}

TEST_F(ParticleProgram, ADeviceConnectsOnceTheOperatorHasStoredItsKey) {
    const auto running = start();
    EXPECT_NE(connect(), "connected");
    EXPECT_TRUE(eventually([&] { return has(log(), "no key stored"); })) << log();
    const std::string id = to_hex<std::string>(kId);
    const auto set = keys_command({"set", id, folder_ / "device.pub.pem"});
    EXPECT_EQ(set.code, 0) << set.output;
    EXPECT_EQ(connect(), "connected") << log();
    EXPECT_TRUE(eventually([&] { return has(log(), "particle-connected device=" + id); })) << log();
    EXPECT_TRUE(has(keys_command({"list"}).output, id + "  "));
    EXPECT_EQ(keys_command({"remove", id}).code, 0);
    EXPECT_EQ(keys_command({"list"}).output, "");
    EXPECT_NE(connect(), "connected");
    EXPECT_EQ(keys_command({"set", id, folder_ / "device.pub.der"}).code, 0);
    EXPECT_EQ(connect(), "connected");
    EXPECT_EQ(cloud({"status", "--state", state_}).code, 0);
    EXPECT_TRUE(has(cloud({"status", "--state", state_}).output, "legacy "));
}

TEST_F(ParticleProgram, AKeyThatWasShownIsApproved) {
    const auto running = start();
    const std::string id = to_hex<std::string>(kId);
    EXPECT_EQ(keys_command({"approve", id}).code, 1);
    EXPECT_NE(connect(), "connected");
    ASSERT_TRUE(eventually([&] { return has(keys_command({"pending"}).output, id); })) << log();
    const std::string shown = keys_command({"pending"}).output;
    EXPECT_NE(connect(), "connected") << "nobody has approved it";
    EXPECT_EQ(keys_command({"approve", id, "--key", "0000"}).code, 1);
    EXPECT_EQ(keys_command({"approve", id, "--key", shown.substr(26, 8)}).code, 0) << shown;
    EXPECT_EQ(keys_command({"pending"}).output, "");
    EXPECT_EQ(keys_command({"list"}).output, shown);
    EXPECT_EQ(connect(), "connected");
}

TEST_F(ParticleProgram, ADeviceGetsAKeyThatIsMadeHere) {
    const auto running = start();
    const std::string id = to_hex<std::string>(kId);
    const auto made = keys_command({"new", id, folder_ / "made"});
    ASSERT_EQ(made.code, 0) << made.output;
    const std::string path = folder_ / ("made/" + id + ".der");
    EXPECT_EQ(fs::status(path).permissions(), fs::perms{0600});
    const std::string private_der = read_text(path);
    const std::string server = read_text(key_file("default_key.pub.der"));
    const LegacyKey key = LegacyKey::from(as_bytes(private_der));
    LegacyDevice device{{.id = kId, .key = key, .server_key = {server.begin(), server.end()}}};
    EXPECT_EQ(connect(device), "connected") << log();
    const auto again = keys_command({"new", id, folder_ / "made"});
    EXPECT_EQ(again.code, 1);
    EXPECT_EQ(read_text(path), private_der) << "it is left as it is";
}

TEST_F(ParticleProgram, TheKeyOfTheCloudIsRotatedWhileDevicesStillComeByTheFormerOne) {
    const std::string id = to_hex<std::string>(kId);
    ASSERT_EQ(keys_command({"set", id, folder_ / "device.pub.pem"}).code, 0);
    const std::string former = read_text(key_file("default_key.pub.der"));
    const auto come_by = [&](const std::string& key) {
        LegacyDevice device{
            {.id = kId, .key = device_key(), .server_key = {key.begin(), key.end()}}};
        return connect(device);
    };
    ASSERT_EQ(keys_command({"rotate"}).code, 0);
    const std::string present = read_text(key_file("default_key.pub.der"));
    EXPECT_NE(present, former);
    {
        const auto running = start();
        EXPECT_EQ(come_by(present), "connected") << log();
        EXPECT_TRUE(eventually([&] { return has(log(), "server_key=present"); })) << log();
        EXPECT_EQ(come_by(former), "connected");
        EXPECT_TRUE(eventually([&] { return has(log(), "server_key=previous"); })) << log();
    }
    const auto again = keys_command({"rotate"});
    EXPECT_EQ(again.code, 1) << "some devices may know it by three keys then";
    EXPECT_TRUE(has(again.output, "keys retire"));
    ASSERT_EQ(keys_command({"retire"}).code, 0);
    EXPECT_EQ(keys_command({"retire"}).code, 1);
    const auto running = start();
    EXPECT_EQ(come_by(present), "connected") << log();
    EXPECT_NE(come_by(former), "connected");
}

TEST_F(ParticleProgram, TheKeysOfAnotherServerAreTaken) {
    const std::string id = to_hex<std::string>(kId);
    const std::string folder = folder_ / "old";
    fs::create_directory(folder);
    // What a server has: its key, those of its devices, and what was shown to it.
    Folder other;
    const std::string other_state = other / "cloud";
    ASSERT_EQ(cloud({"init", "--state", other_state}).code, 0);
    fs::copy(other_state + "/particle/default_key.pem", folder + "/default_key.pem");
    fs::copy(folder_ / "device.pub.pem", folder + "/" + id + ".pub.pem");
    fs::copy(folder_ / "device.pub.pem",
             folder + "/" + std::string(24, 'a') + "_handshake.pub.pem");
    write(folder + "/" + std::string(24, 'b') + ".pub.pem", "no key");
    write(folder + "/notes.txt", "to be left alone");

    const auto taken = keys_command({"import", folder});
    ASSERT_EQ(taken.code, 0) << taken.output;
    EXPECT_TRUE(has(taken.output, "1 keys of devices were taken, 0 were known already, 1 wait"))
        << taken.output;
    EXPECT_TRUE(has(taken.output, std::string(24, 'b') + ".pub.pem: it must be")) << taken.output;
    EXPECT_TRUE(has(keys_command({"pending"}).output, std::string(24, 'a')));
    const auto again = keys_command({"import", folder});
    EXPECT_TRUE(has(again.output, "0 keys of devices were taken, 1 were known already"));

    const auto running = start();
    const std::string server = read_text(other_state + "/particle/default_key.pub.der");
    LegacyDevice device{
        {.id = kId, .key = device_key(), .server_key = {server.begin(), server.end()}}};
    EXPECT_EQ(connect(device), "connected") << "it has noticed nothing\n" << log();
    EXPECT_EQ(keys_command({"import", folder_ / "nowhere"}).code, 1);
}

TEST_F(ParticleProgram, TheKeyOfTheCloudIsWrittenAsDevicesKeepIt) {
    const auto photon = keys_command({"server", "--for", "photon", "--address", "10.0.0.7:5683"});
    ASSERT_EQ(photon.code, 0) << photon.output;
    EXPECT_TRUE(has(photon.output, "dfu-util -d 2b04:d006 -a 1 -s 2082")) << photon.output;
    const std::string segment = read_text(key_file("server_photon.bin"));
    ASSERT_EQ(segment.size(), 512U);
    EXPECT_EQ(segment.substr(0, 294), read_text(key_file("default_key.pub.der")));
    EXPECT_EQ(segment.substr(384, 6), std::string("\0\x04\x0a\0\0\x07", 6));
    const auto bluz = keys_command({"server", "--for", "bluz"});
    EXPECT_TRUE(has(bluz.output, "sotto keys flash")) << bluz.output;
    EXPECT_EQ(read_text(key_file("server_bluz.bin")).size(), 294U);
    EXPECT_EQ(keys_command({"server", "--for", "bluz", "--address", "10.0.0.7:5683"}).code, 1);
    EXPECT_EQ(keys_command({"server", "--for", "toaster"}).code, 1);
    EXPECT_EQ(keys_command({"server", "--for", "p1", "--address", "x:99999"}).code, 1);
}

TEST_F(ParticleProgram, WhatIsWrongWithAKeyIsSaid) {
    const auto no_id = keys_command({"set", "b1e2", folder_ / "device.pub.pem"});
    EXPECT_EQ(no_id.code, 1);
    EXPECT_TRUE(has(no_id.output, "24 hexadecimal digits"));
    const std::string id = to_hex<std::string>(kId);
    const auto no_key = keys_command({"set", id, key_file("default_key.pub.pem")});
    EXPECT_EQ(no_key.code, 1);
    EXPECT_TRUE(has(no_key.output, "1024 bits"));
    EXPECT_EQ(keys_command({"set", id, folder_ / "nothing"}).code, 1);
    const auto unknown = keys_command({"remove", id});
    EXPECT_EQ(unknown.code, 1);
    EXPECT_TRUE(has(unknown.output, "no key of device"));
    EXPECT_EQ(cloud({"keys"}).code, 2);
    EXPECT_EQ(cloud({"keys", "list", "--state", folder_ / "nowhere"}).code, 1);
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
    ASSERT_EQ(keys_command({"set", id, folder_ / "device.pub.pem"}).code, 0);
    ASSERT_EQ(keys_command({"rotate"}).code, 0);
    const std::string key = read_text(key_file("default_key.pem"));
    const std::string former = read_text(key_file("previous_key.pem"));
    ASSERT_EQ(cloud({"backup", "--state", state_, folder_ / "backup"}).code, 0);
    fs::remove_all(state_);
    const auto restored = cloud({"restore", "--state", state_, folder_ / "backup"});
    ASSERT_EQ(restored.code, 0) << restored.output;
    EXPECT_EQ(read_text(key_file("default_key.pem")), key);
    EXPECT_EQ(read_text(key_file("previous_key.pem")), former);
    const auto running = start();
    EXPECT_EQ(connect(), "connected") << log();
}

}  // namespace
}  // namespace sotto::cloud::server
