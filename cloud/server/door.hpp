// SPDX-License-Identifier: Apache-2.0
// Takes one connection after the other from a socket that listens; where the system has none to
// give, it waits a moment. Never blocks; everything happens in the thread that runs the io_context.
#pragma once

#include <functional>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "cloud/server/limits.hpp"
#include "cloud/server/stream.hpp"

namespace sotto::cloud::server {

template <class Protocol>
class Door {
  public:
    using Acceptor = boost::asio::basic_socket_acceptor<Protocol, Executor>;
    using Socket = boost::asio::basic_stream_socket<Protocol, Executor>;
    using OnSocket = std::function<void(Socket)>;

    // `acceptor` listens already. Must live until the event loop has ended.
    Door(boost::asio::io_context& loop, Acceptor acceptor, OnSocket on_socket)
        : acceptor_(std::move(acceptor)), pause_(loop), on_socket_(std::move(on_socket)) {}
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;

    void open() {
        acceptor_.async_accept([this](boost::system::error_code error, Socket socket) {
            if (!acceptor_.is_open()) return;
            if (error) return wait();
            on_socket_(std::move(socket));
            open();
        });
    }
    // Takes no more.
    void close() {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        pause_.cancel();
    }

  private:
    void wait() {
        pause_.expires_after(kAcceptPause);
        pause_.async_wait([this](boost::system::error_code cancelled) {
            if (!cancelled) open();
        });
    }

    Acceptor acceptor_;
    boost::asio::steady_timer pause_;
    OnSocket on_socket_;
};

}  // namespace sotto::cloud::server
