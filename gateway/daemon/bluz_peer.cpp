// SPDX-License-Identifier: Apache-2.0
#include "gateway/daemon/bluz_peer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/hex.hpp"

namespace sotto::gateway {

namespace {

std::string text_of(bluz::Close why) {
    switch (why) {
        case bluz::Close::NotIntroduced:
            return "it neither said its id nor wanted a stream";
        case bluz::Close::NotAdmitted:
            return "it is not listed in bluz-device";
        case bluz::Close::Misbehaved:
            return "it sent what is not the bluz service";
        case bluz::Close::ServerStalled:
            return "the server takes nothing of what it sends";
        case bluz::Close::StreamEnded:
            return "its stream has ended, so it must begin anew";
        case bluz::Close::Restarted:
            return "it wanted another stream in the middle of the old one";
    }
    return "?";
}

}  // namespace

// Lives until its last callback; speaks to the peer until it is abandoned or has ended.
class BluzPeer::Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(BluzPeer& peer, std::shared_ptr<uplink::Stream> stream)
        : peer_(&peer), stream_(std::move(stream)) {}

    void connect(const uplink::Address& address) {
        stream_->connect(address, [self = shared_from_this()](const std::string& error) {
            if (self->peer_ == nullptr) return;
            if (!error.empty()) return self->end(error);
            self->is_up_ = true;
            self->peer_->on_stream_up();
        });
    }
    // Not while another write is under way: the machine waits for on_stream_written().
    void write(std::vector<std::uint8_t> bytes) {
        writing_ = std::move(bytes);
        stream_->write(writing_, [self = shared_from_this()](const std::string& error) {
            if (self->peer_ == nullptr) return;
            if (!error.empty()) return self->end(error);
            self->peer_->on_stream_written();
        });
    }
    void read(std::size_t room) {
        if (!is_up_ || room == 0 || std::exchange(is_reading_, true)) return;
        const auto buffer = MutBytes{input_}.first(std::min(room, input_.size()));
        stream_->read_some(buffer,
                           [self = shared_from_this()](const std::string& error, std::size_t size) {
                               self->is_reading_ = false;
                               if (self->peer_ == nullptr) return;
                               if (!error.empty()) return self->end(error);
                               self->peer_->on_stream_bytes(Bytes{self->input_}.first(size));
                           });
    }
    void abandon() {
        peer_ = nullptr;
        stream_->close();
    }

  private:
    void end(const std::string& why) {
        stream_->close();
        if (auto* peer = std::exchange(peer_, nullptr)) peer->on_stream_down(why);
    }

    BluzPeer* peer_;
    std::shared_ptr<uplink::Stream> stream_;
    bool is_up_ = false;
    bool is_reading_ = false;
    std::array<std::uint8_t, bluz::kFromServerBytesMax> input_{};
    std::vector<std::uint8_t> writing_;
};

BluzPeer::BluzPeer(boost::asio::io_context& loop,
                   const BluzService& service,
                   std::string name,
                   Host& host,
                   ports::Log& log)
    : loop_(loop),
      service_(service),
      name_(std::move(name)),
      host_(host),
      log_(log),
      since_(host.now()),
      device_({.has_server = service.server.has_value(),
               .is_local_allowed = !service.local_folder.empty(),
               .admitted = service.admitted},
              since_) {
    log_.info("bluz-here", {{"name", name_}});
}

BluzPeer::~BluzPeer() {
    if (connection_) connection_->abandon();
}

std::string BluzPeer::device() const {
    return device_.id() ? to_hex<std::string>(*device_.id()) : "unknown";
}

void BluzPeer::on_value(Bytes value) {
    device_.on_value(value, host_.now());
    pump();
}

void BluzPeer::on_values_sent(std::size_t count) {
    device_.on_values_sent(count, host_.now());
    pump();
}

void BluzPeer::on_time() {
    device_.on_time(host_.now());
    pump();
}

void BluzPeer::on_link_down(const std::string& why) {
    log_.info("bluz-gone", {{"device", device()}, {"name", name_}, {"why", why}});
}

bool BluzPeer::has_settled() const {
    const auto since = service_.server ? stream_since_ : std::optional{since_};
    return since && host_.now() >= *since + bluz::kSettledTime;
}

void BluzPeer::pump() {
    while (auto output = device_.next_output())
        std::visit([this](auto& item) { perform(item); }, *output);
    if (connection_) connection_->read(device_.stream_room());
    if (local_) local_->resume();
}

// The air has room for all that the machine gives it at a time, or the link has just ended.
void BluzPeer::perform(const bluz::SendValue& output) { host_.write_value(output.value()); }

void BluzPeer::perform(const bluz::OpenStream& /*output*/) {
    connection_ = std::make_shared<Connection>(*this, uplink::make_foreign_stream(loop_));
    connection_->connect(*service_.server);
}

void BluzPeer::perform(const bluz::CloseStream& /*output*/) {
    if (!connection_) return;
    std::exchange(connection_, nullptr)->abandon();
    device_.on_stream_down(host_.now(), host_.jitter());
}

void BluzPeer::perform(bluz::WriteStream& output) {
    if (connection_) connection_->write(std::move(output.bytes));
}

void BluzPeer::perform(const bluz::LocalData& output) {
    if (local_) local_->send(output.bytes);
}

void BluzPeer::perform(const bluz::CloseLink& output) {
    log_.info("bluz-let-go", {{"device", device()}, {"name", name_}, {"why", text_of(output.why)}});
    host_.let_go(output.stay_away);
}

void BluzPeer::perform(const bluz::Introduced& output) {
    const std::string id = to_hex<std::string>(output.id);
    log_.info("bluz-known", {{"device", id}, {"name", name_}});
    if (service_.local_folder.empty()) return;
    local_ = std::make_unique<LocalPort>(loop_, [this](Bytes data) {
        const Status status = device_.send_local(data, host_.now());
        pump();
        return status;
    });
    const std::string path = LocalPort::path_of(service_.local_folder, id);
    if (const std::string wrong = local_->open(path); !wrong.empty()) {
        local_.reset();
        log_.warn("bluz-local-failed", {{"device", id}, {"socket", path}, {"why", wrong}});
        return;
    }
    log_.info("bluz-local-open",
              {{"device", id}, {"socket", path}, {"protection", "none: unencrypted"}});
}

void BluzPeer::perform(const bluz::LocalRefused& /*output*/) {
    log_.info("bluz-local-dropped",
              {{"device", device()},
               {"why", "unencrypted custom data is not allowed; see unencrypted-local"}});
}

void BluzPeer::on_stream_up() {
    stream_since_ = host_.now();
    last_why_.clear();
    log_.info("bluz-stream", {{"device", device()}, {"server", service_.server_text}});
    device_.on_stream_up(host_.now());
    pump();
}

void BluzPeer::on_stream_bytes(Bytes bytes) {
    device_.on_stream_bytes(bytes, host_.now());
    pump();
}

void BluzPeer::on_stream_written() {
    device_.on_stream_written();
    pump();
}

void BluzPeer::on_stream_down(const std::string& why) {
    if (std::exchange(last_why_, why) != why)
        log_.warn("bluz-stream-lost",
                  {{"device", device()}, {"server", service_.server_text}, {"why", why}});
    connection_.reset();
    device_.on_stream_down(host_.now(), host_.jitter());
    pump();
}

}  // namespace sotto::gateway
