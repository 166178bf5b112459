// SPDX-License-Identifier: Apache-2.0
#include "gateway/relay/relay.hpp"

#include <algorithm>
#include <utility>

namespace sotto::gateway::relay {

namespace up = framing::uplink;

namespace {
constexpr CloudId kDefaultCloud{0};
}

Relay::Relay(const std::vector<Cloud>& clouds, Admission admission)
    : admission_(std::move(admission)), tags_(clouds.size()) {
    SOTTO_ASSERT(!clouds.empty() && clouds.size() <= kCloudsMax);
    for (const Cloud& cloud : clouds) {
        const CloudId id{static_cast<std::uint8_t>(clouds_.size())};
        clouds_.emplace_back(id, cloud.address, cloud.token);
    }
}

void Relay::on_link_up(LinkId link, Instant now) {
    SOTTO_ASSERT(link > newest_link_);
    newest_link_ = link;
    if (links_.size() >= kLinksMax) {
        outputs_.push_back(CloseLink{link, Close::Full, kStayAwayFull});
        return;
    }
    links_.try_emplace(link, link, now);
}

bool Relay::on_frame(LinkId id, Bytes bytes, Instant now) {
    const auto found = links_.find(id);
    if (found == links_.end()) return true;
    DeviceLink& link = found->second;
    const auto frame = framing::parse_frame(bytes);
    if (!frame) return false;  // [AIR-13]
    if (const auto* attach = std::get_if<framing::Attach>(&*frame)) {
        on_attach(link, *attach, now);
    } else if (const auto* release = std::get_if<framing::Release>(&*frame)) {
        link.wish_release(seconds(release->seconds), now);
    } else if (const auto* message = std::get_if<framing::Message>(&*frame)) {
        if (const CloudSession* cloud = open_session(link))
            link.on_device_message(*message, now, *cloud, outputs_);
    }
    return true;
}

void Relay::on_attach(DeviceLink& link, const framing::Attach& attach, Instant now) {
    Introduction introduction{attach};
    if (link.introduction() == introduction) return;  // nothing new
    if (link.introduction() && link.introduction()->device_id != attach.device_id)
        return close_link(link, Close::Misbehaved, kStayAwayMisbehaved, now);  // [AIR-17]
    if (!is_admitted(attach.device_id))
        return close_link(link, Close::NotAdmitted, kStayAwayNotAdmitted, now);
    // It gets its owner just now: the time to name its cloud begins.
    if (link.introduction() && !link.introduction()->has_owner) grace_.give(attach.device_id, now);
    if (!link.introduce(std::move(introduction)))
        return close_link(link, Close::Misbehaved, kStayAwayMisbehaved, now);
    route(link, now);
}

bool Relay::is_admitted(const framing::DeviceId& device) const {
    const auto& named = admission_.devices;
    return named.empty() || std::find(named.begin(), named.end(), device) != named.end();
}

// [UPL-52] Devices without a tag are new ones, or do not know the time.
bool Relay::is_welcome(const std::optional<framing::Tag>& tag, Instant now) const {
    if (!admission_.is_by_tag || !tag) return true;
    return std::any_of(
        tags_.begin(), tags_.end(), [&](const TagBook& book) { return book.knows(*tag, now); });
}

// Decides where a device belongs and takes it there.
void Relay::route(DeviceLink& link, Instant now) {
    const Introduction& introduction = *link.introduction();
    link.set_leave_at(std::nullopt);
    if (!introduction.has_owner) {
        grace_.give(introduction.device_id, now);
        return offer(link, kDefaultCloud);
    }
    if (!introduction.address.empty()) {
        if (const auto cloud = find_cloud(introduction.address)) return offer(link, *cloud);
        return close_link(link, Close::NotServed, kStayAwayNotServed, now);
    }
    const Instant until = grace_.until(introduction.device_id, now);
    if (now >= until) return close_link(link, Close::NotServed, kStayAwayNotServed, now);
    link.set_leave_at(until);
    offer(link, kDefaultCloud);
}

// LINK_UP to its cloud: of a new link there, or with a new introduction.
void Relay::offer(DeviceLink& link, CloudId cloud) {
    if (link.cloud() != cloud) {
        withdraw(link);
        link.set_cloud(cloud);
        outputs_.push_back(DeviceOffered{link.id(), link.introduction()->device_id, cloud});
    }
    announce(link);
}

void Relay::announce(DeviceLink& link) {
    CloudSession* cloud = open_session(link);
    if (cloud == nullptr) return;
    if (!link.is_started()) link.start(cloud->credit());
    cloud->send(up::LinkUp{link.id(), link.introduction()->attach()}, outputs_);
}

void Relay::withdraw(DeviceLink& link) {
    if (CloudSession* cloud = open_session(link); cloud != nullptr && link.is_started())
        cloud->send(up::LinkDown{link.id()}, outputs_);
    link.stop();
    link.set_cloud(std::nullopt);
}

void Relay::on_sent(LinkId id, std::size_t frame_count) {
    const auto found = links_.find(id);
    if (found == links_.end()) return;
    found->second.on_sent(frame_count, open_session(found->second), outputs_);
}

void Relay::on_link_down(LinkId id, Instant now) {
    const auto found = links_.find(id);
    if (found == links_.end()) return;
    DeviceLink& link = found->second;
    if (link.introduction() && !link.introduction()->has_owner)
        grace_.give(link.introduction()->device_id, now);
    withdraw(link);
    links_.erase(found);
}

void Relay::close_link(DeviceLink& link, Close why, Duration stay_away, Instant now) {
    const LinkId id = link.id();
    outputs_.push_back(CloseLink{id, why, stay_away});
    on_link_down(id, now);
}

void Relay::on_uplink_up(CloudId cloud, Instant now) { session(cloud).on_up(now, outputs_); }

void Relay::on_uplink_down(CloudId cloud, Instant now, Jitter jitter) {
    session(cloud).on_down(now, jitter);
    for (auto& [id, link] : links_) {
        if (link.cloud() == cloud) link.stop();
    }
}

void Relay::on_uplink_record(CloudId cloud, Bytes bytes, Instant now) {
    const auto record = session(cloud).on_record(bytes, now, outputs_);
    if (!record) return;
    if (std::holds_alternative<up::Welcome>(*record)) return on_welcomed(cloud);
    if (const auto* tags = std::get_if<up::Tags>(&*record)) {
        if (admission_.is_by_tag) tags_[cloud.value()].take(*tags, now);
        return;
    }
    on_link_record(cloud, *record, now);
}

void Relay::on_welcomed(CloudId cloud) {
    if (admission_.is_by_tag) session(cloud).send(up::TagsWanted{}, outputs_);
    for (auto& [id, link] : links_) {
        if (link.cloud() == cloud) announce(link);
    }
}

void Relay::on_link_record(CloudId cloud, const up::Record& record, Instant now) {
    Status status;
    if (const auto* message = std::get_if<up::Message>(&record)) {
        if (DeviceLink* link = find_started(message->link, cloud))
            status = link->on_cloud_message(*message, now, outputs_);
    } else if (const auto* credit = std::get_if<up::Credit>(&record)) {
        if (DeviceLink* link = find_started(credit->link, cloud))
            status = link->on_credit(credit->count, session(cloud), outputs_);
    } else if (const auto* release = std::get_if<up::Release>(&record)) {
        if (DeviceLink* link = find_started(release->link, cloud))
            link->wish_release(seconds(release->seconds), now);
    }
    if (status) return;
    const bool exceeded = status.error() == Error::Refused;
    session(cloud).close(exceeded ? Break::CreditExceeded : Break::Malformed, outputs_);
}

void Relay::on_time(Instant now) {
    for (CloudSession& cloud : clouds_) cloud.on_time(now, outputs_);
    for (TagBook& book : tags_) book.forget_ended(now);
    for (auto next = links_.begin(); next != links_.end();) {
        DeviceLink& link = (next++)->second;  // it may be closed on the way
        on_link_time(link, now);
    }
}

void Relay::on_link_time(DeviceLink& link, Instant now) {
    if (!link.introduction()) {
        if (now >= link.since() + kAttachTimeMax)
            close_link(link, Close::Misbehaved, kStayAwayMisbehaved, now);
        return;
    }
    if (link.leave_at() && now >= *link.leave_at())
        return close_link(link, Close::NotServed, kStayAwayNotServed, now);
    if (const auto stay_away = link.release_due(now))
        close_link(link, Close::Released, *stay_away, now);
}

std::optional<Output> Relay::next_output() {
    if (outputs_.empty()) return std::nullopt;
    Output output = std::move(outputs_.front());
    outputs_.pop_front();
    return output;
}

std::optional<CloudId> Relay::find_cloud(const std::string& address) const {
    const auto found = std::find_if(clouds_.begin(), clouds_.end(), [&](const auto& cloud) {
        return cloud.address() == address;
    });
    if (found == clouds_.end()) return std::nullopt;
    return CloudId{static_cast<std::uint8_t>(found - clouds_.begin())};
}

DeviceLink* Relay::find_started(LinkId id, CloudId cloud) {
    const auto found = links_.find(id);
    if (found == links_.end()) return nullptr;
    DeviceLink& link = found->second;
    return link.is_started() && link.cloud() == cloud ? &link : nullptr;
}

CloudSession* Relay::open_session(const DeviceLink& link) {
    if (!link.cloud() || !session(*link.cloud()).is_open()) return nullptr;
    return &session(*link.cloud());
}

}  // namespace sotto::gateway::relay
