// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/gateway_port.hpp"

#include <array>
#include <memory>
#include <utility>

#include <boost/asio/write.hpp>

#include "cloud/services/limits.hpp"

namespace sotto::cloud::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t kReadSize = 16'384;
constexpr std::chrono::milliseconds kPause{100};  // where the system has no socket for us

// One gateway. It owns itself by what it waits for, and ends with its socket.
class GatewayLine final : public services::Line, public std::enable_shared_from_this<GatewayLine> {
  public:
    GatewayLine(services::Hub& hub, Socket socket) : hub_(hub), socket_(std::move(socket)) {}

    void start() {
        if (hub_.connect_gateway(*this)) read();
    }

    void on_ready() override {
        is_ready_ = true;
        if (is_writing_ || output_.close) return;
        is_ready_ = false;
        hub_.take_output(*this, output_);
        write();
    }

    void on_time(Instant now) override {
        if (is_writing_ && now - taken_at_ >= services::kWriteTimeMax) close();
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
        is_writing_ = !output_.bytes.empty();
        if (!is_writing_) return on_written({});
        taken_at_ = hub_.now();
        asio::async_write(socket_,
                          asio::buffer(output_.bytes),
                          [self = shared_from_this()](error_code error, std::size_t /*size*/) {
                              self->on_written(error);
                          });
    }

    void on_written(error_code error) {
        is_writing_ = false;
        if (error || output_.close) return close();
        if (is_ready_) on_ready();
    }

    // Reading ends with it, and then the line.
    void close() {
        error_code ignored;
        socket_.shutdown(Socket::shutdown_both, ignored);
        socket_.close(ignored);
    }

    void end() {
        close();
        hub_.disconnect(*this);
    }

    services::Hub& hub_;
    Socket socket_;
    std::array<std::uint8_t, kReadSize> input_{};
    services::Output output_;
    Instant taken_at_;
    bool is_writing_ = false;
    bool is_ready_ = false;
};

}  // namespace

GatewayPort::GatewayPort(asio::io_context& loop, Acceptor acceptor, services::Hub& hub)
    : acceptor_(std::move(acceptor)), pause_(loop), hub_(hub) {}

void GatewayPort::accept() {
    acceptor_.async_accept(
        [this](error_code error, Socket socket) { on_accepted(error, std::move(socket)); });
}

void GatewayPort::on_accepted(error_code error, Socket socket) {
    if (error) {
        pause_.expires_after(kPause);
        pause_.async_wait([this](error_code cancelled) {
            if (!cancelled) accept();
        });
        return;
    }
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
    std::make_shared<GatewayLine>(hub_, std::move(socket))->start();
    accept();
}

}  // namespace sotto::cloud::server
