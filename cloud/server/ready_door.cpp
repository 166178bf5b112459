// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/ready_door.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <utility>

#include "cloud/server/limits.hpp"

namespace sotto::cloud::server {

namespace {

// accept(2): what is wrong with one connection says nothing of the next.
bool is_of_one(int error) {
    return error == ECONNABORTED || error == EPROTO || error == EINTR || error == EPERM;
}

}  // namespace

ReadyDoor::ReadyDoor(ReadySockets& sockets, Acceptor acceptor, OnSocket on_socket)
    : sockets_(sockets), acceptor_(std::move(acceptor)), on_socket_(std::move(on_socket)) {
    acceptor_.native_non_blocking(true);
}

void ReadyDoor::open() { is_pausing_ = !sockets_.add(acceptor_.native_handle(), *this); }

void ReadyDoor::close() {
    is_pausing_ = false;
    if (!acceptor_.is_open()) return;
    sockets_.remove(acceptor_.native_handle(), *this);
    boost::system::error_code ignored;
    acceptor_.close(ignored);
}

void ReadyDoor::on_ready(bool /*is_readable*/, bool /*is_writable*/) {
    for (std::size_t i = 0; i < kAcceptedAtOnceMax && acceptor_.is_open(); ++i)
        if (!take_one()) return;
}

bool ReadyDoor::take_one() {
    boost::asio::ip::tcp::endpoint from;
    auto size = static_cast<socklen_t>(from.capacity());
    ports::File socket{
        ::accept4(acceptor_.native_handle(), from.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (socket.is_open()) {
        from.resize(size);
        on_socket_(std::move(socket), from.address());
        return true;
    }
    if (is_of_one(errno)) return true;
    if (errno == EAGAIN) return false;
    sockets_.remove(acceptor_.native_handle(), *this);
    is_pausing_ = true;
    return false;
}

}  // namespace sotto::cloud::server
