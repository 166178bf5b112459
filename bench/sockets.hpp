// SPDX-License-Identifier: Apache-2.0
// Sockets of a benchmark that works with many at a time, and a process beside it. Throw
// std::runtime_error.
#pragma once

#include <arpa/inet.h>
#include <csignal>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measure.hpp"
#include "core/base/bytes.hpp"
#include "testing/particle/legacy_device.hpp"

namespace sotto::bench {

using testing::LegacyDevice;

// From 127.0.`network`.1: the cloud counts connections by where they come from.
inline int connect_to(const std::string& place, std::uint8_t network = 0) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(place.substr(place.find(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    const int yes = 1;
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (std::uint32_t{network} << 8U));
    ::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): what the calls want
    ::bind(socket, reinterpret_cast<const sockaddr*>(&source), sizeof source);
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
    if (::connect(socket, name, sizeof address) != 0) throw std::runtime_error{"cannot connect"};
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return socket;
}

// A device and its socket.
class Client {
  public:
    Client(const std::string& place, const LegacyDevice::Setup& setup)
        : device(setup), socket_(connect_to(place, setup.id[3])) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { ::close(socket_); }

    int socket() const { return socket_; }
    void read() {
        receive();
        flush();
    }
    // What it says to that waits for flush().
    void receive() {
        std::uint8_t piece[1'024];
        const ssize_t size = ::recv(socket_, piece, sizeof piece, MSG_DONTWAIT);
        if (size == 0) throw std::runtime_error{"the cloud hung up on a device"};
        if (size > 0) device.receive(Bytes{piece, static_cast<std::size_t>(size)});
        while (device.step()) {
        }
        if (!device.trouble().empty()) throw std::runtime_error{device.trouble()};
    }
    void flush() {
        const auto output = device.take_output();
        if (!output.empty()) ::send(socket_, output.data(), output.size(), MSG_NOSIGNAL);
    }

    LegacyDevice device;

  private:
    int socket_;
};

// Sockets by what they wait for.
class Poller {
  public:
    Poller() : epoll_(::epoll_create1(0)) {}
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;
    ~Poller() { ::close(epoll_); }
    void add(int socket, std::size_t number) {
        epoll_event event{.events = EPOLLIN, .data = {.u64 = number}};
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
    }
    template <class OnReady>
    void wait(OnReady on_ready, int timeout_ms = 1'000) {
        epoll_event events[64];
        const int count = ::epoll_wait(epoll_, events, 64, timeout_ms);
        for (int i = 0; i < count; ++i) on_ready(static_cast<std::size_t>(events[i].data.u64));
    }

  private:
    int epoll_;
};

// Another process, until it is killed.
class Child {
  public:
    template <class Work>
    explicit Child(Work work) : process_(::fork()) {
        if (process_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        work();
        ::_exit(0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
    }
    double cpu_seconds() const { return cpu_seconds_of(process_); }

  private:
    pid_t process_;
};

}  // namespace sotto::bench
