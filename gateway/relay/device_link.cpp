// SPDX-License-Identifier: Apache-2.0
#include "gateway/relay/device_link.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sotto::gateway::relay {

namespace up = framing::uplink;

bool DeviceLink::introduce(Introduction introduction) {
    introduction_ = std::move(introduction);
    return ++attaches_ <= kAttachesMax;
}

void DeviceLink::start(std::uint16_t credit) {
    started_ = true;
    to_cloud_credit_ = up::SendCredit{credit};
    from_cloud_credit_ = up::ReceiveCredit{credit};
}

void DeviceLink::stop() {
    started_ = false;
    to_cloud_.clear();
    to_device_.clear();
    unpaid_in_air_ = in_air_;
}

void DeviceLink::on_device_message(const framing::Message& message,
                                   Instant now,
                                   const CloudSession& cloud,
                                   Outputs& out) {
    if (!started_ || message.label == framing::kLabelNearby ||
        to_cloud_.size() >= kToCloudQueueMax) {
        ++dropped_;
        return;
    }
    last_message_ = now;
    to_cloud_.push_back({message.label, {message.message.begin(), message.message.end()}});
    pump_cloud(cloud, out);
}

Status DeviceLink::on_credit(std::uint16_t count, const CloudSession& cloud, Outputs& out) {
    SOTTO_TRY(to_cloud_credit_.add(count));
    pump_cloud(cloud, out);
    return {};
}

// [UPL-21]: a message is sent only against credit.
void DeviceLink::pump_cloud(const CloudSession& cloud, Outputs& out) {
    while (!to_cloud_.empty() && !to_cloud_credit_.is_empty()) {
        to_cloud_credit_.take();
        const Queued& next = to_cloud_.front();
        cloud.send(up::Message{id_, next.label, next.message}, out);
        to_cloud_.pop_front();
    }
}

Status DeviceLink::on_cloud_message(const up::Message& message, Instant now, Outputs& out) {
    SOTTO_TRY(from_cloud_credit_.take());  // [UPL-23]
    last_message_ = now;
    std::array<std::uint8_t, framing::kFrameSizeMax> buffer;
    const auto frame =
        framing::encode_frame(buffer, framing::Message{message.label, message.message});
    SOTTO_ASSERT(frame && to_device_.size() < kToDeviceQueueMax);
    to_device_.emplace_back(frame->begin(), frame->end());
    pump_device(out);
    return {};
}

void DeviceLink::pump_device(Outputs& out) {
    while (!to_device_.empty() && in_air_ < kInAirMax) {
        ++in_air_;
        out.push_back(SendToDevice{id_, std::move(to_device_.front())});
        to_device_.pop_front();
    }
}

void DeviceLink::on_sent(std::size_t count, const CloudSession* cloud, Outputs& out) {
    count = std::min(count, in_air_);
    in_air_ -= count;
    const std::size_t unpaid = std::min(count, unpaid_in_air_);
    unpaid_in_air_ -= unpaid;
    for (std::size_t i = unpaid; i < count && started_ && cloud != nullptr; ++i) {
        // [UPL-24]: credit returns when a message has been passed on.
        if (const std::uint16_t grant = from_cloud_credit_.pass_on(); grant > 0)
            cloud->send(up::Credit{id_, grant}, out);
    }
    pump_device(out);
}

void DeviceLink::wish_release(Duration stay_away, Instant now) {
    release_wish_ = ReleaseWish{now, std::min(stay_away, kStayAwayMax)};
}

std::optional<Duration> DeviceLink::release_due(Instant now) {
    if (!release_wish_) return std::nullopt;
    const bool waits = in_air_ > 0 || !to_device_.empty() || !to_cloud_.empty();
    if (!waits && now >= last_message_ + kIdleTime) return release_wish_->stay_away;
    if (now >= release_wish_->since + kReleaseWishTime) release_wish_.reset();
    return std::nullopt;
}

}  // namespace sotto::gateway::relay
