// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/visit.hpp"

#include <utility>

#include <boost/asio/post.hpp>

#include "core/base/assert.hpp"
#include "core/framing/frame.hpp"

namespace sotto::air::bluez {

class Visit::Handed final : public Link {
  public:
    explicit Handed(std::shared_ptr<Visit> visit) : visit_(std::move(visit)) {}
    ~Handed() override {
        visit_->handler_ = nullptr;
        visit_->link_.reset();
    }
    Handed(const Handed&) = delete;
    Handed& operator=(const Handed&) = delete;

    Status send(Bytes frame) override { return visit_->link_->send(frame); }
    Status write(Bytes value) override { return visit_->link_->write(value); }

  private:
    std::shared_ptr<Visit> visit_;
};

std::unique_ptr<Link> Visit::hand_over(LinkHandler& handler) {
    SOTTO_ASSERT(seen_ && !is_over_ && handler_ == nullptr);
    handler_ = &handler;
    boost::asio::post(loop_, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self && self->handler_ != nullptr && !self->is_over_)
            self->handler_->on_connected(*self->seen_);
    });
    return std::make_unique<Handed>(shared_from_this());
}

void Visit::on_connected(const Sighting& sighting) {
    sighting_ = sighting;
    if (sighting.service == framing::Service::Bluz) seen_ = sighting;
}

void Visit::on_frame(Bytes bytes) {
    if (handler_ != nullptr) return handler_->on_frame(bytes);
    const auto frame = framing::parse_frame(bytes);
    const auto* attach = frame ? std::get_if<framing::Attach>(&*frame) : nullptr;
    if (attach == nullptr) return;
    seen_ = sighting_;
    seen_->device_id = attach->device_id;
    seen_->has_owner = attach->has_owner;
}

void Visit::on_value(Bytes value) {
    if (handler_ != nullptr) handler_->on_value(value);
}

void Visit::on_sent(std::size_t count) {
    if (handler_ != nullptr) handler_->on_sent(count);
}

void Visit::on_dropped() {
    if (handler_ != nullptr) handler_->on_dropped();
}

void Visit::on_disconnected(Disconnect why) {
    is_over_ = true;
    if (handler_ != nullptr) handler_->on_disconnected(why);
}

}  // namespace sotto::air::bluez
