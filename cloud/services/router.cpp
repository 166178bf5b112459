// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/router.hpp"

#include <algorithm>
#include <utility>

namespace sotto::cloud::services {

namespace uplink = framing::uplink;

Router::Router(store::Store& store, Config config, Instant now)
    : store_(store), config_(std::move(config)), now_(now), purge_at_(now) {}

std::optional<GatewayId> Router::on_gateway_connected(Instant now) {
    now_ = now;
    const auto is_stranger = [](const auto& item) { return !item.second.session.is_open(); };
    if (gateways_.size() >= kGatewaysMax + kGatewayStrangersMax) return std::nullopt;
    const auto strangers = std::ranges::count_if(gateways_, is_stranger);
    if (static_cast<std::size_t>(strangers) >= kGatewayStrangersMax) return std::nullopt;
    const GatewayId id{++last_id_};
    gateways_.emplace(id, Gateway{.session = UplinkSession{now}});
    return id;
}

void Router::on_gateway_bytes(GatewayId id, Bytes bytes, Instant now) {
    now_ = now;
    while (Gateway* gateway = find_gateway(id)) {
        const auto event = gateway->session.next(bytes, now);
        if (!event) break;
        on_uplink_event(id, *event);
    }
    if (const Gateway* gateway = find_gateway(id); gateway != nullptr) {
        if (gateway->session.is_closed()) close_gateway(id);
        make_ready(id);
    }
}

void Router::on_uplink_event(GatewayId id, const UplinkSession::Event& event) {
    if (const auto* shown = std::get_if<UplinkSession::TokenShown>(&event)) {
        store_.find_token(config_.hash_token(shown->token),
                          model::TokenKind::Gateway,
                          guarded([this, id](Result<model::TokenHolder> holder) {
                              on_token(id, std::move(holder));
                          }));
        return;
    }
    if (const auto* up = std::get_if<uplink::LinkUp>(&event)) return on_link_up(id, *up);
    if (const auto* message = std::get_if<uplink::Message>(&event)) {
        return on_link_message(id, *message);
    }
    if (const auto* credit = std::get_if<uplink::Credit>(&event)) return on_credit(id, *credit);
    if (std::holds_alternative<uplink::TagsWanted>(event)) return on_tags_wanted(id);
    const auto& down = std::get<uplink::LinkDown>(event);
    const Gateway& gateway = *find_gateway(id);
    const auto link = gateway.links.find(down.link.value());
    if (link == gateway.links.end()) return close_gateway(id);
    remove_link(link->second);
}

// [UPL-50]
void Router::on_tags_wanted(GatewayId id) {
    Gateway& gateway = *find_gateway(id);
    if (std::exchange(gateway.wants_tags, true)) return;
    if (config_.on_tags_wanted) config_.on_tags_wanted(id, gateway.account);
}

void Router::on_token(GatewayId id, Result<model::TokenHolder> holder) {
    Gateway* gateway = find_gateway(id);
    if (gateway == nullptr) return;
    const auto is_open = [](const auto& item) { return item.second.session.is_open(); };
    const auto open_count = static_cast<std::size_t>(std::ranges::count_if(gateways_, is_open));
    const bool is_welcome = holder && open_count < kGatewaysMax;
    (is_welcome ? counters_.gateways_welcomed : counters_.gateways_refused)++;
    if (holder) {
        gateway->name = holder->name;
        gateway->account = holder->account;
    }
    note({.what = is_welcome ? Happening::GatewayWelcome : Happening::GatewayRefused,
          .gateway = gateway->name});
    if (!holder && holder.error() == Error::NotFound) {
        gateway->session.refuse(uplink::Reason::BadToken);
    } else if (!holder || open_count >= kGatewaysMax) {
        gateway->session.refuse(uplink::Reason::Full);  // or the store fails: try again later
    } else {
        gateway->session.welcome();
    }
    make_ready(id);
}

void Router::on_gateway_closed(GatewayId id, Instant now) {
    now_ = now;
    close_gateway(id);
    if (const Gateway* gateway = find_gateway(id); gateway != nullptr && !gateway->name.empty())
        note({.what = Happening::GatewayGone, .gateway = gateway->name});
    gateways_.erase(id);
}

// Ends the session and all links; the entry stays until its socket is gone.
void Router::close_gateway(GatewayId id) {
    Gateway* gateway = find_gateway(id);
    if (gateway == nullptr) return;
    gateway->session.close();
    const auto links = std::exchange(gateway->links, {});
    for (const auto& [number, key] : links) remove_link(key);
    make_ready(id);
}

void Router::send_to_gateway(GatewayId id, const uplink::Record& record) {
    Gateway* gateway = find_gateway(id);
    if (gateway == nullptr) return;
    gateway->session.send(record);
    make_ready(id);
}

void Router::make_ready(GatewayId id) {
    Gateway* gateway = find_gateway(id);
    if (gateway == nullptr || gateway->was_told) return;
    if (std::exchange(gateway->is_ready, true)) return;
    ready_.emplace_back(id);
}

void Router::make_ready(AppConnectionId id) {
    App* app = find_app(id);
    if (app == nullptr || std::exchange(app->is_ready, true)) return;
    ready_.emplace_back(id);
}

std::optional<Peer> Router::next_ready() {
    if (ready_.empty()) return std::nullopt;
    const Peer peer = ready_.front();
    ready_.pop_front();
    return peer;
}

void Router::take_output(const Peer& peer, Output& output) {
    output.clear();
    output.close = true;  // until somebody is found
    if (const auto* id = std::get_if<GatewayId>(&peer)) {
        Gateway* gateway = find_gateway(*id);
        if (gateway == nullptr) return;
        gateway->is_ready = false;
        gateway->session.take_output(output);
        gateway->was_told = output.close;
        // A reader too slow ends the session outside of any event.
        if (output.close) close_gateway(*id);
        return;
    }
    App* app = find_app(std::get<AppConnectionId>(peer));
    if (app == nullptr) return;
    app->is_ready = false;
    app->outbox.take(output);
    output.close = app->is_closed;
}

void Router::on_time(Instant now) {
    now_ = now;
    std::vector<GatewayId> gateways;
    for (auto& [id, gateway] : gateways_) {
        const bool was_closed = gateway.session.is_closed();
        gateway.session.on_time(now);
        if (!was_closed) gateways.push_back(id);
    }
    for (const GatewayId id : gateways) {
        if (find_gateway(id)->session.is_closed()) close_gateway(id);
        make_ready(id);
    }
    for (auto& [key, link] : links_) {
        if (link.load_again_at && *link.load_again_at <= now) load(key);
        pump_mail(link);
    }
    for (const auto& [id, app] : apps_) {
        if (app.has_failed) list_for_app(id);
    }
    forget_silent_devices();
    if (now < purge_at_) return;
    purge_at_ = now + kPurgeInterval;
    purge([](std::size_t) {});
}

void Router::shut_down(Instant now) {
    now_ = now;
    std::vector<GatewayId> gateways;
    for (const auto& [id, gateway] : gateways_) gateways.push_back(id);
    for (const GatewayId id : gateways) close_gateway(id);
    std::vector<AppConnectionId> apps;
    for (const auto& [id, app] : apps_) apps.push_back(id);
    for (const AppConnectionId id : apps) close_app(id);
}

Census Router::census() const {
    Census census{.apps = apps_.size(), .links = links_.size()};
    for (const auto& [id, gateway] : gateways_)
        (gateway.session.is_open() ? census.gateways : census.strangers)++;
    for (const auto& [account, devices] : attached_of_) census.attached += devices.size();
    return census;
}

Gateway* Router::find_gateway(GatewayId id) {
    const auto found = gateways_.find(id);
    return found == gateways_.end() ? nullptr : &found->second;
}

App* Router::find_app(AppConnectionId id) {
    const auto found = apps_.find(id);
    return found == apps_.end() ? nullptr : &found->second;
}

Link* Router::find_link(LinkKey key) {
    const auto found = links_.find(key);
    return found == links_.end() ? nullptr : &found->second;
}

bool Router::is_signed_in(GatewayId id) const {
    const auto found = gateways_.find(id);
    return found != gateways_.end() && found->second.session.is_open();
}

bool Router::is_connected(const model::DeviceId& device) const {
    const auto found = devices_.find(device);
    return found != devices_.end() && found->second.attached.has_value();
}

}  // namespace sotto::cloud::services
