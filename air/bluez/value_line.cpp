// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/value_line.hpp"

#include <cerrno>
#include <chrono>
#include <poll.h>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/post.hpp>

namespace sotto::air::bluez {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

Instant now() {
    const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::milliseconds>(since_start).count()};
}

}  // namespace

bool is_at_end(int socket) {
    pollfd state{.fd = socket, .events = POLLIN, .revents = 0};
    return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLERR)) != 0;
}

ValueLine::ValueLine(asio::io_context& loop,
                     framing::Service service,
                     Handler& handler,
                     Duration stall_time)
    : loop_(loop),
      service_(service),
      handler_(&handler),
      stall_time_(stall_time),
      stall_(loop),
      gap_(loop) {}

void ValueLine::write_to(int socket) {
    const int size = kSocketBufferSize;  // more than that would only wait somewhere else
    (void)::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    writer_.emplace(loop_, socket);
    watch_writer();
    pump_soon();
}

// It ends when the link does; nothing comes through it.
void ValueLine::watch_writer() {
    writer_->async_wait(Socket::wait_read, [weak = weak_from_this()](error_code error) {
        const auto self = weak.lock();
        if (!self || error || !self->writer_) return;
        std::array<std::uint8_t, 1> ignored;
        const auto size =
            ::recv(self->writer_->native_handle(), ignored.data(), ignored.size(), MSG_DONTWAIT);
        const bool is_open = size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
        return is_open ? self->watch_writer() : self->end(false);
    });
}

void ValueLine::write_by(Writer writer) {
    write_by_ = std::move(writer);
    pump_soon();
}

void ValueLine::read_from(int socket) {
    reader_.emplace(loop_, socket);
    wait_to_read();
}

Status ValueLine::send(Bytes frame) {
    if (handler_ == nullptr || service_ != framing::Service::Sotto) return Error::WrongState;
    if (unsent_count_ >= kQueuedFramesMax) return Error::Busy;
    SOTTO_TRY(segmenter_.begin(frame));
    std::array<std::uint8_t, framing::kValueSizeMax> buffer;
    while (!segmenter_.is_idle()) {
        const Bytes value = segmenter_.next(buffer);
        queue_.push_back({{value.begin(), value.end()}, segmenter_.is_idle()});
    }
    ++unsent_count_;
    pump_soon();
    return {};
}

Status ValueLine::write(Bytes value) {
    if (handler_ == nullptr || service_ != framing::Service::Bluz) return Error::WrongState;
    if (unsent_count_ >= kQueuedFramesMax) return Error::Busy;
    if (value.empty() || value.size() > kBearerValueSizeMax) return Error::InvalidArgument;
    queue_.push_back({{value.begin(), value.end()}, true});
    ++unsent_count_;
    pump_soon();
    return {};
}

void ValueLine::close() {
    handler_ = nullptr;
    writer_.reset();
    reader_.reset();
    write_by_ = nullptr;
    stall_.cancel();
    gap_.cancel();
    queue_.clear();
}

void ValueLine::pump_soon() {
    if (std::exchange(is_pump_due_, true)) return;
    asio::post(loop_, [self = shared_from_this()] {
        self->is_pump_due_ = false;
        self->pump();
    });
}

void ValueLine::pump() {
    while (handler_ != nullptr && !queue_.empty() && !is_writing_) {
        if (write_by_) {
            is_writing_ = true;
            wait_to_write();
            write_by_(queue_.front().value);
            return;
        }
        if (!writer_ || !write_front()) return;
    }
}

bool ValueLine::write_front() {
    const auto& value = queue_.front().value;
    const auto written =
        ::send(writer_->native_handle(), value.data(), value.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written >= 0) {
        on_front_left();
        return true;
    }
    if (errno == EINTR) return true;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
        is_writing_ = true;
        wait_to_write();
        writer_->async_wait(Socket::wait_write, [weak = weak_from_this()](error_code error) {
            const auto self = weak.lock();
            if (!self || error) return;
            self->is_writing_ = false;
            self->stall_.cancel();
            self->pump();
        });
        return false;
    }
    end(false);
    return true;
}

void ValueLine::on_front_left() {
    const bool is_last = queue_.front().is_last;
    queue_.pop_front();
    if (!is_last) return;
    --unsent_count_;
    handler_->on_sent(1);
}

void ValueLine::on_written(bool is_ok) {
    if (handler_ == nullptr || !std::exchange(is_writing_, false)) return;
    stall_.cancel();
    if (!is_ok) return end(false);
    on_front_left();
    pump();
}

void ValueLine::wait_to_write() {
    stall_.expires_after(std::chrono::milliseconds{stall_time_.ms});
    stall_.async_wait([weak = weak_from_this()](error_code error) {
        const auto self = weak.lock();
        if (self && !error && self->is_writing_) self->end(true);
    });
}

void ValueLine::wait_to_read() {
    reader_->async_wait(Socket::wait_read, [weak = weak_from_this()](error_code error) {
        const auto self = weak.lock();
        if (self && !error && self->reader_) self->read();
    });
}

void ValueLine::read() {
    for (std::size_t i = 0; i < kValuesReadMax && read_one(); ++i) {
    }
    if (handler_ != nullptr && reader_) wait_to_read();
}

// False: there is no more for now, or the line has ended.
bool ValueLine::read_one() {
    if (!reader_) return false;
    std::array<std::uint8_t, framing::kValueSizeMax> buffer;
    const auto size = ::recv(reader_->native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size > 0) {
        receive(Bytes{buffer}.first(static_cast<std::size_t>(size)));
        return handler_ != nullptr;
    }
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return false;
    if (size == 0 && !is_at_end(reader_->native_handle())) {
        tell_dropped();  // a value without bytes
        return handler_ != nullptr;
    }
    end(false);
    return false;
}

void ValueLine::receive(Bytes value) {
    if (handler_ == nullptr) return;
    if (service_ == framing::Service::Bluz) return handler_->on_value(value);
    sequencer_.receive(value, now());
    drain();
}

void ValueLine::drain() {
    while (const auto value = sequencer_.next(now())) {
        const auto frame = reassembler_.receive(*value);
        if (frame) handler_->on_frame(*frame);
        if (handler_ == nullptr) return;
        if (reassembler_.dropped() > 0) tell_dropped();
        if (handler_ == nullptr) return;
    }
    watch_gap();
}

void ValueLine::tell_dropped() {
    if (!std::exchange(has_dropped_, true)) handler_->on_dropped();
}

void ValueLine::watch_gap() {
    if (!sequencer_.has_gap()) return;
    gap_.expires_after(std::chrono::milliseconds{kGapTimeMax.ms});
    gap_.async_wait([weak = weak_from_this()](error_code error) {
        const auto self = weak.lock();
        if (self && !error && self->handler_ != nullptr) self->drain();
    });
}

void ValueLine::end(bool is_stalled) {
    Handler* handler = handler_;
    close();
    if (handler != nullptr) handler->on_closed(is_stalled);
}

}  // namespace sotto::air::bluez
