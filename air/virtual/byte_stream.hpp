// SPDX-License-Identifier: Apache-2.0
// A connected socket of the virtual air: reads as fast as it can, writes what is queued, notices a
// peer that takes nothing. Allocates; never blocks. Its handler is borrowed weakly and is kept
// alive during its calls.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "air/virtual/limits.hpp"
#include "core/base/bytes.hpp"

namespace sotto::air {

class ByteStream : public std::enable_shared_from_this<ByteStream> {
  public:
    using Socket = boost::asio::local::stream_protocol::socket;

    class Handler {
      public:
        virtual void on_bytes(Bytes bytes) = 0;
        // That many counted pieces have left; at least one.
        virtual void on_written(std::size_t piece_count) = 0;
        // The last call: the peer has gone or has stalled.
        virtual void on_closed(bool stalled) = 0;

      protected:
        ~Handler() = default;
    };

    explicit ByteStream(Socket socket);

    // Starts reading. Call once.
    void start(std::weak_ptr<Handler> handler);
    // From now on others take the calls.
    void set_handler(std::weak_ptr<Handler> handler) { handler_ = std::move(handler); }
    // Queues one piece; on_written() and unsent_count() know of it if it is `counted`.
    // Precondition: the owner bounds how much it queues.
    void write(Bytes piece, bool counted);
    std::size_t unsent_count() const { return queued_count_ + writing_count_; }
    // Closes when all that is queued has left; the handler then hears on_closed().
    void close_when_sent();
    // Closes now; no further call reaches the handler.
    void close();

  private:
    bool is_idle() const { return queued_.empty() && writing_.empty(); }
    void read();
    void write_queued();
    void on_written();
    void end(bool stalled);

    Socket socket_;
    boost::asio::steady_timer stall_timer_;
    std::weak_ptr<Handler> handler_;
    std::array<std::uint8_t, kReadSize> input_;
    std::vector<std::uint8_t> queued_;
    std::vector<std::uint8_t> writing_;
    std::size_t queued_count_ = 0;
    std::size_t writing_count_ = 0;
    bool closing_ = false;
    bool closed_ = false;
};

}  // namespace sotto::air
