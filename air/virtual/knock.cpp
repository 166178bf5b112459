// SPDX-License-Identifier: Apache-2.0
#include "air/virtual/knock.hpp"

#include <sys/un.h>
#include <utility>

#include <boost/asio/post.hpp>

namespace sotto::air {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

Disconnect to_disconnect(error_code error) {
    // A full backlog is a device with too many centrals around it.
    return error == asio::error::try_again ? Disconnect::Busy : Disconnect::NotFound;
}

Sighting make_sighting(const Place& place, const framing::Advertisement& advertisement) {
    Sighting sighting{.place = place,
                      .device_id = advertisement.device_id,
                      .has_owner = advertisement.has_owner,
                      .is_busy = advertisement.is_busy,
                      .service = advertisement.service};
    set_advertised_name(sighting, advertisement.name);
    return sighting;
}

}  // namespace

std::shared_ptr<Knock> Knock::start(asio::io_context& loop,
                                    const Place& place,
                                    const Wanted& wanted,
                                    Done done) {
    auto knock = std::make_shared<Knock>(loop, place, wanted, std::move(done));
    knock->connect(loop);
    return knock;
}

Knock::Knock(asio::io_context& loop, Place place, const Wanted& wanted, Done done)
    : place_(std::move(place)),
      wanted_(wanted),
      half_(std::make_unique<CentralHalf>(wanted.value_size_max)),
      done_(std::move(done)),
      timer_(loop) {}

void Knock::connect(asio::io_context& loop) {
    timer_.expires_after(kAdvertisementTimeMax);
    timer_.async_wait([self = shared_from_this()](error_code error) {
        if (!error) self->finish(Disconnect::Timeout);
    });
    if (place_.size() >= sizeof(sockaddr_un::sun_path)) {
        asio::post(loop, [self = shared_from_this()] { self->finish(Disconnect::NotFound); });
        return;
    }
    auto socket = std::make_shared<ByteStream::Socket>(loop);
    socket->async_connect(asio::local::stream_protocol::endpoint{place_},
                          [self = shared_from_this(), socket](error_code error) {
                              if (self->done_ == nullptr) return;
                              if (error) return self->finish(to_disconnect(error));
                              self->stream_ = std::make_shared<ByteStream>(std::move(*socket));
                              self->stream_->start(self);
                          });
}

void Knock::cancel() {
    done_ = nullptr;
    timer_.cancel();
    if (stream_) stream_->close();
    stream_.reset();
}

void Knock::on_bytes(Bytes bytes) {
    const auto event = half_->next(bytes);
    if (!event) return;
    const auto* advertised = std::get_if<CentralHalf::Advertised>(&*event);
    if (advertised == nullptr) return;
    Sighting sighting = make_sighting(place_, advertised->advertisement);
    const bool is_there = sighting.service == framing::Service::Bluz
                              ? wanted_.takes_bluz  // [AIR-52]
                              : !wanted_.is_welcome || wanted_.is_welcome(sighting.tag);
    if (!is_there) return finish(Disconnect::NotFound);
    finish(Heard{std::move(sighting), std::move(stream_), std::move(half_)});
}

void Knock::on_written(std::size_t /*piece_count*/) {}

void Knock::on_closed(bool /*stalled*/) { finish(Disconnect::Closed); }

void Knock::finish(Answer answer) {
    const Done done = std::exchange(done_, nullptr);
    timer_.cancel();
    if (stream_) stream_->close();
    stream_.reset();
    if (done) done(std::move(answer));
}

}  // namespace sotto::air
