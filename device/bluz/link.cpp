// SPDX-License-Identifier: Apache-2.0
#include "device/bluz/link.hpp"

#include <utility>

namespace sotto::device::bluz {

using namespace air::bluz;  // NOLINT(google-build-using-namespace): what frames are made of

namespace {

// CONNECT of socket 0: code 1, family 2, type 1, protocol 6, port 5683; then its address: family
// (little-endian), port, no IPv4 address, zeros. The gateway knows the server.
constexpr std::uint8_t kConnectFrame[] = {kSocket, kConnect << 4,
                                          0x00,    0x01,
                                          0x02,    0x01,
                                          0x06,    0x16,
                                          0x33,    0x02,
                                          0x00,    0x16,
                                          0x33,    0,
                                          0,       0,
                                          0,       0,
                                          0,       0,
                                          0,       0,
                                          0,       0,
                                          0};
static_assert(sizeof kConnectFrame == 25);
constexpr std::uint8_t kIdHeader[] = {kInfo};

}  // namespace

void Link::on_subscribed(Instant now) {
    on_gone();
    is_subscribed_ = true;
    must_connect_ = true;
    connect_at_ = now + kConnectDelay;
}

void Link::on_gone() {
    is_subscribed_ = must_connect_ = must_say_id_ = false;
    assembler_ = {};
    packetizer_ = {};
    session_.reset();
    nonsense_ = custom_count_ = 0;
    trouble_ = {};
}

void Link::let_go(std::string_view why) {
    if (trouble_.empty()) trouble_ = why;
}

void Link::look_at_session() {
    if (session_ && session_->ending() != particle::Ending::None)
        let_go(particle::to_string(session_->ending()));
}

void Link::on_value(Bytes value, Instant now) {
    if (!is_subscribed_ || !trouble_.empty()) return;
    const auto frame = assembler_.receive(value);
    if (!frame) return let_go("it sends what the service cannot carry");
    const std::optional<Bytes>& whole = *frame;
    if (whole && !whole->empty()) on_frame(*whole, now);
    look_at_session();
}

void Link::on_frame(Bytes frame, Instant now) {
    switch (frame[0]) {
        case kSocket:
            if (frame.size() < kStreamHeaderSize || frame[1] != kDataHeader[1]) break;
            // What comes before there is a stream belongs to none.
            if (session_) session_->receive(frame.subspan(kStreamHeaderSize), now);
            return;
        case kInfo:
            must_say_id_ = must_say_id_ || equal(frame, kIdRequest);
            return;
        case kCustom:
            ++custom_count_;
            return;
        default:
            break;
    }
    if (++nonsense_ > kNonsenseMax) let_go("it sends frames of no service");
}

void Link::on_time(Instant now) {
    if (session_) session_->on_time(now);
    look_at_session();
}

std::optional<Bytes> Link::next_value(Instant now) {
    if (!is_subscribed_ || !trouble_.empty()) return std::nullopt;
    if (packetizer_.is_idle() && !begin_frame(now)) return std::nullopt;
    return packetizer_.next();
}

// The id of an answer first: a gateway may wait for it before it opens anything.
bool Link::begin_frame(Instant now) {
    if (std::exchange(must_say_id_, false)) {
        packetizer_.begin(kIdHeader, setup_.id);
        return true;
    }
    if (must_connect_ && now >= connect_at_) {
        must_connect_ = false;
        session_.emplace(particle::Session::Setup{
            .crypto = setup_.crypto, .members = setup_.members, .id = setup_.id, .now = now});
        packetizer_.begin(kConnectFrame, {});
        return true;
    }
    if (!session_ || session_->output().empty()) return false;
    const std::size_t size = std::min(kPieceSizeMax, session_->output().size());
    packetizer_.begin(kDataHeader, session_->output().first(size));
    session_->take_output(size, now);
    look_at_session();
    return true;
}

Status Link::publish(std::string_view name, std::string_view data, Instant now) {
    return session_ ? session_->publish(name, data, now) : Status{Error::WrongState};
}

}  // namespace sotto::device::bluz
