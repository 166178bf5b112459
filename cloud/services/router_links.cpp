// SPDX-License-Identifier: Apache-2.0
// Links: from LINK_UP to a device that has proved what it is, and away again.
#include <algorithm>
#include <utility>

#include "cloud/services/router.hpp"
#include "core/base/assert.hpp"

namespace sotto::cloud::services {

namespace uplink = framing::uplink;

namespace {

constexpr std::uint16_t kReleaseSeconds = 60;  // how long a device we have no room for stays away

// A device id is the front of its credential's hash.
bool is_id_of(const model::DeviceId& device, const model::CredentialHash& credential) {
    return std::equal(device.begin(), device.end(), credential.begin());
}

Result<model::Registration> registration_of(const Result<model::DeviceRecord>& record,
                                            const model::CredentialHash& credential) {
    if (!record) return record.error();
    if (!record->registration) return Error::NotFound;
    if (record->registration->credential != credential) return Error::Refused;
    return *record->registration;
}

}  // namespace

void Router::on_link_up(GatewayId id, const uplink::LinkUp& up) {
    const Gateway& gateway = *find_gateway(id);
    const auto known = gateway.links.find(up.link.value());
    if (known == gateway.links.end()) return add_link(id, up);
    Link* link = find_link(known->second);
    if (link == nullptr) return;  // released
    if (link->device == up.attach.device_id) return introduce(*link, up.attach);
    remove_link(link->key);
    add_link(id, up);
}

void Router::add_link(GatewayId id, const uplink::LinkUp& up) {
    Gateway& gateway = *find_gateway(id);
    if (gateway.links.size() >= 2 * kLinksPerGatewayMax) return close_gateway(id);
    if (gateway.links.size() >= kLinksPerGatewayMax) {
        gateway.links.emplace(up.link.value(), kReleasedLink);
        return send_to_gateway(id, uplink::Release{.link = up.link, .seconds = kReleaseSeconds});
    }
    const LinkKey key{++last_id_};
    Link& link = links_
                     .emplace(key,
                              Link{.key = key,
                                   .gateway = id,
                                   .number = up.link,
                                   .device = up.attach.device_id,
                                   .from_device = TokenBucket{kStrangerRate, now_}})
                     .first->second;
    gateway.links.emplace(up.link.value(), key);
    std::vector<LinkKey>& links = device_entry(link.device).links;
    // Many may say that they are one device. Those who lose their place are asked to go; until then
    // nothing is sent to them.
    if (links.size() >= kClaimantsPerDeviceMax) {
        const DeviceEntry& entry = devices_.at(link.device);
        const auto oldest = links.front() == entry.attached ? links.begin() + 1 : links.begin();
        const Link& loser = *find_link(*oldest);
        send_to_gateway(loser.gateway,
                        uplink::Release{.link = loser.number, .seconds = kReleaseSeconds});
        links.erase(oldest);
    }
    links.push_back(key);
    introduce(link, up.attach);
}

// A device said who it is and whom it belongs to: what it proved before counts no more.
void Router::introduce(Link& link, const framing::Attach& attach) {
    detach(link);
    link.has_owner = attach.has_owner;
    link.names_us = attach.has_owner && !attach.address.empty() &&
                    attach.cloud_credential == config_.credential;
    link.phase = Phase::Loading;
    load(link.key);
}

void Router::load(LinkKey key) {
    Link& link = *find_link(key);
    link.load_again_at.reset();
    store_.load_device(link.device, guarded([this, key](Result<model::DeviceRecord> record) {
                           on_loaded(key, std::move(record));
                       }));
}

void Router::on_loaded(LinkKey key, Result<model::DeviceRecord> record) {
    Link* link = find_link(key);
    if (link == nullptr || link->phase != Phase::Loading) return;
    if (!record) {
        link->load_again_at = now_ + kRetryInterval;
        return;
    }
    DeviceEntry& entry = device_entry(link->device);
    for (const model::LabelEntry& label : record->labels)
        learn_label(entry, label.label, label.app);
    link->registration = record->registration;
    start(*link);
}

void Router::start(Link& link) {
    if (!link.names_us) {
        link.phase = Phase::Unproven;
        return end_session(link);
    }
    link.phase = Phase::Proving;
    link.has_session = true;
    StartAttach event{.link = link.key, .device = link.device, .credential = {}};
    if (link.registration) event.credential = link.registration->credential;
    device_events_.emplace_back(event);
}

void Router::on_attached(LinkKey key, const Proof& proof, Instant now) {
    now_ = now;
    Link* link = find_link(key);
    if (link == nullptr || link->phase != Phase::Proving) return;
    const bool is_same_key =
        !link->registration || link->registration->credential == proof.credential;
    if (proof.device != link->device || !is_id_of(proof.device, proof.credential) || !is_same_key) {
        return on_attach_failed(key, now);
    }
    link->phase = Phase::Registering;
    if (proof.claim) {
        store_.redeem_claim(*proof.claim,
                            proof.device,
                            proof.credential,
                            now,
                            guarded([this, key](Result<model::Registration> registration) {
                                on_registered(key, std::move(registration));
                            }));
        return;
    }
    if (link->registration) return attach(*link, *link->registration);
    // It may have been registered through another link meanwhile.
    store_.load_device(proof.device,
                       guarded([this, key, proof](Result<model::DeviceRecord> record) {
                           on_registered(key, registration_of(record, proof.credential));
                       }));
}

void Router::on_registered(LinkKey key, Result<model::Registration> registration) {
    Link* link = find_link(key);
    if (link == nullptr || link->phase != Phase::Registering) return;
    if (registration) return attach(*link, *registration);
    const bool is_final =
        registration.error() == Error::NotFound || registration.error() == Error::Refused;
    if (is_final) {
        counters_.attach_failed++;
        note({.what = Happening::DeviceNotAttached, .device = link->device});
        link->phase = Phase::Unproven;
        return;
    }
    link->phase = Phase::Loading;  // the store failed: begin again
    link->load_again_at = now_ + kRetryInterval;
}

void Router::on_attach_failed(LinkKey key, Instant now) {
    now_ = now;
    Link* link = find_link(key);
    if (link == nullptr || link->phase != Phase::Proving) return;
    counters_.attach_failed++;
    note({.what = Happening::DeviceNotAttached, .device = link->device});
    link->phase = Phase::Unproven;
}

void Router::attach(Link& link, const model::Registration& registration) {
    DeviceEntry& entry = device_entry(link.device);
    if (entry.attached) {
        // The newest proof wins; the older link is a leftover of another gateway.
        Link& old = *find_link(*entry.attached);
        detach(old);
        end_session(old);
        send_to_gateway(old.gateway, uplink::Release{.link = old.number, .seconds = 0});
    }
    counters_.attached++;
    note({.what = Happening::DeviceAttached, .device = link.device});
    link.phase = Phase::Attached;
    link.registration = registration;
    link.mail = LinkMail{.may_have_more = true};
    entry.attached = link.key;
    attached_of_[registration.account].insert(link.device);
    announce(registration, true);
    pump_mail(link);
}

void Router::detach(Link& link) {
    if (link.phase != Phase::Attached) return;
    note({.what = Happening::DeviceDetached, .device = link.device});
    link.phase = Phase::Unproven;
    link.mail = {};
    SOTTO_ASSERT(link.registration.has_value());
    devices_.at(link.device).attached.reset();
    std::set<model::DeviceId>& devices = attached_of_[link.registration->account];
    devices.erase(link.device);
    if (devices.empty()) attached_of_.erase(link.registration->account);
    announce(*link.registration, false);
}

void Router::announce(const model::Registration& registration, bool is_connected) {
    const auto found = apps_of_.find(registration.account);
    if (found == apps_of_.end()) return;
    const std::set<AppConnectionId> apps = found->second;  // a slow one is closed on the way
    for (const AppConnectionId id : apps) {
        send_to_app(id,
                    framing::channel::State{.device_id = registration.device,
                                            .is_connected = is_connected});
    }
}

void Router::end_session(Link& link) {
    if (!std::exchange(link.has_session, false)) return;
    device_events_.emplace_back(LinkGone{.link = link.key});
}

void Router::remove_link(LinkKey key) {
    Link* link = find_link(key);
    if (link == nullptr) return;
    detach(*link);
    end_session(*link);
    if (Gateway* gateway = find_gateway(link->gateway); gateway != nullptr) {
        gateway->links.erase(link->number.value());
    }
    const auto entry = devices_.find(link->device);
    std::erase(entry->second.links, key);
    links_.erase(key);
    const bool is_idle = entry->second.links.empty();
    if (is_idle && devices_.size() > links_.size() + kDevicesWithoutLinkMax) devices_.erase(entry);
}

DeviceEntry& Router::device_entry(const model::DeviceId& device) {
    const auto found = devices_.find(device);
    if (found != devices_.end()) return found->second;
    return devices_.emplace(device, DeviceEntry{.to_stranger = TokenBucket{kStrangerRate, now_}})
        .first->second;
}

void Router::forget_silent_devices() {
    std::erase_if(devices_, [this](const auto& item) {
        const DeviceEntry& entry = item.second;
        return entry.links.empty() && entry.talkers.is_silent(now_);
    });
}

void Router::learn_label(DeviceEntry& entry, model::Label label, const model::AppAddress& app) {
    if (entry.app_of.size() >= store::kLabelsPerDeviceMax && !entry.app_of.contains(label)) {
        // The store has given some up. What is still in use is learnt again with the next SEND.
        entry.app_of.clear();
        entry.label_of.clear();
    }
    const auto [place, is_new] = entry.app_of.try_emplace(label, app);
    if (!is_new && place->second != app) {
        entry.label_of.erase(place->second);
        place->second = app;
    }
    entry.label_of[app] = label;
}

}  // namespace sotto::cloud::services
