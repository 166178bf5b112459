// SPDX-License-Identifier: Apache-2.0
#include "gateway/uplink/client.hpp"

#include <array>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "core/base/assert.hpp"
#include "core/framing/uplink.hpp"

namespace sotto::gateway::uplink {

namespace {
constexpr std::size_t kReadSize = 16 * 1024;
}

// Lives until its last callback; speaks to the client's handler until it has ended.
class Client::Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(boost::asio::io_context& loop,
               std::shared_ptr<Stream> stream,
               ClientHandler& handler)
        : loop_(loop), stream_(std::move(stream)), handler_(&handler) {}

    bool has_ended() const { return handler_ == nullptr; }

    void connect(const Address& address) {
        stream_->connect(address, [self = shared_from_this()](const std::string& error) {
            if (self->closing_ || self->has_ended()) return;
            if (!error.empty()) return self->end(error);
            self->is_up_ = true;
            self->read();
            self->handler_->on_up();
        });
    }

    void send(Bytes record) {
        if (!is_up_ || closing_) return;
        if (queued_.size() + record.size() > kOutgoingBytesMax)
            return close("it takes nothing of what is sent");
        queued_.insert(queued_.end(), record.begin(), record.end());
        if (writing_.empty()) write();
    }

    void close(const std::string& why) {
        if (std::exchange(closing_, true)) return;
        boost::asio::post(loop_, [self = shared_from_this(), why] { self->end(why); });
    }

    void abandon() {
        handler_ = nullptr;
        stream_->close();
    }

  private:
    void read() {
        stream_->read_some(input_,
                           [self = shared_from_this()](const std::string& error, std::size_t size) {
                               if (self->closing_ || self->has_ended()) return;
                               if (!error.empty()) return self->end(error);
                               self->on_bytes(Bytes{self->input_}.first(size));
                           });
    }

    void on_bytes(Bytes bytes) {
        while (true) {
            const auto record = splitter_.next(bytes);
            if (!record) return end("it sent something that is not the protocol");  // [UPL-2]
            if (!*record) break;
            handler_->on_record(**record);
            if (closing_ || has_ended()) return;
        }
        read();
    }

    void write() {
        std::swap(queued_, writing_);
        stream_->write(writing_, [self = shared_from_this()](const std::string& error) {
            if (self->has_ended()) return;
            if (!error.empty()) return self->end(error);
            self->writing_.clear();
            if (!self->queued_.empty()) self->write();
        });
    }

    void end(const std::string& why) {
        stream_->close();
        if (auto* handler = std::exchange(handler_, nullptr)) handler->on_down(why);
    }

    boost::asio::io_context& loop_;
    std::shared_ptr<Stream> stream_;
    ClientHandler* handler_;
    bool is_up_ = false;
    bool closing_ = false;
    framing::uplink::Splitter splitter_;
    std::array<std::uint8_t, kReadSize> input_{};
    std::vector<std::uint8_t> queued_;
    std::vector<std::uint8_t> writing_;
};

Client::Client(boost::asio::io_context& loop,
               Address address,
               MakeStream make_stream,
               ClientHandler& handler)
    : loop_(loop),
      address_(std::move(address)),
      make_stream_(std::move(make_stream)),
      handler_(handler) {}

Client::~Client() {
    if (connection_) connection_->abandon();
}

void Client::connect() {
    SOTTO_ASSERT(!connection_ || connection_->has_ended());
    connection_ = std::make_shared<Connection>(loop_, make_stream_(), handler_);
    connection_->connect(address_);
}

void Client::send(Bytes record) {
    if (connection_) connection_->send(record);
}

void Client::close(const std::string& why) {
    if (connection_) connection_->close(why);
}

}  // namespace sotto::gateway::uplink
