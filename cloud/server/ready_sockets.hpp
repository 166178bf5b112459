// SPDX-License-Identifier: Apache-2.0
// Waits for thousands of sockets that are silent most of the time: the event loop wakes up once for
// all that are ready, and a socket costs no call of the system between two messages and no memory
// here. Allocates nothing for a socket; never blocks; owns no socket.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <sys/epoll.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "cloud/server/limits.hpp"
#include "cloud/server/stream.hpp"

namespace sotto::cloud::server {

class ReadySockets {
  public:
    // Hears of one socket, again as long as it does not do what the socket is ready for.
    class Listener {
      public:
        virtual void on_ready(bool is_readable, bool is_writable) = 0;

      protected:
        ~Listener() = default;
    };

    // Throws boost::system::system_error if the system has no file for it. Must live until the
    // event loop has ended.
    explicit ReadySockets(boost::asio::io_context& loop);
    ReadySockets(const ReadySockets&) = delete;
    ReadySockets& operator=(const ReadySockets&) = delete;

    // Whether the system does it. The listener must live until remove().
    bool add(int socket, Listener& listener);
    // Beside bytes to read, which are always waited for.
    void wait_for_room(int socket, Listener& listener, bool is_wanted);
    // Nothing comes of it any more. It may have been removed already.
    void remove(int socket, const Listener& listener);

    void stop();

  private:
    using Descriptor = boost::asio::posix::basic_stream_descriptor<Executor>;

    void wait();
    std::size_t serve();

    Descriptor epoll_;
    std::array<epoll_event, kReadySocketsMax> ready_{};
    std::span<epoll_event> unserved_;  // of those
};

}  // namespace sotto::cloud::server
