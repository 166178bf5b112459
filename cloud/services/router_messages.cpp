// SPDX-License-Identifier: Apache-2.0
// Messages on links, in both directions, and their credit.
#include "cloud/services/router.hpp"

namespace sotto::cloud::services {

namespace uplink = framing::uplink;

bool Router::send_on_link(Link& link, framing::Label label, Bytes message) {
    if (!link.flow.can_send()) return link.flow.enqueue(label, message);
    link.flow.count_sent();
    write_to_link(link, label, message);
    return true;
}

void Router::write_to_link(const Link& link, framing::Label label, Bytes message) {
    send_to_gateway(link.gateway,
                    uplink::Message{.link = link.number, .label = label, .message = message});
}

void Router::send_link_message(LinkKey key, Bytes message, Instant now) {
    now_ = now;
    Link* link = find_link(key);
    if (link == nullptr || !link->has_session) return;
    if (message.empty() || message.size() > framing::kMessageSizeMax) return;
    // What finds no room is lost, as on the air: the session sends it again.
    if (!send_on_link(*link, framing::kLabelCloud, message)) counters_.attach_failed++;
}

void Router::on_link_message(GatewayId id, const uplink::Message& message) {
    const Gateway& gateway = *find_gateway(id);
    const auto known = gateway.links.find(message.link.value());
    if (known == gateway.links.end()) return close_gateway(id);
    const LinkKey key = known->second;
    Link* link = find_link(key);
    if (link == nullptr) return;  // released
    if (!link->flow.on_received()) return close_gateway(id);
    carry(*link, model::Label{message.label.value()}, message.message);
    const std::uint16_t grant = link->flow.take_grant();
    if (grant > 0) send_to_gateway(id, uplink::Credit{.link = link->number, .count = grant});
}

void Router::carry(Link& link, model::Label label, Bytes message) {
    if (label == model::kLabelCloud) return carry_to_session(link, message);
    carry_to_app(link, label, message);
}

void Router::carry_to_session(Link& link, Bytes message) {
    const bool is_stranger = link.phase != Phase::Attached;
    // A stranger must not make us compute without limit.
    if (!link.has_session || (is_stranger && !link.from_device.take(now_))) {
        counters_.dropped_from_device++;
        return;
    }
    device_events_.emplace_back(LinkMessage{
        .link = link.key, .device = link.device, .message = {message.begin(), message.end()}});
}

std::optional<DeviceEvent> Router::next_device_event() {
    if (device_events_.empty()) return std::nullopt;
    DeviceEvent event = std::move(device_events_.front());
    device_events_.pop_front();
    return event;
}

void Router::carry_to_app(Link& link, model::Label label, Bytes message) {
    const DeviceEntry& entry = devices_.at(link.device);
    const auto app = entry.app_of.find(label);
    if (app == entry.app_of.end() || !may_reach_app(link, entry, app->second)) {
        counters_.dropped_from_device++;
        note({.what = Happening::Dropped, .device = link.device});
        return;
    }
    const auto connected = app_at_.find(app->second);
    if (connected == app_at_.end()) return store_for_app(link, app->second, message);
    counters_.relayed_to_app++;
    send_to_app(
        connected->second,
        framing::channel::Deliver{.sequence = {}, .device_id = link.device, .message = message});
}

// The device reaches its owner's apps; a stranger reaches those who talk to it, now and then.
bool Router::may_reach_app(Link& link, const DeviceEntry& entry, const model::AppAddress& app) {
    if (link.phase == Phase::Attached) return link.registration->account == app.account;
    return entry.talkers.has(app, now_) && link.from_device.take(now_);
}

void Router::on_credit(GatewayId id, const uplink::Credit& credit) {
    const Gateway& gateway = *find_gateway(id);
    const auto known = gateway.links.find(credit.link.value());
    if (known == gateway.links.end()) return close_gateway(id);
    Link* link = find_link(known->second);
    if (link == nullptr) return;  // released
    if (!link->flow.on_credit(credit.count)) return close_gateway(id);
    while (const auto waiting = link->flow.next()) {
        write_to_link(*link, waiting->label, waiting->message);
    }
    erase_passed_letters(*link);
    pump_mail(*link);
}

}  // namespace sotto::cloud::services
