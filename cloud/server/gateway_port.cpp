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

namespace {

// RFC 8446 §5.1, §6.2: a record of two bytes, fatal, protocol_version.
constexpr std::array<std::uint8_t, 7> kProtocolVersionAlert{21, 3, 1, 0, 2, 2, 70};

}  // namespace

// One gateway. It owns itself by what it waits for, and ends with its socket.
class GatewayPort::GatewayLine final : public services::Line,
                                       public std::enable_shared_from_this<GatewayLine> {
  public:
    GatewayLine(services::Hub& hub, Stream stream) : hub_(hub), stream_(std::move(stream)) {}

    // False if the hub has no room now.
    [[nodiscard]] bool start() {
        if (!hub_.connect_gateway(*this)) return false;
        if (stream_.is_tls()) {
            shake_hands();
        } else {
            on_open();
        }
        return true;
    }

    // Leaves the hub at once. Whatever it waits for ends when the event loop comes round.
    void end() {
        stream_.close();
        hub_.disconnect(*this);
    }

    void on_ready() override {
        is_ready_ = true;
        if (!is_open_ || is_writing_ || is_closing_) return;
        is_ready_ = false;
        is_writing_ = true;  // the hub may call again from within
        hub_.take_output(*this, output_);
        write();
    }

    void on_time(Instant now) override {
        const bool is_stuck = is_writing_ && now - taken_at_ >= services::kWriteTimeMax;
        const bool is_over = is_closing_ && now - taken_at_ >= kUplinkFarewell;
        if (is_stuck || is_over) stream_.close();
    }

  private:
    void shake_hands() {
        stream_.expires_after(kTlsTimeMax);
        stream_.async_shake_hands(
            [self = shared_from_this()](error_code error, std::size_t /*size*/) {
                if (self->stream_.was_spoken_to_clear()) return self->refuse_clear();
                if (error) return self->end();
                self->stream_.expires_never();
                self->on_open();
            });
    }

    // [TLS-4] The gateway hears a TLS alert, by which it knows what is wanted (RFC 8446 §6).
    void refuse_clear() {
        stream_.speak_clear();
        error_code ignored;
        stream_.socket().write_some(asio::buffer(kProtocolVersionAlert), ignored);
        is_refused_ = true;
        say_goodbye();
        read();
    }

    void on_open() {
        is_open_ = true;
        if (is_ready_) on_ready();
        read();
    }

    void read() {
        stream_.async_read_some(asio::buffer(input_),
                                [self = shared_from_this()](error_code error, std::size_t size) {
                                    self->on_read(error, size);
                                });
    }

    void on_read(error_code error, std::size_t size) {
        if (error || !stream_.socket().is_open()) return end();
        if (!is_refused_) hub_.on_bytes(*this, Bytes{input_}.first(size));
        read();
    }

    void write() {
        taken_at_ = hub_.now();
        if (output_.bytes.empty()) return on_written({});
        asio::async_write(stream_,
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
        stream_.end_output();
    }

    services::Hub& hub_;
    Stream stream_;
    std::array<std::uint8_t, kUplinkReadSize> input_{};
    services::Output output_;
    Instant taken_at_;         // by output_, or by the end
    bool is_open_ = false;     // what is said is heard
    bool is_refused_ = false;  // what is heard is ignored
    bool is_writing_ = false;
    bool is_ready_ = false;
    bool is_closing_ = false;
};

GatewayPort::GatewayPort(asio::io_context& loop,
                         Acceptor acceptor,
                         services::Hub& hub,
                         const Certificates* certificates)
    : door_(loop, std::move(acceptor), [this](Socket socket) { on_socket(std::move(socket)); }),
      certificates_(certificates),
      hub_(hub) {}

void GatewayPort::on_socket(Socket socket) {
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
    socket.set_option(asio::socket_base::send_buffer_size{kGatewaySendBuffer}, ignored);
    const auto line = std::make_shared<GatewayLine>(
        hub_, stream_of(std::move(socket), certificates_, ports::TlsVersion::Tls13));
    std::erase_if(strangers_, [this](const std::weak_ptr<GatewayLine>& known) {
        const auto stranger = known.lock();
        return stranger == nullptr || hub_.is_signed_in(*stranger);
    });
    if (line->start() || (make_room() && line->start())) strangers_.push_back(line);
}

// Lets go of the one that has been silent longest.
bool GatewayPort::make_room() {
    if (strangers_.empty()) return false;
    if (const auto oldest = strangers_.front().lock()) oldest->end();
    strangers_.pop_front();
    return true;
}

}  // namespace sotto::cloud::server
