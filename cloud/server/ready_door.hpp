// SPDX-License-Identifier: Apache-2.0
// As Door, for a port to which thousands may come at once: several connections a turn, and no more
// calls of the system for one than it takes. Where the system has none to give, it waits for the
// next on_time(). Never blocks; everything happens in the thread that runs the io_context.
#pragma once

#include <functional>

#include "cloud/server/ready_sockets.hpp"
#include "cloud/server/stream.hpp"
#include "ports/linux/file.hpp"

namespace sotto::cloud::server {

class ReadyDoor final : public ReadySockets::Listener {
  public:
    using OnSocket = std::function<void(ports::File, const boost::asio::ip::address&)>;

    // `acceptor` listens already. Must live until the event loop has ended.
    ReadyDoor(ReadySockets& sockets, Acceptor acceptor, OnSocket on_socket);
    ReadyDoor(const ReadyDoor&) = delete;
    ReadyDoor& operator=(const ReadyDoor&) = delete;

    // Also after a pause.
    void open();
    // Takes no more.
    void close();
    void on_time() {
        if (is_pausing_) open();
    }
    void on_ready(bool is_readable, bool is_writable) override;

  private:
    // Whether there may be another one.
    bool take_one();

    ReadySockets& sockets_;
    Acceptor acceptor_;
    OnSocket on_socket_;
    bool is_pausing_ = false;
};

}  // namespace sotto::cloud::server
