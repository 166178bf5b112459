// SPDX-License-Identifier: Apache-2.0
#include "ports/service/notify.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace sotto::ports {
namespace {

class NotifyTest : public ::testing::Test {
  protected:
    NotifyTest() {
        const std::string name = "/sotto-notify-" + std::to_string(::getpid());
        std::memcpy(address_.sun_path + 1, name.data(), name.size());  // an abstract socket
        address_.sun_family = AF_UNIX;
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address_), size), 0);
        ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
        ::unsetenv("WATCHDOG_USEC");
        ::unsetenv("WATCHDOG_PID");
    }
    ~NotifyTest() override {
        ::close(socket_);
        ::unsetenv("NOTIFY_SOCKET");
        ::unsetenv("WATCHDOG_USEC");
        ::unsetenv("WATCHDOG_PID");
    }

    std::string heard() {
        std::array<char, 64> text{};
        const ssize_t size = ::recv(socket_, text.data(), text.size(), MSG_DONTWAIT);
        return {text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
    }

  private:
    sockaddr_un address_{};
    int socket_ = ::socket(AF_UNIX, SOCK_DGRAM, 0);
};

TEST_F(NotifyTest, TheManagerHearsHowItGoes) {
    const ServiceManager manager;
    EXPECT_TRUE(manager.is_there());
    manager.say_ready();
    EXPECT_EQ(heard(), "READY=1");
    manager.say_alive();
    EXPECT_EQ(heard(), "") << "nobody waits for it";
    manager.say_stopping();
    EXPECT_EQ(heard(), "STOPPING=1");
}

TEST_F(NotifyTest, AWatchdogIsFed) {
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    const ServiceManager manager;
    EXPECT_EQ(manager.watchdog(), std::chrono::seconds{30});
    manager.say_alive();
    EXPECT_EQ(heard(), "WATCHDOG=1");
    ::setenv("WATCHDOG_PID", "1", 1);
    EXPECT_FALSE(ServiceManager{}.watchdog()) << "it is another process's";
}

TEST_F(NotifyTest, WithoutAManagerNothingIsSaid) {
    ::unsetenv("NOTIFY_SOCKET");
    ServiceManager{}.say_ready();
    ::setenv("NOTIFY_SOCKET", "relative", 1);
    EXPECT_FALSE(ServiceManager{}.is_there());
    ::setenv("NOTIFY_SOCKET", "/nowhere/socket", 1);
    ServiceManager{}.say_ready();
    EXPECT_EQ(heard(), "");
}

}  // namespace
}  // namespace sotto::ports
