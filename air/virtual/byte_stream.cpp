// SPDX-License-Identifier: Apache-2.0
#include "air/virtual/byte_stream.hpp"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace sotto::air {

namespace asio = boost::asio;
using boost::system::error_code;

ByteStream::ByteStream(Socket socket)
    : socket_(std::move(socket)), stall_timer_(socket_.get_executor()) {}

void ByteStream::start(std::weak_ptr<Handler> handler) {
    handler_ = std::move(handler);
    read();
}

void ByteStream::read() {
    socket_.async_read_some(asio::buffer(input_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                                if (self->closed_) return;
                                if (error) return self->end(false);
                                if (const auto handler = self->handler_.lock())
                                    handler->on_bytes(Bytes{self->input_}.first(size));
                                if (!self->closed_) self->read();
                            });
}

void ByteStream::write(Bytes piece, bool counted) {
    if (closed_ || closing_) return;
    queued_.insert(queued_.end(), piece.begin(), piece.end());
    if (counted) ++queued_count_;
    if (writing_.empty()) write_queued();
}

void ByteStream::write_queued() {
    std::swap(queued_, writing_);
    writing_count_ = std::exchange(queued_count_, 0);
    queued_.clear();
    stall_timer_.expires_after(kStallTimeMax);
    stall_timer_.async_wait([weak = weak_from_this()](error_code error) {
        if (const auto self = weak.lock(); self && !error && !self->writing_.empty())
            self->end(true);
    });
    asio::async_write(socket_,
                      asio::buffer(writing_),
                      [self = shared_from_this()](error_code error, std::size_t) {
                          if (self->closed_) return;
                          if (error) return self->end(false);
                          self->on_written();
                      });
}

void ByteStream::on_written() {
    stall_timer_.cancel();
    const std::size_t count = std::exchange(writing_count_, 0);
    writing_.clear();
    if (!queued_.empty()) write_queued();
    const bool done = closing_ && is_idle();
    if (const auto handler = handler_.lock(); handler && count > 0) handler->on_written(count);
    if (done) end(false);
}

void ByteStream::close_when_sent() {
    closing_ = true;
    if (!is_idle() || closed_) return;
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->end(false); });
}

void ByteStream::close() {
    handler_.reset();
    end(false);
}

void ByteStream::end(bool stalled) {
    if (std::exchange(closed_, true)) return;
    error_code ignored;
    socket_.close(ignored);
    stall_timer_.cancel();
    if (const auto handler = std::exchange(handler_, {}).lock()) handler->on_closed(stalled);
}

}  // namespace sotto::air
