// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/relays.hpp"

namespace sotto::sim {

using cloud::services::AppConnectionId;
using cloud::services::GatewayId;
using gateway::relay::LinkId;

namespace {

constexpr Duration kWire = milliseconds(5);  // a TCP connection: in order, nothing is lost
constexpr Duration kCloudTick = milliseconds(500);
constexpr Duration kGatewayTick = milliseconds(100);

cloud::model::TokenHash hash_token(std::string_view token) {
    return {.bytes = crypto::sha256(as_bytes(token))};
}

bool is_message(const Message& frame) {
    const auto parsed = framing::parse_frame(frame);
    return parsed && std::holds_alternative<framing::Message>(*parsed);
}

}  // namespace

// The cloud.

Cloud::Cloud(World& world, Ledger& ledger, std::uint64_t seed)
    : world_(world),
      ledger_(ledger),
      entropy_(seed),
      party_(Party::make("cloud", entropy_)),
      store_([this](auto answer) { answers_.push_back(std::move(answer)); }) {
    store_.create_account("ann", world_.now, [](const auto&) {});
    store_.add_token({.hash = hash_token(kGatewayToken),
                      .kind = cloud::model::TokenKind::Gateway,
                      .account = cloud::model::AccountId{1},
                      .name = "hall"},
                     world_.now,
                     [](const auto&) {});
    start();
}

void Cloud::start() {
    router_ = std::make_unique<cloud::services::Router>(
        store_,
        cloud::services::Router::Config{.credential = party_.credential.hash(),
                                        .hash_token = hash_token},
        world_.now);
    attachments_ = std::make_unique<cloud::link::Attachments>(
        cloud::link::Attachments::Setup{.identity = party_.identity(), .entropy = entropy_});
    ++life_;
    tick();
}

void Cloud::crash() {
    relayed_before_ = relayed_count();
    answers_.clear();
    router_.reset();
    attachments_.reset();
    for (const auto& [id, gateway] : std::exchange(gateways_, {})) {
        world_.at(kWire, [gateway = gateway] { gateway->on_cloud_closed(); });
    }
    for (const auto& [id, app] : std::exchange(apps_, {})) {
        world_.at(kWire, [app = app] { app->on_channel_closed(); });
    }
    start();
}

void Cloud::tick() {
    world_.at(kCloudTick, [this, life = life_] {
        if (life != life_) return;
        router_->on_time(world_.now);
        attachments_->on_time(world_.now);
        pump();
        tick();
    });
}

std::optional<GatewayId> Cloud::connect(Gateway& gateway) {
    const auto id = router_->on_gateway_connected(world_.now);
    if (id) gateways_[*id] = &gateway;
    return id;
}

void Cloud::on_gateway_bytes(GatewayId id, const Message& bytes) {
    if (!gateways_.contains(id)) return;
    router_->on_gateway_bytes(id, bytes, world_.now);
    pump();
}

void Cloud::on_gateway_closed(GatewayId id) {
    if (gateways_.erase(id) == 0) return;
    router_->on_gateway_closed(id, world_.now);
    pump();
}

std::optional<AppConnectionId> Cloud::connect(ChannelEnd& app, const cloud::model::AppId& id) {
    const auto connection =
        router_->on_app_connected({.account = cloud::model::AccountId{1}, .app = id}, world_.now);
    if (connection) apps_[*connection] = &app;
    pump();
    return connection;
}

void Cloud::on_app_record(AppConnectionId id, const Message& record) {
    if (!apps_.contains(id)) return;
    router_->on_app_record(id, record, world_.now);
    pump();
}

void Cloud::on_app_closed(AppConnectionId id) {
    if (apps_.erase(id) == 0) return;
    router_->on_app_closed(id, world_.now);
    pump();
}

std::array<std::uint8_t, keystore::kClaimSize> Cloud::make_claim() {
    cloud::model::ClaimCode code;
    static_cast<void>(entropy_.fill(code.bytes));
    store_.create_claim({.code = code,
                         .account = cloud::model::AccountId{1},
                         .expires_at = world_.now + minutes(60)},
                        100,
                        world_.now,
                        [](const auto&) {});
    pump();
    return code.bytes;
}

void Cloud::pump() {
    while (pump_once()) {
    }
}

bool Cloud::pump_once() {
    if (!answers_.empty()) {
        const auto answer = std::move(answers_.front());
        answers_.pop_front();
        answer();
        return true;
    }
    if (const auto event = router_->next_device_event()) {
        on_device_event(*event);
        return true;
    }
    if (auto action = attachments_->next_action()) {
        do_action(*action);
        return true;
    }
    const auto peer = router_->next_ready();
    if (!peer) return false;
    cloud::services::Output output;
    router_->take_output(*peer, output);
    if (const auto* id = std::get_if<GatewayId>(&*peer)) {
        const auto found = gateways_.find(*id);
        if (found == gateways_.end()) return true;
        Gateway* gateway = found->second;
        const bool closes = output.close;
        if (closes) gateways_.erase(found);
        world_.at(kWire, [gateway, bytes = output.bytes, closes] {
            gateway->on_cloud_bytes(bytes);
            if (closes) gateway->on_cloud_closed();
        });
    } else {
        const auto found = apps_.find(std::get<AppConnectionId>(*peer));
        if (found == apps_.end()) return true;
        ChannelEnd* app = found->second;
        std::size_t begin = 0;
        for (const std::size_t end : output.ends) {
            const auto first = output.bytes.begin();
            Message record{first + static_cast<std::ptrdiff_t>(begin),
                           first + static_cast<std::ptrdiff_t>(end)};
            world_.at(kWire, [app, record] { app->on_record(record); });
            begin = end;
        }
        if (output.close) {
            apps_.erase(found);
            world_.at(kWire, [app] { app->on_channel_closed(); });
        }
    }
    return true;
}

void Cloud::on_device_event(const cloud::services::DeviceEvent& event) {
    using cloud::link::LinkNumber;
    if (const auto* start = std::get_if<cloud::services::StartAttach>(&event)) {
        attachments_->start(
            LinkNumber{start->link.value()}, start->device, start->credential, world_.now);
    } else if (const auto* message = std::get_if<cloud::services::LinkMessage>(&event)) {
        attachments_->on_message(
            LinkNumber{message->link.value()}, message->device, message->message, world_.now);
    } else {
        attachments_->on_link_gone(
            LinkNumber{std::get<cloud::services::LinkGone>(event).link.value()});
    }
}

void Cloud::do_action(cloud::link::Action& action) {
    using cloud::services::LinkKey;
    if (const auto* load = std::get_if<cloud::link::Load>(&action)) {
        store_.load_link_context(load->device, [this, device = load->device](const auto& record) {
            attachments_->on_loaded(device, record ? *record : std::nullopt, world_.now);
        });
    } else if (auto* save = std::get_if<cloud::link::Save>(&action)) {
        store_.save_link_context(
            save->device, std::move(save->record), [this, device = save->device](const auto& done) {
                attachments_->on_saved(device, done.has_value(), world_.now);
            });
    } else if (const auto* send = std::get_if<cloud::link::Send>(&action)) {
        router_->send_link_message(LinkKey{send->link.value()}, send->message, world_.now);
    } else if (const auto* proved = std::get_if<cloud::link::Proved>(&action)) {
        router_->on_attached(
            LinkKey{proved->link.value()},
            {.device = proved->device, .credential = proved->credential, .claim = proved->claim},
            world_.now);
    } else {
        router_->on_attach_failed(LinkKey{std::get<cloud::link::NotProved>(action).link.value()},
                                  world_.now);
    }
}

// The gateway.

Gateway::Gateway(World& world, Cloud& cloud, std::vector<Device*> devices)
    : world_(world), cloud_(cloud) {
    for (Device* device : devices) places_.push_back({device, std::nullopt});
    start();
}

void Gateway::start() {
    relay_.emplace(std::vector<gateway::relay::Cloud>{
        {std::string{kCloudAddress}, std::string{kGatewayToken}}});
    splitter_ = {};
    ++life_;
    for (Place& place : places_) appear(place);
    tick();
}

void Gateway::crash() {
    if (const auto id = std::exchange(uplink_, std::nullopt)) {
        world_.at(kWire, [this, id = *id] { cloud_.on_gateway_closed(id); });
    }
    for (Place& place : places_) {
        place.device->disconnect();
        place.link.reset();
    }
    start();
}

// The device is on the air and is connected to a moment later.
void Gateway::appear(Place& place) {
    world_.at(milliseconds(300), [this, life = life_, &place] {
        if (life != life_ || place.link) return;
        const LinkId link{++last_link_};
        place.link = link;
        relay_->on_link_up(link, world_.now);
        place.device->connect([this, life, link](const Message& frame) {
            const auto arrive = [this, life, link](const Message& arrived) {
                if (life != life_) return;
                relay_->on_frame(link, arrived, world_.now);
                pump();
            };
            // The link layer of the air keeps frames whole. What is sealed must stand more than it
            // lets through; what only routes need not.
            if (is_message(frame)) return world_.carry(frame, arrive);
            world_.at(kWire, [arrive, frame] { arrive(frame); });
        });
        pump();
    });
}

void Gateway::on_device_gone(Device* device) {
    for (Place& place : places_) {
        if (place.device != device) continue;
        device->disconnect();
        if (const auto link = std::exchange(place.link, std::nullopt)) {
            relay_->on_link_down(*link, world_.now);
        }
        appear(place);
        pump();
    }
}

void Gateway::tick() {
    world_.at(kGatewayTick, [this, life = life_] {
        if (life != life_) return;
        relay_->on_time(world_.now);
        pump();
        tick();
    });
}

void Gateway::on_cloud_bytes(const Message& bytes) {
    if (!uplink_) return;
    Bytes input = bytes;
    while (uplink_) {
        const auto record = splitter_.next(input);
        if (!record || !*record) break;
        relay_->on_uplink_record(gateway::relay::CloudId{0}, **record, world_.now);
        pump();
    }
}

void Gateway::on_cloud_closed() {
    if (!std::exchange(uplink_, std::nullopt)) return;
    splitter_ = {};
    relay_->on_uplink_down(
        gateway::relay::CloudId{0},
        world_.now,
        gateway::relay::Jitter{static_cast<std::uint16_t>(world_.chance.below(1'000))});
    pump();
}

void Gateway::pump() {
    while (const auto output = relay_->next_output()) do_output(*output);
}

Gateway::Place* Gateway::find(LinkId link) {
    for (Place& place : places_) {
        if (place.link == link) return &place;
    }
    return nullptr;
}

void Gateway::do_output(const gateway::relay::Output& output) {
    if (std::holds_alternative<gateway::relay::ConnectCloud>(output)) {
        uplink_ = cloud_.connect(*this);
        world_.at(kWire, [this, life = life_, id = uplink_] {
            if (life != life_ || uplink_ != id) return;
            if (id)
                relay_->on_uplink_up(gateway::relay::CloudId{0}, world_.now);
            else
                on_cloud_closed();
            pump();
        });
    } else if (std::holds_alternative<gateway::relay::CloseCloud>(output)) {
        const auto id = uplink_;
        if (id) world_.at(kWire, [this, id = *id] { cloud_.on_gateway_closed(id); });
        world_.at(kWire, [this, life = life_] {
            if (life == life_) on_cloud_closed();
        });
    } else if (const auto* record = std::get_if<gateway::relay::SendToCloud>(&output)) {
        if (!uplink_) return;
        world_.at(kWire, [this, id = *uplink_, bytes = record->record] {
            cloud_.on_gateway_bytes(id, bytes);
        });
    } else if (const auto* frame = std::get_if<gateway::relay::SendToDevice>(&output)) {
        world_.at(kWire, [this, life = life_, link = frame->link] {
            if (life != life_) return;
            relay_->on_sent(link, 1);
            pump();
        });
        Place* place = find(frame->link);
        if (place == nullptr) return;
        world_.carry(frame->frame,
                     [this, life = life_, link = frame->link](const Message& arrived) {
                         Place* there = find(link);
                         if (life == life_ && there != nullptr) there->device->on_frame(arrived);
                     });
    } else if (const auto* close = std::get_if<gateway::relay::CloseLink>(&output)) {
        if (Place* place = find(close->link)) {
            place->device->disconnect();
            place->link.reset();
            appear(*place);
        }
    }
}

}  // namespace sotto::sim
