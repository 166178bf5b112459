// SPDX-License-Identifier: Apache-2.0
// `sotto keys flash` with a pseudo-terminal for the serial line, at whose other end the boot
// program of a bluz board is played from its description.
#include <array>
#include <atomic>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <termios.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "testing/program.hpp"

namespace sotto::integration {
namespace {

using Bytes = std::vector<char>;

class Board {
  public:
    Board() : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
        EXPECT_EQ(::grantpt(master_), 0);
        EXPECT_EQ(::unlockpt(master_), 0);
        std::array<char, 64> name{};
        EXPECT_EQ(::ptsname_r(master_, name.data(), name.size()), 0);
        path_ = name.data();
        thread_ = std::thread{[this] { run(); }};
    }
    ~Board() {
        is_ending_ = true;
        thread_.join();
        ::close(master_);
    }
    Board(const Board&) = delete;
    Board& operator=(const Board&) = delete;

    const std::string& path() const { return path_; }
    // How the board behaves, from the next key on.
    std::atomic<bool> is_deaf = false;
    std::atomic<int> lies_from_block = 1'000;
    // What it has; to be looked at when the program has ended.
    Bytes device_key;
    Bytes server_key;
    bool has_left = false;
    speed_t speed = B0;

  private:
    bool take(char& byte) {
        while (!is_ending_) {
            pollfd ready{.fd = master_, .events = POLLIN, .revents = 0};
            if (::poll(&ready, 1, 20) <= 0 || (ready.revents & POLLIN) == 0) {
                if ((ready.revents & POLLHUP) != 0) ::usleep(2'000);  // nobody has it open
                continue;
            }
            if (::read(master_, &byte, 1) == 1) return true;
        }
        return false;
    }
    void say(const std::string& text) {
        EXPECT_EQ(::write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    void run() {
        for (char command = 0; take(command);) {
            if (is_deaf) continue;
            if (command == 'e') has_left = true;
            if (command == 'r') take_key(device_key);
            if (command == 'u') take_key(server_key);
        }
    }
    void take_key(Bytes& key) {
        termios settings{};
        if (::tcgetattr(master_, &settings) == 0) speed = ::cfgetospeed(&settings);
        std::size_t size = 0;
        for (int i = 0; i < 4; ++i) {
            char byte = 0;
            if (!take(byte)) return;
            size = size << 8 | static_cast<unsigned char>(byte);
        }
        key.clear();  // erased
        say(std::to_string(size) + "\n");
        for (int block = 0; key.size() < size; ++block) {
            const std::size_t due = std::min<std::size_t>(1'024, size - key.size());
            for (std::size_t i = 0; i < due; ++i) {
                char byte = 0;
                if (!take(byte)) return;
                key.push_back(byte);
            }
            say(std::to_string(block >= lies_from_block ? due - 1 : due) + "\r\n");
        }
    }

    int master_;
    std::string path_;
    std::atomic<bool> is_ending_ = false;
    std::thread thread_;
};

class SerialTest : public ::testing::Test {
  protected:
    SerialTest() {
        server_key_ =
            filled(294, {0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
                         0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01,
                         0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00});
        device_key_ =
            filled(608, {0x30, 0x82, 0x02, 0x5c, 0x02, 0x01, 0x00, 0x02, 0x81, 0x81, 0x00});
        write("server.der", server_key_);
        write("device.der", device_key_);
    }
    static Bytes filled(std::size_t size, const std::vector<int>& front) {
        Bytes bytes(front.begin(), front.end());
        while (bytes.size() < size) bytes.push_back(static_cast<char>(bytes.size() * 11));
        return bytes;
    }
    void write(const std::string& name, const Bytes& content) const {
        std::ofstream{folder_ / name, std::ios::binary}.write(
            content.data(), static_cast<std::streamsize>(content.size()));
    }
    testing::Run flash(const std::vector<std::string>& more) const {
        std::vector<std::string> arguments{"keys", "flash", "--serial", board_.path()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return testing::run(SOTTO_BINARY_DIR "/bin/sotto", arguments);
    }

    testing::Folder folder_;
    Board board_;
    Bytes server_key_;
    Bytes device_key_;
};

TEST_F(SerialTest, PutsBothKeysOnABoardAndStartsIt) {
    const testing::Run run =
        flash({"--device-key", folder_ / "device.der", "--server-key", folder_ / "server.der"});
    EXPECT_EQ(run.code, 0) << run.output;
    EXPECT_TRUE(testing::eventually([this] { return board_.has_left; }));
    EXPECT_EQ(board_.device_key, device_key_);
    EXPECT_EQ(board_.server_key, server_key_);
    EXPECT_EQ(board_.speed, speed_t{B38400});
}

TEST_F(SerialTest, AFileThatIsNoKeyErasesNothing) {
    const std::vector<std::vector<std::string>> kWrong{{"--device-key", folder_ / "server.der"},
                                                       {"--server-key", folder_ / "device.der"},
                                                       {"--server-key", folder_ / "none.der"},
                                                       {}};
    for (const auto& arguments : kWrong) {
        const testing::Run run = flash(arguments);
        EXPECT_EQ(run.code, 1) << run.output;
    }
    EXPECT_TRUE(board_.device_key.empty());
    EXPECT_TRUE(board_.server_key.empty());
    EXPECT_EQ(testing::run(SOTTO_BINARY_DIR "/bin/sotto",
                           {"keys",
                            "flash",
                            "--serial",
                            folder_ / "server.der",
                            "--server-key",
                            folder_ / "server.der"})
                  .code,
              1)
        << "that is no serial line";
}

TEST_F(SerialTest, ABoardThatTookSomethingElseIsReported) {
    board_.lies_from_block = 0;
    const testing::Run run = flash({"--server-key", folder_ / "server.der"});
    EXPECT_EQ(run.code, 4) << run.output;
    EXPECT_NE(run.output.find("do it again"), std::string::npos) << run.output;
}

}  // namespace
}  // namespace sotto::integration
