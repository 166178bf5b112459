// SPDX-License-Identifier: Apache-2.0
// Channels of apps, and what they send to devices.
#include <algorithm>
#include <array>
#include <utility>

#include "cloud/services/router.hpp"
#include "cloud/services/sealed.hpp"
#include "core/base/assert.hpp"
#include "core/base/reader.hpp"

namespace sotto::cloud::services {

namespace channel = framing::channel;

std::optional<AppConnectionId> Router::on_app_connected(const model::AppAddress& app, Instant now) {
    now_ = now;
    if (const auto old = app_at_.find(app); old != app_at_.end()) close_app(old->second);
    if (apps_.size() >= kAppsMax) return std::nullopt;
    const AppConnectionId id{++last_id_};
    apps_.emplace(id, App{.address = app});
    app_at_[app] = id;
    apps_of_[app.account].insert(id);
    if (const auto attached = attached_of_.find(app.account); attached != attached_of_.end()) {
        for (const model::DeviceId& device : attached->second) {
            send_to_app(id, channel::State{.device_id = device, .is_connected = true});
        }
    }
    counters_.apps_connected++;
    note({.what = Happening::AppConnected, .app = app});
    list_for_app(id);
    return id;
}

void Router::on_app_closed(AppConnectionId id, Instant now) {
    now_ = now;
    close_app(id);
    apps_.erase(id);
}

// Takes the app out of every table but the one of its socket.
void Router::close_app(AppConnectionId id) {
    App* app = find_app(id);
    if (app == nullptr || std::exchange(app->is_closed, true)) return;
    app_at_.erase(app->address);
    std::set<AppConnectionId>& apps = apps_of_[app->address.account];
    apps.erase(id);
    if (apps.empty()) apps_of_.erase(app->address.account);
    note({.what = Happening::AppGone, .app = app->address});
    make_ready(id);
}

void Router::close_apps_of(model::AccountId account) {
    const auto found = apps_of_.find(account);
    if (found == apps_of_.end()) return;
    for (const AppConnectionId id : std::set{found->second}) close_app(id);
}

void Router::send_to_app(AppConnectionId id, const channel::Record& record) {
    App* app = find_app(id);
    if (app == nullptr || app->is_closed) return;
    std::array<std::uint8_t, framing::kChannelRecordSizeMax>
        scratch;  // NOLINT: written before read
    const auto bytes = channel::encode_record(scratch, record);
    SOTTO_ASSERT(bytes.has_value());
    if (!app->outbox.add(*bytes)) return close_app(id);
    make_ready(id);
}

namespace {

// The reference of a SEND whose message is too large, so that its sender learns that.
std::optional<channel::Reference> reference_of_oversized(Bytes bytes) {
    constexpr std::uint8_t kSend = 0x01;
    Reader reader{bytes};
    const auto type = reader.u8();
    const auto reference = reader.u32_be();
    if (!type || !reference || *type != kSend) return std::nullopt;
    return channel::Reference{*reference};
}

}  // namespace

void Router::on_app_record(AppConnectionId id, Bytes bytes, Instant now) {
    now_ = now;
    const App* app = find_app(id);
    if (app == nullptr || app->is_closed) return;
    const auto record = channel::parse_record(bytes, channel::Side::App);
    if (!record) {
        const auto reference = reference_of_oversized(bytes);
        if (record.error() != Error::TooLarge || !reference) return close_app(id);
        counters_.refused_from_app++;
        counters_.outcomes[static_cast<std::size_t>(OutcomeCode::TooLarge)]++;
        return send_to_app(id, channel::Outcome{*reference, OutcomeCode::TooLarge});
    }
    if (const auto* send = std::get_if<channel::Send>(&*record)) return on_send(id, *send);
    on_ack(id, model::Sequence{std::get<channel::Ack>(*record).sequence.value()});
}

void Router::on_send(AppConnectionId id, const channel::Send& send) {
    route({.sender = id,
           .app = find_app(id)->address,
           .reference = send.reference,
           .device = send.device_id,
           .lifetime_s = send.lifetime_s,
           .message = send.message});
}

// Hands on, stores, or says why not. Comes again for a request that has waited for a label.
void Router::route(const Request& request) {
    if (request.lifetime_s > 0) {
        const Kept kept = keep(request);
        if (kept == nullptr) return answer(request, OutcomeCode::RateLimited);
        return put_for_device(kept, false);
    }
    const Target target = find_target(request.device, request.app);
    if (target.link == nullptr) return answer(request, target.outcome);
    const DeviceEntry& entry = devices_.at(request.device);
    const auto label = entry.label_of.find(request.app);
    if (label != entry.label_of.end()) {
        return answer(request, hand_to_link(*target.link, request, label->second));
    }
    const Kept kept = keep(request);
    return kept == nullptr ? answer(request, OutcomeCode::RateLimited) : wait_for_label(kept);
}

Router::Target Router::find_target(const model::DeviceId& device, const model::AppAddress& app) {
    const auto found = devices_.find(device);
    if (found == devices_.end()) return {};
    const DeviceEntry& entry = found->second;
    if (entry.attached) {
        Link* link = find_link(*entry.attached);
        if (link->registration->account == app.account) return {.link = link};
    }
    if (Link* stranger = find_stranger(entry, app); stranger != nullptr) return {.link = stranger};
    return {.outcome = why_no_target(entry, app)};
}

// A link that is not attached, for pairing: the newest without an owner; else, while nobody has
// proved to be the device, the newest with one, for an app that was talking to it.
Link* Router::find_stranger(const DeviceEntry& entry, const model::AppAddress& app) {
    for (auto key = entry.links.rbegin(); key != entry.links.rend(); ++key) {
        Link* link = find_link(*key);
        if (!link->has_owner) return link;
    }
    if (entry.attached || entry.links.empty() || !entry.talkers.has(app, now_)) return nullptr;
    return find_link(entry.links.back());
}

Router::OutcomeCode Router::why_no_target(const DeviceEntry& entry, const model::AppAddress& app) {
    if (entry.attached) return OutcomeCode::NotPermitted;  // somebody else's
    for (const LinkKey key : entry.links) {
        const Link& link = *find_link(key);
        if (link.phase == Phase::Loading) return OutcomeCode::NotConnected;  // not known yet
        if (link.registration && link.registration->account == app.account) {
            return OutcomeCode::NotConnected;  // about to attach
        }
    }
    return entry.links.empty() ? OutcomeCode::NotConnected : OutcomeCode::NotPermitted;
}

Router::OutcomeCode Router::hand_to_link(Link& link, const Request& request, model::Label label) {
    if (link.phase != Phase::Attached) {
        DeviceEntry& entry = devices_.at(link.device);
        if (!entry.to_stranger.take(now_)) return OutcomeCode::RateLimited;
        entry.talkers.add(request.app, now_);
    }
    if (!send_on_link(link, framing::Label{label.value()}, request.message)) {
        return OutcomeCode::MailboxFull;
    }
    counters_.relayed_to_device++;
    return OutcomeCode::HandedOn;
}

Router::Kept Router::keep(const Request& request) {
    App* app = find_app(request.sender);
    if (app != nullptr && app->waiting_send_count >= kWaitingSendsPerAppMax) return nullptr;
    if (app != nullptr) app->waiting_send_count++;
    auto kept = std::make_shared<KeptRequest>();
    kept->message.assign(request.message.begin(), request.message.end());
    kept->request = request;
    kept->request.message = kept->message;
    return kept;
}

void Router::release(const Kept& kept) {
    if (App* app = find_app(kept->request.sender); app != nullptr) app->waiting_send_count--;
}

void Router::wait_for_label(const Kept& kept) {
    const Request& request = kept->request;
    store_.allocate_label(
        request.device, request.app, guarded([this, kept](Result<model::Label> label) {
            release(kept);
            if (!label) return answer(kept->request, OutcomeCode::MailboxFull);
            const auto entry = devices_.find(kept->request.device);
            if (entry != devices_.end()) learn_label(entry->second, *label, kept->request.app);
            route(kept->request);
        }));
}

// The store knows whether the device is of this account. A letter is handed on by pump_mail() only,
// so that it is durable before anybody says that it is taken care of.
void Router::put_for_device(const Kept& kept, bool is_last_try) {
    const Request& request = kept->request;
    const Duration life = is_sealed(request.message) ? kDeviceLetterLifeMax : kUnsealedLetterLife;
    model::Letter letter{.to = model::MailboxKind::Device,
                         .device = request.device,
                         .app = request.app,
                         .stored_at = now_,
                         .expires_at = now_ + std::min(seconds(request.lifetime_s), life),
                         .message = kept->message,
                         .reference = request.reference.value()};
    store_.put(std::move(letter),
               {.mailbox = kDeviceMailbox},
               guarded([this, kept, is_last_try](Result<model::Sequence> put) {
                   on_put_for_device(kept, is_last_try, put);
               }));
}

void Router::on_put_for_device(const Kept& kept, bool is_last_try, Result<model::Sequence> put) {
    const Request& request = kept->request;
    if (!put && put.error() == Error::NoSpace && !is_last_try) {
        return purge([this, kept](std::size_t count) { put_for_device(kept, count == 0); });
    }
    release(kept);
    if (!put) {
        const Error why = put.error();
        return answer(request,
                      why == Error::Refused ? OutcomeCode::NotPermitted
                      : why == Error::Busy  ? OutcomeCode::RateLimited
                                            : OutcomeCode::MailboxFull);
    }
    counters_.stored++;
    answer(request, OutcomeCode::Stored);
    const auto entry = devices_.find(request.device);
    if (entry == devices_.end() || !entry->second.attached) return;
    Link& link = *find_link(*entry->second.attached);
    link.mail.may_have_more = true;
    pump_mail(link);
}

void Router::answer(const Request& request, OutcomeCode outcome) {
    const bool is_good = outcome == OutcomeCode::HandedOn || outcome == OutcomeCode::Stored;
    if (!is_good) counters_.refused_from_app++;
    counters_.outcomes[static_cast<std::size_t>(outcome)]++;
    note({.what = Happening::Answered,
          .device = request.device,
          .app = request.app,
          .outcome = outcome});
    send_to_app(request.sender, channel::Outcome{request.reference, outcome});
}

}  // namespace sotto::cloud::services
