// SPDX-License-Identifier: Apache-2.0
#include "air/virtual/virtual_link.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>

namespace sotto::air {

namespace asio = boost::asio;
using boost::system::error_code;

class VirtualLink::Core final : public ByteStream::Handler,
                                public std::enable_shared_from_this<Core> {
  public:
    Core(asio::io_context& loop, Options options, LinkHandler& handler)
        : loop_(loop),
          options_(std::move(options)),
          deadline_(Clock::now() + std::chrono::milliseconds{options_.patience.ms}),
          handler_(&handler),
          timer_(loop) {}

    void knock() {
        knock_ = Knock::start(loop_,
                              options_.place,
                              options_.wanted,
                              [weak = weak_from_this()](Knock::Answer answer) {
                                  if (const auto self = weak.lock())
                                      self->on_answer(std::move(answer));
                              });
    }

    void abandon() {
        handler_ = nullptr;
        timer_.cancel();
        if (knock_) knock_->cancel();
        if (stream_) stream_->close();
    }

    using Append = Status (CentralHalf::*)(std::vector<std::uint8_t>&, Bytes);
    Status send(Append append, Bytes frame_or_value) {
        if (!stream_) return Error::WrongState;
        if (stream_->unsent_count() >= kOutgoingFramesMax) return Error::Busy;
        std::vector<std::uint8_t> bytes;
        SOTTO_TRY((half_.get()->*append)(bytes, frame_or_value));
        stream_->write(bytes, true);
        return {};
    }

    void on_bytes(Bytes bytes) override {
        while (const auto event = half_->next(bytes)) {
            const auto* received = std::get_if<FrameReceived>(&*event);
            if (received != nullptr && handler_ != nullptr) handler_->on_frame(received->frame);
            const auto* value = std::get_if<ValueReceived>(&*event);
            if (value != nullptr && handler_ != nullptr) handler_->on_value(value->value);
            if (handler_ == nullptr) return;
        }
    }
    void on_written(std::size_t count) override {
        if (handler_ != nullptr) handler_->on_sent(count);
    }
    void on_closed(bool stalled) override {
        end(stalled ? Disconnect::Timeout : Disconnect::Closed);
    }

  private:
    using Clock = std::chrono::steady_clock;

    void on_answer(Knock::Answer answer) {
        knock_.reset();
        if (auto* heard = std::get_if<Knock::Heard>(&answer)) {
            if (!heard->sighting.is_busy) return open(std::move(*heard));
            heard->stream->close();
            answer = Disconnect::Busy;
        }
        const Disconnect why = std::get<Disconnect>(answer);
        if (why != Disconnect::Busy || Clock::now() + kKnockInterval > deadline_) return end(why);
        timer_.expires_after(kKnockInterval);
        timer_.async_wait([weak = weak_from_this()](error_code error) {
            const auto self = weak.lock();
            if (self && !error) self->knock();
        });
    }

    void open(Knock::Heard heard) {
        half_ = std::move(heard.half);
        stream_ = std::move(heard.stream);
        stream_->set_handler(weak_from_this());
        std::vector<std::uint8_t> bytes;
        half_->append_subscribe(bytes);
        stream_->write(bytes, false);
        handler_->on_connected(heard.sighting);
    }

    void end(Disconnect why) {
        stream_.reset();
        if (auto* handler = std::exchange(handler_, nullptr)) handler->on_disconnected(why);
    }

    asio::io_context& loop_;
    Options options_;
    Clock::time_point deadline_;
    LinkHandler* handler_;
    asio::steady_timer timer_;
    std::shared_ptr<Knock> knock_;
    std::shared_ptr<ByteStream> stream_;
    std::unique_ptr<CentralHalf> half_;
};

VirtualLink::VirtualLink(asio::io_context& loop, Options options, LinkHandler& handler)
    : core_(std::make_shared<Core>(loop, std::move(options), handler)) {
    core_->knock();
}

VirtualLink::~VirtualLink() { core_->abandon(); }

Status VirtualLink::send(Bytes frame) { return core_->send(&CentralHalf::append_frame, frame); }
Status VirtualLink::write(Bytes value) { return core_->send(&CentralHalf::append_value, value); }

}  // namespace sotto::air
