// SPDX-License-Identifier: Apache-2.0
#include "air/virtual/virtual_peripheral.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "air/virtual/byte_stream.hpp"
#include "air/virtual/halves.hpp"
#include "air/virtual/socket_place.hpp"
#include "core/framing/text.hpp"

namespace sotto::air {

namespace asio = boost::asio;
using boost::system::error_code;
using Acceptor = asio::local::stream_protocol::acceptor;

namespace {

// A central that has connected; the one that has subscribed is the holder.
class Visit final : public ByteStream::Handler, public std::enable_shared_from_this<Visit> {
  public:
    class Host {
      public:
        virtual void on_subscribed(Visit& visit) = 0;
        virtual void on_frame(Visit& visit, Bytes frame) = 0;
        virtual void on_value(Visit& visit, Bytes value) = 0;
        virtual void on_sent(Visit& visit, std::size_t count) = 0;
        virtual void on_gone(Visit& visit) = 0;

      protected:
        ~Host() = default;
    };

    Visit(std::weak_ptr<Host> host,
          ByteStream::Socket socket,
          std::size_t value_size_max,
          framing::Service service)
        : host_(std::move(host)),
          timer_(socket.get_executor()),
          stream_(std::make_shared<ByteStream>(std::move(socket))),
          half_(value_size_max, service) {}

    void start(const framing::Advertisement& advertisement) {
        stream_->start(weak_from_this());
        std::vector<std::uint8_t> bytes;
        const Status status = PeripheralHalf::append_advertisement(bytes, advertisement);
        SOTTO_ASSERT(status);
        stream_->write(bytes, false);
        if (advertisement.is_busy) return stream_->close_when_sent();
        timer_.expires_after(kVisitTimeMax);
        timer_.async_wait([weak = weak_from_this()](error_code error) {
            const auto self = weak.lock();
            if (self && !error && !self->half_.is_subscribed()) self->stream_->close_when_sent();
        });
    }

    using Append = Status (PeripheralHalf::*)(std::vector<std::uint8_t>&, Bytes);
    Status send(Append append, Bytes frame_or_value, bool counted) {
        if (stream_->unsent_count() >= kOutgoingFramesMax) return Error::Busy;
        std::vector<std::uint8_t> bytes;
        SOTTO_TRY((half_.*append)(bytes, frame_or_value));
        stream_->write(bytes, counted);
        return {};
    }

    void let_go() { stream_->close_when_sent(); }
    void close() { stream_->close(); }

    void on_bytes(Bytes bytes) override {
        while (const auto event = half_.next(bytes)) {
            const auto host = host_.lock();
            if (!host) return;
            if (std::holds_alternative<PeripheralHalf::Subscribed>(*event)) {
                timer_.cancel();
                host->on_subscribed(*this);
            } else if (const auto* received = std::get_if<FrameReceived>(&*event)) {
                host->on_frame(*this, received->frame);
            } else if (const auto* value = std::get_if<ValueReceived>(&*event)) {
                host->on_value(*this, value->value);
            }
        }
    }
    void on_written(std::size_t count) override {
        if (const auto host = host_.lock()) host->on_sent(*this, count);
    }
    void on_closed(bool /*stalled*/) override {
        timer_.cancel();
        if (const auto host = host_.lock()) host->on_gone(*this);
    }

  private:
    std::weak_ptr<Host> host_;
    asio::steady_timer timer_;
    std::shared_ptr<ByteStream> stream_;
    PeripheralHalf half_;
};

}  // namespace

class VirtualPeripheral::Core final : public Visit::Host,
                                      public std::enable_shared_from_this<Core> {
  public:
    Core(asio::io_context& loop, Options options, PeripheralHandler& handler)
        : options_(std::move(options)), handler_(&handler), acceptor_(loop), retry_(loop) {
        options_.value_size_max =
            framing::agreed_value_size(options_.value_size_max, framing::kValueSizeMax);
    }

    Outcome<> open() {
        if (options_.name.size() > framing::kNameSizeMax ||
            !framing::is_printable_utf8(options_.name))
            return Failure{Error::InvalidArgument,
                           "the name of a device is at most 32 bytes of text"};
        SOTTO_TRY_ASSIGN(SocketPlace place, SocketPlace::claim(options_.socket_path));
        error_code error;
        const asio::local::stream_protocol::endpoint endpoint{options_.socket_path};
        acceptor_.open(endpoint.protocol(), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (error) return Failure{Error::Refused, options_.socket_path + ": " + error.message()};
        place_.emplace(std::move(place));
        accept();
        return {};
    }

    void shut() {
        handler_ = nullptr;
        error_code ignored;
        acceptor_.close(ignored);
        retry_.cancel();
        place_.reset();
        holder_ = nullptr;
        for (const auto& visit : std::exchange(visits_, {})) visit->close();
    }

    Status send(Visit::Append append, Bytes frame_or_value) {
        if (holder_ == nullptr) return Error::WrongState;
        return holder_->send(append, frame_or_value, true);
    }
    void set_has_owner(bool has_owner) { options_.has_owner = has_owner; }
    void set_name(const std::string& name) { options_.name = name; }
    void disconnect() {
        if (holder_ != nullptr) holder_->let_go();
    }

    void on_subscribed(Visit& visit) override {
        if (holder_ != nullptr) return visit.let_go();  // somebody else was faster
        holder_ = &visit;
        if (handler_ != nullptr) handler_->on_connected();
    }
    void on_frame(Visit& visit, Bytes frame) override {
        if (&visit == holder_ && handler_ != nullptr) handler_->on_frame(frame);
    }
    void on_value(Visit& visit, Bytes value) override {
        if (&visit == holder_ && handler_ != nullptr) handler_->on_value(value);
    }
    void on_sent(Visit& visit, std::size_t count) override {
        if (&visit == holder_ && handler_ != nullptr) handler_->on_sent(count);
    }
    void on_gone(Visit& visit) override {
        std::erase_if(visits_, [&](const auto& item) { return item.get() == &visit; });
        if (&visit != holder_) return;
        holder_ = nullptr;
        if (handler_ != nullptr) handler_->on_disconnected();
    }

  private:
    void accept() {
        acceptor_.async_accept(
            [weak = weak_from_this()](error_code error, ByteStream::Socket socket) {
                const auto self = weak.lock();
                if (!self || !self->acceptor_.is_open()) return;
                if (error) return self->accept_later();
                self->on_knock(std::move(socket));
                self->accept();
            });
    }

    // Out of file descriptors, most likely.
    void accept_later() {
        retry_.expires_after(kAcceptRetryDelay);
        retry_.async_wait([weak = weak_from_this()](error_code error) {
            if (const auto self = weak.lock(); self && !error) self->accept();
        });
    }

    void on_knock(ByteStream::Socket socket) {
        if (visits_.size() >= kVisitorsMax) return;  // closes the socket
        const bool is_busy = holder_ != nullptr;
        if (is_busy) ask_for_release();
        const auto visit = std::make_shared<Visit>(std::weak_ptr<Visit::Host>{shared_from_this()},
                                                   std::move(socket),
                                                   options_.value_size_max,
                                                   options_.service);
        visits_.push_back(visit);
        visit->start({.has_owner = options_.has_owner,
                      .is_busy = is_busy,
                      .device_id = options_.device_id,
                      .value_size_max = static_cast<std::uint16_t>(options_.value_size_max),
                      .name = options_.name,
                      .service = options_.service});
    }

    // [AIR-36]: a second central knocks, so the first one is asked to go when it is idle.
    void ask_for_release() {
        const auto now = std::chrono::steady_clock::now();
        if (released_at_ && now - *released_at_ < kReleaseInterval) return;
        released_at_ = now;
        std::array<std::uint8_t, 8> buffer{};
        const auto frame =
            framing::encode_frame(buffer, framing::Release{options_.release_seconds});
        SOTTO_ASSERT(frame);
        // A full queue: it is not idle anyway. bluz has no such frame.
        (void)holder_->send(&PeripheralHalf::append_frame, *frame, false);
    }

    Options options_;
    PeripheralHandler* handler_;
    std::optional<SocketPlace> place_;
    Acceptor acceptor_;
    asio::steady_timer retry_;
    std::vector<std::shared_ptr<Visit>> visits_;
    Visit* holder_ = nullptr;  // one of the visits
    std::optional<std::chrono::steady_clock::time_point> released_at_;
};

VirtualPeripheral::VirtualPeripheral(asio::io_context& loop,
                                     Options options,
                                     PeripheralHandler& handler)
    : core_(std::make_shared<Core>(loop, std::move(options), handler)) {}

VirtualPeripheral::~VirtualPeripheral() { core_->shut(); }

Outcome<> VirtualPeripheral::open() { return core_->open(); }
Status VirtualPeripheral::send(Bytes frame) {
    return core_->send(&PeripheralHalf::append_frame, frame);
}
Status VirtualPeripheral::notify(Bytes value) {
    return core_->send(&PeripheralHalf::append_value, value);
}
void VirtualPeripheral::set_has_owner(bool has_owner) { core_->set_has_owner(has_owner); }
void VirtualPeripheral::set_name(const std::string& name) { core_->set_name(name); }
void VirtualPeripheral::disconnect() { core_->disconnect(); }

}  // namespace sotto::air
