// SPDX-License-Identifier: Apache-2.0
// The relay: carries sealed messages between the channels of apps and the links of gateways, keeps
// letters for those who are away, and never looks into one (docs/protocol/uplink.md, channel.md).
//
// Pure: it is told what came in and what time it is, and asked what is to go out. It allocates,
// within the limits of limits.hpp, and does not block; the store answers on the same thread. A
// message for somebody who is connected does not touch the store.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <variant>

#include "cloud/services/link.hpp"
#include "cloud/services/note.hpp"
#include "cloud/store/store.hpp"
#include "core/framing/channel.hpp"

namespace sotto::cloud::services {

// Somebody with a socket.
using Peer = std::variant<GatewayId, AppConnectionId>;

class Router {
  public:
    struct Config {
        // SHA-256 of the cloud's credential: what an ATTACH for this cloud names.
        model::CredentialHash credential{};
        // SHA-256 of a text: tokens are known by it alone.
        std::function<model::TokenHash(std::string_view)> hash_token;
        OnNote on_note{};  // may be nothing
        // A gateway of this account asks for the tags of its devices; once in a connection.
        std::function<void(GatewayId, model::AccountId)> on_tags_wanted{};  // may be nothing
    };

    Router(store::Store& store, Config config, Instant now);
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    // Gateways. Nothing if there are too many strangers already: close the socket.
    std::optional<GatewayId> on_gateway_connected(Instant now);
    void on_gateway_bytes(GatewayId id, Bytes bytes, Instant now);
    void on_gateway_closed(GatewayId id, Instant now);

    // Apps, after their token was found good. A second channel of one app closes the first.
    // Nothing if there are too many.
    std::optional<AppConnectionId> on_app_connected(const model::AppAddress& app, Instant now);
    void on_app_record(AppConnectionId id, Bytes record, Instant now);
    void on_app_closed(AppConnectionId id, Instant now);
    // Nobody has access as this account any more.
    void close_apps_of(model::AccountId account);

    // The cloud's own sessions with devices; see device_event.hpp. Calls about a link that is gone
    // or was not asked to attach have no effect.
    std::optional<DeviceEvent> next_device_event();
    void send_link_message(LinkKey link, Bytes message, Instant now);
    void on_attached(LinkKey link, const Proof& proof, Instant now);
    void on_attach_failed(LinkKey link, Instant now);

    // To be called at least once in each second.
    void on_time(Instant now);

    // Says good-bye to everybody: each has output once more, the last of which closes it.
    void shut_down(Instant now);

    // The next peer with something to write or to close, each once until its output is taken.
    std::optional<Peer> next_ready();
    // Gives what is to be written and takes back the buffers. A peer that is gone has only to be
    // closed.
    void take_output(const Peer& peer, Output& output);

    // To a gateway that has asked for them; without effect if it is gone.
    void send_tags(GatewayId id, const framing::uplink::Tags& tags) { send_to_gateway(id, tags); }

    bool is_connected(const model::DeviceId& device) const;
    // Whether this gateway's token was found good, and it is still here.
    bool is_signed_in(GatewayId id) const;
    const Counters& counters() const { return counters_; }
    Census census() const;

  private:
    // A SEND on its way.
    struct Request {
        AppConnectionId sender;
        model::AppAddress app;
        framing::channel::Reference reference;
        model::DeviceId device{};
        std::uint32_t lifetime_s = 0;
        Bytes message;
    };
    // One that waits for the store, with bytes of its own.
    struct KeptRequest {
        std::vector<std::uint8_t> message;
        Request request;
    };
    using Kept = std::shared_ptr<const KeptRequest>;
    using OutcomeCode = framing::channel::OutcomeCode;
    // Where a SEND may go now: a link, or why there is none.
    struct Target {
        Link* link = nullptr;
        OutcomeCode outcome = OutcomeCode::NotConnected;
    };

    // A completion that finds nobody once the router is gone.
    template <class Function>
    auto guarded(Function function) {
        return
            [function = std::move(function), alive = std::weak_ptr<bool>{is_alive_}](auto answer) {
                if (!alive.expired()) function(std::move(answer));
            };
    }

    void note(const Note& note) const {
        if (config_.on_note) config_.on_note(note);
    }

    // Gateways (router.cpp).
    void on_token(GatewayId id, Result<model::TokenHolder> holder);
    void on_tags_wanted(GatewayId id);
    void on_uplink_event(GatewayId id, const UplinkSession::Event& event);
    void close_gateway(GatewayId id);
    void send_to_gateway(GatewayId id, const framing::uplink::Record& record);
    void make_ready(GatewayId id);
    void make_ready(AppConnectionId id);
    Gateway* find_gateway(GatewayId id);
    App* find_app(AppConnectionId id);
    Link* find_link(LinkKey key);

    // Links (router_links.cpp).
    void on_link_up(GatewayId id, const framing::uplink::LinkUp& up);
    void add_link(GatewayId id, const framing::uplink::LinkUp& up);
    void introduce(Link& link, const framing::Attach& attach);
    void load(LinkKey key);
    void on_loaded(LinkKey key, Result<model::DeviceRecord> record);
    void start(Link& link);
    void remove_link(LinkKey key);
    void end_session(Link& link);
    void detach(Link& link);
    void on_registered(LinkKey key, Result<model::Registration> registration);
    void attach(Link& link, const model::Registration& registration);
    void announce(const model::Registration& registration, bool is_connected);
    DeviceEntry& device_entry(const model::DeviceId& device);
    void forget_silent_devices();
    void learn_label(DeviceEntry& entry, model::Label label, const model::AppAddress& app);

    // From apps to devices (router_apps.cpp).
    void close_app(AppConnectionId id);
    void send_to_app(AppConnectionId id, const framing::channel::Record& record);
    void on_send(AppConnectionId id, const framing::channel::Send& send);
    void route(const Request& request);
    Target find_target(const model::DeviceId& device, const model::AppAddress& app);
    Link* find_stranger(const DeviceEntry& entry, const model::AppAddress& app);
    OutcomeCode why_no_target(const DeviceEntry& entry, const model::AppAddress& app);
    OutcomeCode hand_to_link(Link& link, const Request& request, model::Label label);
    Kept keep(const Request& request);
    void release(const Kept& kept);
    void wait_for_label(const Kept& kept);
    void put_for_device(const Kept& kept, bool is_last_try);
    void on_put_for_device(const Kept& kept, bool is_last_try, Result<model::Sequence> put);
    void answer(const Request& request, OutcomeCode outcome);

    // On links (router_messages.cpp).
    [[nodiscard]] bool send_on_link(Link& link, framing::Label label, Bytes message);
    void write_to_link(const Link& link, framing::Label label, Bytes message);
    void on_link_message(GatewayId id, const framing::uplink::Message& message);
    void carry(Link& link, model::Label label, Bytes message);
    void carry_to_session(Link& link, Bytes message);
    void carry_to_app(Link& link, model::Label label, Bytes message);
    bool may_reach_app(Link& link, const DeviceEntry& entry, const model::AppAddress& app);
    void on_credit(GatewayId id, const framing::uplink::Credit& credit);

    // Mailboxes (router_mail.cpp).
    void store_for_app(const Link& link, const model::AppAddress& app, Bytes message);
    void list_for_app(AppConnectionId id);
    void on_app_letters(AppConnectionId id, Result<std::vector<model::StoredLetter>> letters);
    void on_ack(AppConnectionId id, model::Sequence sequence);
    void pump_mail(Link& link);
    void list_for_link(Link& link);
    void on_link_letters(LinkKey key, Result<std::vector<model::StoredLetter>> letters);
    bool send_letter(Link& link);
    void erase_passed_letters(Link& link);
    void purge(std::function<void(std::size_t)> then);
    void on_purged(const model::Purged& purged);

    store::Store& store_;
    Config config_;
    Instant now_;
    Instant purge_at_;
    Counters counters_;
    std::uint64_t last_id_ = 0;

    std::unordered_map<GatewayId, Gateway, model::IdHash> gateways_;
    std::unordered_map<LinkKey, Link, model::IdHash> links_;
    std::unordered_map<model::DeviceId, DeviceEntry, model::IdHash> devices_;
    std::unordered_map<AppConnectionId, App, model::IdHash> apps_;
    std::unordered_map<model::AppAddress, AppConnectionId, model::IdHash> app_at_;
    std::map<model::AccountId, std::set<AppConnectionId>> apps_of_;
    std::map<model::AccountId, std::set<model::DeviceId>> attached_of_;
    std::deque<Peer> ready_;
    std::deque<DeviceEvent> device_events_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace sotto::cloud::services
