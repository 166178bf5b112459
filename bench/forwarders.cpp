// SPDX-License-Identifier: Apache-2.0
#include "bench/forwarders.hpp"

#include <csignal>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sotto::bench {
namespace {

void check(bool is_right) {
    if (!is_right) throw std::runtime_error{"the forwarders cannot be set up"};
}

// Both ends of a TCP connection over loopback.
std::array<int, 2> tcp_pair() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what the socket API wants
    auto* const general = reinterpret_cast<sockaddr*>(&address);
    check(::bind(listener, general, size) == 0 && ::listen(listener, 1) == 0 &&
          ::getsockname(listener, general, &size) == 0);
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(::connect(client, general, size) == 0);
    const int server = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    check(server >= 0);
    ::close(listener);
    const int on = 1;
    for (const int end : {client, server})
        ::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return {client, server};
}

std::array<int, 2> unix_pair() {
    std::array<int, 2> ends{};
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    return ends;
}

bool pass(int from, int to) {
    std::array<char, 4'096> buffer;
    const ssize_t size = ::read(from, buffer.data(), buffer.size());
    return size > 0 && ::write(to, buffer.data(), static_cast<std::size_t>(size)) == size;
}

// Passes what comes at either end on to the other, for ever.
[[noreturn]] void forward(int one, int other) {
    std::array<pollfd, 2> ends{{{one, POLLIN, 0}, {other, POLLIN, 0}}};
    while (::poll(ends.data(), ends.size(), -1) > 0) {
        if (ends[0].revents != 0 && !pass(one, other)) break;
        if (ends[1].revents != 0 && !pass(other, one)) break;
    }
    ::_exit(0);
}

[[noreturn]] void echo(int end) {
    while (pass(end, end)) {
    }
    ::_exit(0);
}

template <class Work>
pid_t start(Work work) {
    const pid_t process = ::fork();
    check(process >= 0);
    if (process == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        work();
    }
    return process;
}

}  // namespace

Forwarders::Forwarders() {
    const auto first = tcp_pair();
    const auto second = tcp_pair();
    const auto third = unix_pair();
    socket_ = first[0];
    processes_ = {start([&] { forward(first[1], second[0]); }),
                  start([&] { forward(second[1], third[0]); }),
                  start([&] { echo(third[1]); })};
    for (const int end : {first[1], second[0], second[1], third[0], third[1]}) ::close(end);
}

Forwarders::~Forwarders() {
    ::close(socket_);
    for (const pid_t process : processes_) {
        ::kill(process, SIGKILL);
        ::waitpid(process, nullptr, 0);
    }
}

void Forwarders::round_trip(std::span<std::uint8_t> bytes) const {
    check(::write(socket_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t size = ::read(socket_, bytes.data() + done, bytes.size() - done);
        check(size > 0);
        done += static_cast<std::size_t>(size);
    }
}

}  // namespace sotto::bench
