// SPDX-License-Identifier: Apache-2.0
// The values of one link, in both directions: through the sockets that BlueZ has given for its
// characteristics, or by calls and signals where it gave none. Frames are cut into values and put
// together again, in their order. Allocates; never blocks; everything happens in the thread that
// runs the io_context.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "air/bluez/limits.hpp"
#include "air/bluez/sequencer.hpp"
#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/framing/air_operation.hpp"
#include "core/framing/segment.hpp"

namespace sotto::air::bluez {

// The other end is closed: to recv() that is as a value without bytes.
bool is_at_end(int socket);

class ValueLine : public std::enable_shared_from_this<ValueLine> {
  public:
    // Calls come from the event loop, none after close().
    class Handler {
      public:
        virtual void on_frame(Bytes frame) = 0;
        virtual void on_value(Bytes value) = 0;  // of the bluz service
        virtual void on_sent(std::size_t count) = 0;
        // For the first time something came that is no part of a frame.
        virtual void on_dropped() {}
        // The last call.
        virtual void on_closed(bool is_stalled) = 0;

      protected:
        ~Handler() = default;
    };
    // Takes one value; on_written() is to follow.
    using Writer = std::function<void(Bytes value)>;

    // `handler` must live until close(). `stall_time`: that the other end may take nothing.
    ValueLine(boost::asio::io_context& loop,
              framing::Service service,
              Handler& handler,
              Duration stall_time = kStallTimeMax);

    void set_value_size(std::size_t size) { segmenter_.set_value_size(size); }
    // Takes a socket, which it closes.
    void write_to(int socket);
    void write_by(Writer writer);
    void read_from(int socket);
    // A value that came by signal.
    void receive(Bytes value);
    void on_written(bool is_ok);

    // As air::Link; before there is a way to write it waits.
    Status send(Bytes frame);
    Status write(Bytes value);
    // Of frames, or values of the bluz service.
    std::size_t unsent_count() const { return unsent_count_; }
    std::size_t value_size() const { return segmenter_.value_size(); }
    void close();

  private:
    using Socket = boost::asio::posix::stream_descriptor;
    struct Queued {
        std::vector<std::uint8_t> value;
        bool is_last;  // of its frame
    };

    void pump_soon();
    void pump();
    // True if it has left, or the line has ended.
    bool write_front();
    void on_front_left();
    void wait_to_write();
    void wait_to_read();
    void watch_writer();
    void read();
    bool read_one();
    void drain();
    void tell_dropped();
    void watch_gap();
    void end(bool is_stalled);

    boost::asio::io_context& loop_;
    framing::Service service_;
    Handler* handler_;
    Duration stall_time_;
    bool has_dropped_ = false;
    std::optional<Socket> writer_;
    std::optional<Socket> reader_;
    Writer write_by_;
    bool is_writing_ = false;
    bool is_pump_due_ = false;
    boost::asio::steady_timer stall_;
    boost::asio::steady_timer gap_;
    std::deque<Queued> queue_;
    std::size_t unsent_count_ = 0;
    framing::Segmenter segmenter_;
    Sequencer sequencer_;
    std::array<std::uint8_t, framing::kFrameSizeMax> frame_{};
    framing::Reassembler reassembler_{frame_};
};

}  // namespace sotto::air::bluez
