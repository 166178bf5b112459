// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/open_devices.hpp"

#include <utility>

#include "cloud/services/limits.hpp"

namespace sotto::cloud::services {

namespace {

// Between device and cloud only.
constexpr std::string_view kClaimCodeEvent = "spark/device/claim/code";

Publication status(const char* what) { return {.name = "spark/status", .data = what}; }

}  // namespace

void OpenDevices::on_connected(const model::DeviceId& device,
                               OpenDevice& line,
                               std::optional<Known> known) {
    if (const auto found = lines_.find(device); found != lines_.end()) {
        OpenDevice* const old = found->second.device;
        leave(device, found->second);
        lines_.erase(found);
        old->on_replaced();
    }
    const std::uint64_t number = ++last_number_;
    const auto place = lines_.emplace(device, Line{.device = &line, .number = number}).first;
    const bool is_known =
        known && known->owners == owners_ &&
        !(config_.must_ask && config_.must_ask(device, known->owner, line.attributes()));
    if (is_known) return enter(device, place->second, known->owner);
    config_.load_owner(device, [this, device, number](const Result<Owner>& owner) {
        on_owner(device, number, owner);
    });
}

void OpenDevices::on_owner(const model::DeviceId& device,
                           std::uint64_t number,
                           const Result<Owner>& owner) {
    const auto found = lines_.find(device);
    if (found == lines_.end() || found->second.number != number) return;
    Line& line = found->second;
    if (line.is_known) return;  // set_owner() was first
    if (!owner) return disconnect(device);
    enter(device, line, *owner);
}

void OpenDevices::enter(const model::DeviceId& device, Line& line, Owner owner) {
    line.is_known = true;
    line.owner = owner;
    if (owner) {
        ++count(device).connections;
        by_owner_[*owner].insert(device);
        config_.save_traces(device, line.device->attributes());
        spread(*owner, device, status("online"));
        if (config_.on_online) config_.on_online(device, *owner);
    }
    for (Publication& what : std::exchange(line.waiting, {})) take(device, line, std::move(what));
}

void OpenDevices::leave(const model::DeviceId& device, Line& line) {
    if (!line.owner) return;
    Tally& tally = count(device);
    ++tally.disconnections;
    tally.disconnected_at = config_.now();
    config_.save_traces(device, line.device->attributes());
    const auto devices = by_owner_.find(*line.owner);
    devices->second.erase(device);
    if (devices->second.empty()) by_owner_.erase(devices);
    spread(*std::exchange(line.owner, std::nullopt), device, status("offline"));
}

void OpenDevices::on_disconnected(const model::DeviceId& device, OpenDevice& line) {
    const auto found = lines_.find(device);
    if (found == lines_.end() || found->second.device != &line) return;
    leave(device, found->second);
    lines_.erase(found);
}

void OpenDevices::disconnect(const model::DeviceId& device) {
    const auto found = lines_.find(device);
    if (found == lines_.end()) return;
    OpenDevice* const line = found->second.device;
    leave(device, found->second);
    lines_.erase(found);
    line->on_replaced();
}

void OpenDevices::on_event(const model::DeviceId& device, OpenDevice& line, Publication what) {
    const auto found = lines_.find(device);
    if (found == lines_.end() || found->second.device != &line) return;
    if (found->second.is_known) return take(device, found->second, std::move(what));
    if (found->second.waiting.size() < kWaitingEventsMax)
        found->second.waiting.push_back(std::move(what));
}

void OpenDevices::take(const model::DeviceId& device, Line& line, Publication what) {
    if (what.name == kClaimCodeEvent) {
        return config_.on_claim_code(device, what.data.value_or(std::string{}));
    }
    if (!line.owner) return;
    ++count(device).events;
    spread(*line.owner, device, std::move(what));
}

OpenDevices::Tally& OpenDevices::count(const model::DeviceId& device) {
    if (tallies_.size() >= kTalliesMax && !tallies_.contains(device)) tallies_.clear();
    return tallies_[device];
}

OpenDevice* OpenDevices::find(const model::DeviceId& device, model::AccountId owner) const {
    const auto found = lines_.find(device);
    if (found == lines_.end() || found->second.owner != owner) return nullptr;
    return found->second.device;
}

EventPtr OpenDevices::publish(model::AccountId owner, Publication what) {
    return spread(owner, std::nullopt, std::move(what));
}

EventPtr OpenDevices::spread(model::AccountId owner,
                             std::optional<model::DeviceId> publisher,
                             Publication what) {
    if (publisher && config_.product_of) what.product = config_.product_of(owner, *publisher);
    const EventPtr event = ring_.publish({.publisher = publisher,
                                          .owner = owner,
                                          .what = std::move(what),
                                          .published_at = config_.now()});
    if (const auto devices = by_owner_.find(owner); devices != by_owner_.end()) {
        for (const model::DeviceId& device : devices->second)
            lines_.at(device).device->on_event(*event);
    }
    if (config_.on_published) config_.on_published(event);
    return event;
}

void OpenDevices::set_owner(const model::DeviceId& device, Owner owner) {
    ++owners_;
    const auto found = lines_.find(device);
    if (found == lines_.end()) return;
    Line& line = found->second;
    if (line.is_known && line.owner == owner) return;
    leave(device, line);
    enter(device, line, owner);
}

void OpenDevices::end_claim_code(const model::DeviceId& device) {
    const auto found = lines_.find(device);
    if (found != lines_.end()) found->second.device->forget_claim_code();
}

}  // namespace sotto::cloud::services
