// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/app_channel.hpp"

#include <boost/beast/websocket/rfc6455.hpp>

#include "cloud/server/limits.hpp"
#include "cloud/services/limits.hpp"

namespace sotto::cloud::server {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

void AppChannel::start(Stream stream, const HttpRequest& request) {
    socket_.emplace(std::move(stream));
    beast::get_lowest_layer(*socket_).expires_never();  // the WebSocket has timers of its own
    socket_->set_option(websocket::stream_base::timeout{.handshake_timeout = kChannelHandshakeTime,
                                                        .idle_timeout = kChannelIdleTime,
                                                        .keep_alive_pings = true});
    socket_->read_message_max(kChannelMessageSizeMax);
    socket_->binary(true);
    socket_->async_accept(
        request, [self = shared_from_this()](error_code error) { self->on_accepted(error); });
}

void AppChannel::on_accepted(error_code error) {
    if (error) return end();
    is_open_ = true;
    if (is_ready_) on_ready();
    read();
}

void AppChannel::read() {
    socket_->async_read(input_,
                        [self = shared_from_this()](error_code error, std::size_t /*size*/) {
                            self->on_read(error);
                        });
}

void AppChannel::on_read(error_code error) {
    if (error) return end();
    const auto data = input_.cdata();
    // A text message is no record: an empty one is none either, and ends the channel.
    const std::size_t size = socket_->got_binary() ? data.size() : 0;
    hub_.on_bytes(*this, {static_cast<const std::uint8_t*>(data.data()), size});
    input_.consume(input_.size());
    read();
}

void AppChannel::on_ready() {
    is_ready_ = true;
    if (!is_open_ || is_writing_ || is_closing_) return;
    is_ready_ = false;
    is_writing_ = true;  // the hub may call again from within
    hub_.take_output(*this, output_);
    record_ = 0;
    taken_at_ = hub_.now();
    write_next();
}

void AppChannel::write_next() {
    is_writing_ = record_ < output_.ends.size();
    if (!is_writing_) {
        if (output_.close) return say_goodbye();
        if (is_ready_) on_ready();
        return;
    }
    const std::size_t begin = record_ == 0 ? 0 : output_.ends[record_ - 1];
    const std::size_t end = output_.ends[record_++];
    socket_->async_write(asio::buffer(output_.bytes.data() + begin, end - begin),
                         [self = shared_from_this()](error_code error, std::size_t /*size*/) {
                             self->on_written(error);
                         });
}

void AppChannel::on_written(error_code error) {
    if (!error) return write_next();
    is_closing_ = true;  // reading ends with the same error
    beast::get_lowest_layer(*socket_).close();
}

void AppChannel::say_goodbye() {
    if (std::exchange(is_closing_, true)) return;
    // RFC 6455 §7.4.1: going away, such as a server going down
    socket_->async_close(hub_.is_shutting_down() ? websocket::close_code::going_away
                                                 : websocket::close_code::policy_error,
                         [self = shared_from_this()](error_code /*ignored*/) {});
}

void AppChannel::on_time(Instant now) {
    const bool is_stuck = is_writing_ && now - taken_at_ >= services::kWriteTimeMax;
    if (is_stuck) beast::get_lowest_layer(*socket_).close();
}

void AppChannel::end() {
    is_closing_ = true;
    beast::get_lowest_layer(*socket_).close();
    hub_.disconnect(*this);
}

}  // namespace sotto::cloud::server
