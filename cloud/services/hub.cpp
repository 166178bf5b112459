// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/hub.hpp"

#include <utility>

#include "core/base/assert.hpp"

namespace sotto::cloud::services {

Hub::Hub(store::Store& store, Config config)
    : config_(std::move(config)), router_(store, config_.router, config_.now()) {}

bool Hub::connect_gateway(Line& line) {
    const auto id = router_.on_gateway_connected(now());
    if (!id) return false;
    gateways_.emplace(*id, &line);
    connect(line, *id);
    return true;
}

bool Hub::connect_app(Line& line, const model::AppAddress& app) {
    const auto id = router_.on_app_connected(app, now());
    if (id) {
        apps_.emplace(*id, &line);
        connect(line, *id);
    } else {
        pump();  // an older channel of this app was closed all the same
    }
    return id.has_value();
}

void Hub::connect(Line& line, const Peer& peer) {
    SOTTO_ASSERT(!line.peer_);
    line.peer_ = peer;
    pump();
}

void Hub::on_bytes(Line& line, Bytes bytes) {
    if (!line.peer_) return;
    if (const auto* id = std::get_if<GatewayId>(&*line.peer_)) {
        if (config_.tap != nullptr) config_.tap->from_gateway(*id, bytes);
        router_.on_gateway_bytes(*id, bytes, now());
    } else {
        if (config_.tap != nullptr) config_.tap->from_app(bytes);
        router_.on_app_record(std::get<AppConnectionId>(*line.peer_), bytes, now());
    }
    pump();
}

void Hub::take_output(Line& line, Output& output) {
    output.clear();
    if (!line.peer_) return;
    router_.take_output(*line.peer_, output);
    if (config_.tap != nullptr) {
        if (const auto* id = std::get_if<GatewayId>(&*line.peer_)) {
            config_.tap->to_gateway(*id, output);
        } else {
            config_.tap->to_app(output);
        }
    }
    pump();  // a reader that was too slow has lost its links with this
}

void Hub::disconnect(Line& line) {
    if (!line.peer_) return;
    const Peer peer = *line.peer_;
    line.peer_.reset();
    if (const auto* id = std::get_if<GatewayId>(&peer)) {
        gateways_.erase(*id);
        router_.on_gateway_closed(*id, now());
        if (config_.tap != nullptr) config_.tap->on_gateway_closed(*id);
    } else {
        apps_.erase(std::get<AppConnectionId>(peer));
        router_.on_app_closed(std::get<AppConnectionId>(peer), now());
    }
    pump();
}

bool Hub::is_signed_in(const Line& line) const {
    const auto* id = line.peer_ ? std::get_if<GatewayId>(&*line.peer_) : nullptr;
    return id != nullptr && router_.is_signed_in(*id);
}

void Hub::on_time() {
    const Instant at = now();
    router_.on_time(at);
    for (const auto& [id, line] : gateways_) line->on_time(at);
    for (const auto& [id, line] : apps_) line->on_time(at);
    pump();
}

void Hub::close_apps_of(model::AccountId account) {
    router_.close_apps_of(account);
    pump();
}

void Hub::shut_down() {
    is_shutting_down_ = true;
    router_.shut_down(now());
    pump();
}

void Hub::pump() {
    if (std::exchange(is_pumping_, true)) return;  // called from within: the loop goes on
    while (announce_next()) {
    }
    is_pumping_ = false;
}

bool Hub::announce_next() {
    while (const auto event = router_.next_device_event()) {
        if (config_.on_device_event) config_.on_device_event(*event);
    }
    const auto peer = router_.next_ready();
    if (!peer) return false;
    if (const auto* gateway = std::get_if<GatewayId>(&*peer)) {
        const auto line = gateways_.find(*gateway);
        if (line != gateways_.end()) line->second->on_ready();
    } else {
        const auto line = apps_.find(std::get<AppConnectionId>(*peer));
        if (line != apps_.end()) line->second->on_ready();
    }
    return true;
}

}  // namespace sotto::cloud::services
