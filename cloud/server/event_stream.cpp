// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/event_stream.hpp"

#include <utility>

#include <boost/asio/write.hpp>

#include "cloud/http/limits.hpp"
#include "cloud/http/sse.hpp"
#include "cloud/server/limits.hpp"

namespace sotto::cloud::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// Its end is the end of the connection (RFC 9112 §6.3).
constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: text/event-stream; charset=utf-8\r\n"
    "Cache-Control: no-store\r\n"
    "Access-Control-Allow-Origin: *\r\n"
    "X-Accel-Buffering: no\r\n"
    "Connection: close\r\n"
    "\r\n";

}  // namespace

EventStream::EventStream(Stream stream, http::OpenStream opened, const Services& services)
    : services_(services),
      stream_(std::move(stream)),
      opened_(std::move(opened)),
      place_in_ring_(opened_.after),
      timer_(stream_.get_executor()) {}

void EventStream::start() {
    place_ = services_.streams.insert(services_.streams.end(), this);
    services_.ring.listen(opened_.filter.owner, *this);
    write(std::string{kHead} + std::string{http::kStreamGreeting});
    write_next();
    read();
    wait();
}

void EventStream::on_news() { write_next(); }

// Each event whole and by itself, until there is no more or the reader takes no more.
void EventStream::write_next() {
    while (place_ && !is_writing_) {
        if (std::exchange(is_time_, false)) {
            write(http::kStreamHeartbeat);
            continue;
        }
        const services::EventPtr event = services_.ring.next(opened_.filter, place_in_ring_);
        if (!event) return;
        write(event->text);
    }
}

// At once, as nearly always the socket takes it; what it does not take is kept and waited for.
void EventStream::write(std::string_view text) {
    const auto size =
        stream_.is_tls() ? std::optional<std::size_t>{0} : stream_.write_now(as_bytes(text));
    if (!size) return leave();
    if (*size == text.size()) return;
    is_writing_ = true;
    output_ = text.substr(*size);
    stream_.expires_after(kStreamWriteTimeMax);
    asio::async_write(stream_,
                      asio::buffer(output_),
                      [self = shared_from_this()](error_code error, std::size_t /*size*/) {
                          self->is_writing_ = false;
                          if (error) return self->leave();
                          if (!self->place_) return;
                          self->stream_.expires_never();
                          self->output_ = {};
                          self->write_next();
                      });
}

// The reader has nothing to say; that he goes is to be noticed.
void EventStream::read() {
    stream_.async_read_some(asio::buffer(input_),
                            [self = shared_from_this()](error_code error, std::size_t /*size*/) {
                                if (error) return self->leave();
                                if (self->place_) self->read();
                            });
}

void EventStream::wait() {
    timer_.expires_after(std::chrono::milliseconds{http::kHeartbeat.ms});
    timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
        const auto self = weak.lock();
        if (!cancelled && self && self->place_) self->on_time();
    });
}

void EventStream::on_time() {
    wait();
    opened_.is_good([weak = weak_from_this()](bool is_good) {
        const auto self = weak.lock();
        if (self && !is_good) self->leave();
    });
    is_time_ = true;
    write_next();
}

void EventStream::leave() {
    if (!place_) return;
    services_.streams.erase(*std::exchange(place_, std::nullopt));
    services_.ring.unlisten(opened_.filter.owner, *this);
    services_.rest.end_stream(opened_.filter.owner);
    timer_.cancel();
    stream_.close();
}

}  // namespace sotto::cloud::server
