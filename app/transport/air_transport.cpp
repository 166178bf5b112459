// SPDX-License-Identifier: Apache-2.0
#include "app/transport/air_transport.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "app/transport/run.hpp"

namespace sotto::app {
namespace {

constexpr std::size_t kQueueMax = 16;
// A device is looked for so long at most: over Bluetooth it takes seconds.
constexpr Duration kScan = seconds(12);
// Beyond the patience of the link itself.
constexpr Duration kGrace = seconds(1);
// AIR-15, as a gateway has it.
constexpr std::chrono::milliseconds kQuiet{500};
constexpr std::chrono::seconds kWishLifetime{10};
constexpr Duration kStayAwayMax = seconds(300);
// Links in a row that close before anything has come through them.
constexpr int kReturnsMax = 3;

using Steady = std::chrono::steady_clock;

std::chrono::milliseconds std_time(Duration duration) {
    return std::chrono::milliseconds{duration.ms};
}

// Rounded up, so that the time has come afterwards.
Duration duration_until(Steady::time_point end) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Steady::now());
    return milliseconds(std::max<std::int64_t>(left.count(), 0));
}

Failure lost(air::Disconnect why) {
    switch (why) {
        case air::Disconnect::Busy:
            return {Trouble::Unreachable,
                    "another central holds the device and does not let go",
                    "Try again, or go through the cloud, without --local"};
        case air::Disconnect::Closed:
            return {Trouble::Unreachable, "the device closed the link", "Try again"};
        case air::Disconnect::NotFound:
            break;
        case air::Disconnect::Timeout:
            return {
                Trouble::Unreachable, "the device does not react", "Switch it off and on again"};
    }
    return {Trouble::Unreachable,
            "the device is not in reach",
            "Check that it is switched on and near, and that --air names its air, or --ble its "
            "adapter"};
}

}  // namespace

std::vector<air::Sighting> look_around(AirTransport::Reach reach,
                                       Duration limit,
                                       air::Central::IsWanted is_wanted) {
    std::vector<air::Sighting> found;
    bool is_done = false;
    reach.central.scan(limit, std::move(is_wanted), [&](std::vector<air::Sighting> sightings) {
        found = std::move(sightings);
        is_done = true;
    });
    // The scan ends by itself; it refers to what is here, so there is no leaving earlier.
    while (!is_done) run_until(reach.loop, seconds(1), [&] { return is_done; });
    return found;
}

Outcome<std::unique_ptr<AirTransport>> AirTransport::connect(Reach reach,
                                                             const framing::DeviceId& device_id,
                                                             Duration limit) {
    std::unique_ptr<AirTransport> transport{new AirTransport{reach, device_id, limit}};
    if (!transport->find(limit)) return lost(air::Disconnect::NotFound);
    SOTTO_TRY(transport->open(limit));
    return transport;
}

bool AirTransport::find(Duration limit) {
    const auto is_wanted = [&](const air::Sighting& sighting) {
        return sighting.device_id == device_id_;
    };
    const auto sightings = look_around(reach_, std::min(limit, kScan), is_wanted);
    const auto device = std::find_if(sightings.begin(), sightings.end(), is_wanted);
    if (device == sightings.end()) return false;
    place_ = device->place;
    return true;
}

void AirTransport::connect(Duration limit) { link_ = reach_.central.connect(place_, *this, limit); }

Status AirTransport::reopen(Duration limit) {
    link_.reset();
    lost_.reset();
    is_connected_ = false;
    wish_.reset();
    back_at_.reset();
    unanswered_.clear();
    if (!find(limit)) {
        lost_ = air::Disconnect::NotFound;
        return Error::Timeout;
    }
    if (open(limit)) return {};
    if (!lost_) lost_ = air::Disconnect::Timeout;
    return Error::Timeout;
}

Outcome<> AirTransport::open(Duration limit) {
    connect(limit);
    run_until(reach_.loop, milliseconds(limit.ms + kGrace.ms), [this] {
        return is_connected_ || lost_.has_value();
    });
    if (lost_) return lost(*lost_);
    if (!is_connected_) return lost(air::Disconnect::Timeout);
    return {};
}

Status AirTransport::send(Bytes message) {
    if (lost_) return Error::WrongState;
    std::array<std::uint8_t, framing::kFrameSizeMax> frame{};
    SOTTO_TRY_ASSIGN(
        const Bytes bytes,
        framing::encode_frame(frame, framing::Message{framing::kLabelNearby, message}));
    unanswered_.assign(bytes.begin(), bytes.end());
    if (!is_connected_) return {};
    last_message_ = Steady::now();
    return link_->send(bytes);
}

Arrival AirTransport::wait(Duration limit) {
    const Time end = Steady::now() + std_time(limit);
    const auto has_news = [this] { return !messages_.empty() || lost_.has_value(); };
    for (;;) {
        leave_or_return();
        const Time until = std::min(end, wake_at().value_or(end));
        const bool was_wished = wish_.has_value();
        const bool was_awaited = back_at_.has_value();
        run_until(reach_.loop, duration_until(until), [&] {
            return has_news() || wish_.has_value() != was_wished ||
                   back_at_.has_value() != was_awaited;
        });
        if (has_news() || Steady::now() >= end) break;
    }
    if (messages_.empty()) return lost_ ? Arrival{Lost{lost(*lost_)}} : Arrival{TimedOut{}};
    current_ = std::move(messages_.front());
    messages_.pop_front();
    return Received{current_};
}

void AirTransport::leave_or_return() {
    const Time now = Steady::now();
    if (back_at_ && now >= *back_at_) {
        back_at_.reset();
        connect(patience_);
    }
    if (!wish_) return;
    if (is_connected_ && is_idle_ && now >= last_message_ + kQuiet) {
        link_.reset();
        is_connected_ = false;
        back_at_ = now + std_time(wish_->stay_away);
        wish_.reset();
    } else if (now >= wish_->since + kWishLifetime) {
        wish_.reset();
    }
}

std::optional<AirTransport::Time> AirTransport::wake_at() const {
    if (back_at_) return back_at_;
    if (!wish_) return std::nullopt;
    return is_idle_ ? last_message_ + kQuiet : wish_->since + kWishLifetime;
}

void AirTransport::on_connected(const air::Sighting& /*sighting*/) {
    is_connected_ = true;
    if (unanswered_.empty()) return;
    last_message_ = Steady::now();
    if (!link_->send(unanswered_)) lost_ = air::Disconnect::Closed;
}

void AirTransport::on_frame(Bytes frame) {
    const auto parsed = framing::parse_frame(frame);
    if (!parsed) return;
    if (const auto* release = std::get_if<framing::Release>(&*parsed))
        wish_ = Wish{std::min(seconds(release->seconds), kStayAwayMax), Steady::now()};
    const auto* message = std::get_if<framing::Message>(&*parsed);
    if (message == nullptr || message->label != framing::kLabelNearby) return;
    if (messages_.size() >= kQueueMax) return;  // as a network would lose it
    last_message_ = Steady::now();
    unanswered_.clear();
    returns_ = 0;
    messages_.emplace_back(message->message.begin(), message->message.end());
}

void AirTransport::on_disconnected(air::Disconnect why) {
    if (std::exchange(is_connected_, false) && why == air::Disconnect::Closed &&
        ++returns_ <= kReturnsMax) {
        back_at_ = Steady::now();
        return;
    }
    lost_ = why;
}

}  // namespace sotto::app
