// SPDX-License-Identifier: Apache-2.0
#include "app/transport/air_transport.hpp"

#include <algorithm>
#include <array>

#include "app/transport/run.hpp"

namespace sotto::app {
namespace {

constexpr std::size_t kQueueMax = 16;
// The asked devices are given this part of the time; connecting has the rest.
constexpr Duration kScan = seconds(2);
// Beyond the patience of the link itself.
constexpr Duration kGrace = seconds(1);

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
            "Check that it is switched on and near, and that --air names its air"};
}

}  // namespace

std::vector<air::Sighting> look_around(AirTransport::Reach reach, Duration limit) {
    std::vector<air::Sighting> found;
    bool is_done = false;
    reach.central.scan(limit, [&](std::vector<air::Sighting> sightings) {
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
    const auto sightings = look_around(reach, std::min(limit, kScan));
    const auto device =
        std::find_if(sightings.begin(), sightings.end(), [&](const air::Sighting& sighting) {
            return sighting.device_id == device_id;
        });
    if (device == sightings.end()) return lost(air::Disconnect::NotFound);
    std::unique_ptr<AirTransport> transport{new AirTransport{reach}};
    SOTTO_TRY(transport->open(device->place, limit));
    return transport;
}

Outcome<> AirTransport::open(const air::Place& place, Duration limit) {
    link_ = reach_.central.connect(place, *this, limit);
    run_until(reach_.loop, milliseconds(limit.ms + kGrace.ms), [this] {
        return is_connected_ || lost_.has_value();
    });
    if (lost_) return lost(*lost_);
    if (!is_connected_) return lost(air::Disconnect::Timeout);
    return {};
}

Status AirTransport::send(Bytes message) {
    if (!is_connected_) return Error::WrongState;
    std::array<std::uint8_t, framing::kFrameSizeMax> frame{};
    SOTTO_TRY_ASSIGN(
        const Bytes bytes,
        framing::encode_frame(frame, framing::Message{framing::kLabelNearby, message}));
    return link_->send(bytes);
}

Arrival AirTransport::wait(Duration limit) {
    const auto is_done = [this] { return !messages_.empty() || lost_.has_value(); };
    if (!run_until(reach_.loop, limit, is_done)) return TimedOut{};
    if (messages_.empty()) return Lost{lost(*lost_)};
    current_ = std::move(messages_.front());
    messages_.pop_front();
    return Received{current_};
}

void AirTransport::on_connected(const air::Sighting& /*sighting*/) { is_connected_ = true; }

void AirTransport::on_frame(Bytes frame) {
    const auto parsed = framing::parse_frame(frame);
    if (!parsed) return;
    const auto* message = std::get_if<framing::Message>(&*parsed);
    if (message == nullptr || message->label != framing::kLabelNearby) return;
    if (messages_.size() >= kQueueMax) return;  // as a network would lose it
    messages_.emplace_back(message->message.begin(), message->message.end());
}

void AirTransport::on_disconnected(air::Disconnect why) {
    is_connected_ = false;
    lost_ = why;
}

}  // namespace sotto::app
