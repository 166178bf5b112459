// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/ready_sockets.hpp"

#include <cerrno>

#include <boost/system/system_error.hpp>

namespace sotto::cloud::server {

using boost::system::error_code;

namespace {

int make_epoll() {
    const int made = ::epoll_create1(EPOLL_CLOEXEC);
    if (made < 0) throw boost::system::system_error{errno, boost::system::system_category()};
    return made;
}

}  // namespace

ReadySockets::ReadySockets(boost::asio::io_context& loop) : epoll_(loop, make_epoll()) { wait(); }

bool ReadySockets::add(int socket, Listener& listener) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &listener}};
    return ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, socket, &event) == 0;
}

void ReadySockets::wait_for_room(int socket, Listener& listener, bool is_wanted) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &listener}};
    if (is_wanted) event.events |= EPOLLOUT;
    ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_MOD, socket, &event);
}

void ReadySockets::remove(int socket, const Listener& listener) {
    ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, socket, nullptr);
    for (epoll_event& event : unserved_)
        if (event.data.ptr == &listener) event.data.ptr = nullptr;
}

void ReadySockets::stop() {
    error_code ignored;
    epoll_.close(ignored);
}

void ReadySockets::wait() {
    epoll_.async_wait(Descriptor::wait_read, [this](error_code error) {
        if (error) return;
        for (int round = 0; round < kReadyRoundsMax; ++round)
            if (serve() < kReadySocketsMax / 8) break;
        if (epoll_.is_open()) wait();
    });
}

// The number of those that were ready.
std::size_t ReadySockets::serve() {
    const int count =
        ::epoll_wait(epoll_.native_handle(), ready_.data(), static_cast<int>(ready_.size()), 0);
    if (count <= 0) return 0;
    unserved_ = {ready_.data(), static_cast<std::size_t>(count)};
    while (!unserved_.empty()) {
        const epoll_event event = unserved_.front();
        unserved_ = unserved_.subspan(1);
        if (event.data.ptr == nullptr) continue;
        static_cast<Listener*>(event.data.ptr)
            ->on_ready((event.events & ~static_cast<unsigned>(EPOLLOUT)) != 0,
                       (event.events & EPOLLOUT) != 0);
    }
    return static_cast<std::size_t>(count);
}

}  // namespace sotto::cloud::server
