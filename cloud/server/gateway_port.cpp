// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/gateway_port.hpp"

#include <array>
#include <memory>
#include <utility>

#include <boost/asio/write.hpp>

#include "cloud/server/limits.hpp"
#include "cloud/services/limits.hpp"

namespace sotto::cloud::server {

namespace asio = boost::asio;
using boost::system::error_code;

// One gateway. It owns itself by what it waits for, and ends with its socket.
class GatewayPort::GatewayLine final : public services::Line,
                                       public std::enable_shared_from_this<GatewayLine> {
  public:
    GatewayLine(services::Hub& hub, Socket socket) : hub_(hub), socket_(std::move(socket)) {}

    // False if the hub has no room now.
    [[nodiscard]] bool start() {
        if (!hub_.connect_gateway(*this)) return false;
        read();
        return true;
    }

    // Leaves the hub at once. Whatever it waits for ends when the event loop comes round.
    void end() {
        error_code ignored;
        socket_.close(ignored);
        hub_.disconnect(*this);
    }

    void on_ready() override {
        is_ready_ = true;
        if (is_writing_ || is_closing_) return;
        is_ready_ = false;
        is_writing_ = true;  // the hub may call again from within
        hub_.take_output(*this, output_);
        write();
    }

    void on_time(Instant now) override {
        const bool is_stuck = is_writing_ && now - taken_at_ >= services::kWriteTimeMax;
        const bool is_over = is_closing_ && now - taken_at_ >= kUplinkFarewell;
        error_code ignored;
        if (is_stuck || is_over) socket_.close(ignored);
    }

  private:
    void read() {
        socket_.async_read_some(asio::buffer(input_),
                                [self = shared_from_this()](error_code error, std::size_t size) {
                                    self->on_read(error, size);
                                });
    }

    void on_read(error_code error, std::size_t size) {
        if (error || !socket_.is_open()) return end();
        hub_.on_bytes(*this, Bytes{input_}.first(size));
        read();
    }

    void write() {
        taken_at_ = hub_.now();
        if (output_.bytes.empty()) return on_written({});
        asio::async_write(socket_,
                          asio::buffer(output_.bytes),
                          [self = shared_from_this()](error_code error, std::size_t /*size*/) {
                              self->on_written(error);
                          });
    }

    void on_written(error_code error) {
        is_writing_ = false;
        if (error || output_.close) return say_goodbye();
        if (is_ready_) on_ready();
    }

    // Nothing follows from here. What still comes is read, and ignored by the hub, until the
    // gateway closes too: an early end would tear the last record out of its hands.
    void say_goodbye() {
        is_closing_ = true;
        taken_at_ = hub_.now();
        error_code ignored;
        socket_.shutdown(Socket::shutdown_send, ignored);
    }

    services::Hub& hub_;
    Socket socket_;
    std::array<std::uint8_t, kUplinkReadSize> input_{};
    services::Output output_;
    Instant taken_at_;  // by output_, or by the end
    bool is_writing_ = false;
    bool is_ready_ = false;
    bool is_closing_ = false;
};

GatewayPort::GatewayPort(asio::io_context& loop, Acceptor acceptor, services::Hub& hub)
    : acceptor_(std::move(acceptor)), pause_(loop), hub_(hub) {}

void GatewayPort::accept() {
    acceptor_.async_accept(
        [this](error_code error, Socket socket) { on_accepted(error, std::move(socket)); });
}

void GatewayPort::on_accepted(error_code error, Socket socket) {
    if (error) {
        pause_.expires_after(kAcceptPause);
        pause_.async_wait([this](error_code cancelled) {
            if (!cancelled) accept();
        });
        return;
    }
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
    socket.set_option(asio::socket_base::send_buffer_size{kGatewaySendBuffer}, ignored);
    const auto line = std::make_shared<GatewayLine>(hub_, std::move(socket));
    std::erase_if(strangers_, [this](const std::weak_ptr<GatewayLine>& known) {
        const auto stranger = known.lock();
        return stranger == nullptr || hub_.is_signed_in(*stranger);
    });
    if (line->start() || (make_room() && line->start())) strangers_.push_back(line);
    accept();
}

// Lets go of the one that has been silent longest.
bool GatewayPort::make_room() {
    if (strangers_.empty()) return false;
    if (const auto oldest = strangers_.front().lock()) oldest->end();
    strangers_.pop_front();
    return true;
}

}  // namespace sotto::cloud::server
