// SPDX-License-Identifier: Apache-2.0
// For tests: a router over a memory store, with scripted gateways and apps around it.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cloud/services/router.hpp"
#include "cloud/store/memory_store.hpp"

namespace sotto::cloud::services {

namespace uplink = framing::uplink;
namespace channel = framing::channel;

using Buffer = std::vector<std::uint8_t>;

inline constexpr model::CredentialHash kOwnCredential{0xc1, 0x0d};

// A record with bytes of its own, as it came out.
struct Carried {
    std::uint32_t link = 0;
    std::uint16_t label = 0;
    Buffer message;
    friend bool operator==(const Carried&, const Carried&) = default;
};

// What a scripted gateway has received.
struct GatewaySide {
    std::vector<Carried> messages;
    std::vector<std::uint32_t> releases;
    std::uint32_t credit = 0;  // received after the initial one
    std::optional<uplink::Reason> refused;
    bool is_welcome = false;
    bool is_closed = false;
    int pings = 0;
};

struct Delivered {
    std::uint64_t sequence = 0;
    Buffer message;
    friend bool operator==(const Delivered&, const Delivered&) = default;
};

struct Noticed {
    std::uint64_t sequence = 0;
    std::uint32_t reference = 0;
    channel::Fate fate = channel::Fate::Expired;
};

struct AppSide {
    std::vector<channel::OutcomeCode> outcomes;
    std::vector<Delivered> delivered;
    std::vector<bool> states;
    std::vector<Noticed> notices;
    int caught_up_count = 0;
    bool is_closed = false;
};

class World {
  public:
    World() {
        const auto account = [this](std::string name) {
            store.create_account(std::move(name), now, [](const auto&) {});
        };
        account("ann");
        account("bob");
        store.add_token({.hash = hash("gateway-token"),
                         .kind = model::TokenKind::Gateway,
                         .account = kAnn,
                         .name = "hall"},
                        now,
                        [](const auto&) {});
        settle();
    }

    static constexpr model::AccountId kAnn{1};
    static constexpr model::AccountId kBob{2};

    static model::TokenHash hash(std::string_view text) {
        model::TokenHash hash;
        for (std::size_t i = 0; i < text.size(); i++) {
            hash.bytes[i % hash.bytes.size()] ^= static_cast<std::uint8_t>(text[i] + i);
        }
        return hash;
    }
    static model::CredentialHash credential(std::uint8_t number) { return {number, 0xde, 0x71}; }
    static model::DeviceId device(std::uint8_t number) {
        model::DeviceId id{};
        const model::CredentialHash hash = credential(number);
        std::copy_n(hash.begin(), id.size(), id.begin());
        return id;
    }
    static model::AppAddress address(model::AccountId account, std::uint8_t number = 1) {
        return {.account = account, .app = {{number, 0xa9}}};
    }

    // Runs the store's answers and collects outputs until nothing moves.
    void settle() {
        while (true) {
            collect();
            if (posted_.empty() || is_store_slow) return;
            const auto function = std::move(posted_.front());
            posted_.pop_front();
            function();
        }
    }
    void pass_in_silence(Duration time) {
        now = now + time;
        router.on_time(now);
        settle();
    }
    // Time goes by, and every gateway that has signed in shows that it lives.
    void pass(Duration time) {
        const Instant end = now + time;
        while (now < end) {
            pass_in_silence(std::min(end - now, kPingInterval));
            for (const auto& [id, side] : gateway_sides_) {
                if (side.is_welcome && !side.is_closed) from_gateway(id, uplink::Pong{.value = 1});
            }
        }
    }

    GatewayId connect_gateway(std::string_view token = "gateway-token") {
        const GatewayId id = *router.on_gateway_connected(now);
        gateway_sides_[id];
        from_gateway(id, uplink::Hello{.token = token});
        return id;
    }
    void from_gateway(GatewayId id, const uplink::Record& record) {
        std::array<std::uint8_t, framing::kUplinkBytesMax> scratch{};
        raw_from_gateway(id, uplink::encode_record(scratch, record).value());
    }
    void raw_from_gateway(GatewayId id, Bytes bytes) {
        router.on_gateway_bytes(id, bytes, now);
        settle();
    }
    void link_up(GatewayId id, std::uint32_t link, std::uint8_t number, bool has_owner = false) {
        from_gateway(
            id,
            uplink::LinkUp{.link = uplink::LinkId{link},
                           .attach = {.has_owner = has_owner, .device_id = device(number)}});
    }
    // A device whose owner chose this cloud.
    void link_up_ours(GatewayId id, std::uint32_t link, std::uint8_t number) {
        from_gateway(id,
                     uplink::LinkUp{.link = uplink::LinkId{link},
                                    .attach = {.has_owner = true,
                                               .device_id = device(number),
                                               .address = "127.0.0.1:5684",
                                               .cloud_credential = kOwnCredential}});
    }
    void link_down(GatewayId id, std::uint32_t link) {
        from_gateway(id, uplink::LinkDown{.link = uplink::LinkId{link}});
    }
    void from_device(GatewayId id, std::uint32_t link, std::uint16_t label, const Buffer& message) {
        from_gateway(
            id,
            uplink::Message{
                .link = uplink::LinkId{link}, .label = framing::Label{label}, .message = message});
    }
    void credit(GatewayId id, std::uint32_t link, std::uint16_t count) {
        from_gateway(id, uplink::Credit{.link = uplink::LinkId{link}, .count = count});
    }
    void close_gateway(GatewayId id) {
        gateway(id).is_closed = true;
        router.on_gateway_closed(id, now);
        settle();
    }

    AppConnectionId connect_app(const model::AppAddress& app = address(kAnn)) {
        const AppConnectionId id = *router.on_app_connected(app, now);
        app_sides_[id];
        settle();
        return id;
    }
    void send(AppConnectionId id,
              std::uint8_t number,
              const Buffer& message,
              std::uint32_t lifetime_s = 0,
              std::uint32_t reference = 7) {
        std::array<std::uint8_t, framing::kChannelRecordSizeMax> scratch{};
        const auto bytes =
            channel::encode_record(scratch,
                                   channel::Send{.reference = channel::Reference{reference},
                                                 .device_id = device(number),
                                                 .lifetime_s = lifetime_s,
                                                 .message = message});
        raw_from_app(id, bytes.value());
    }
    void ack(AppConnectionId id, std::uint64_t sequence) {
        std::array<std::uint8_t, framing::kChannelRecordSizeMax> scratch{};
        raw_from_app(
            id,
            channel::encode_record(scratch, channel::Ack{.sequence = channel::Sequence{sequence}})
                .value());
    }
    void raw_from_app(AppConnectionId id, Bytes bytes) {
        router.on_app_record(id, bytes, now);
        settle();
    }
    void close_app(AppConnectionId id) {
        router.on_app_closed(id, now);
        settle();
    }

    // The next event for the device sessions, which must be a T.
    template <class T>
    T next_event() {
        const auto event = router.next_device_event();
        if (!event || !std::holds_alternative<T>(*event)) {
            ADD_FAILURE() << "not the event expected";
            return {};
        }
        return std::get<T>(*event);
    }
    // Brings a link up and plays a session that proves it, with a new claim of `account`.
    LinkKey attach(GatewayId id,
                   std::uint32_t link,
                   std::uint8_t number,
                   model::AccountId account) {
        const model::ClaimCode code{{++last_claim_}};
        store.create_claim({.code = code, .account = account, .expires_at = now + kClaimLife},
                           kOpenClaimsPerAccountMax,
                           now,
                           [](const auto&) {});
        link_up_ours(id, link, number);
        const LinkKey key = next_event<StartAttach>().link;
        router.on_attached(key, {device(number), credential(number), code}, now);
        settle();
        return key;
    }

    GatewaySide& gateway(GatewayId id) { return gateway_sides_.at(id); }
    AppSide& app(AppConnectionId id) { return app_sides_.at(id); }
    std::size_t letter_count(const model::Mailbox& mailbox) {
        std::size_t count = 0;
        store.list(mailbox, {}, 1'000, now, [&](const auto& letters) { count = letters->size(); });
        settle();
        return count;
    }

    // The process begins anew over the same store; every connection is gone.
    void restart() {
        std::destroy_at(&router);
        std::construct_at(&router, store, config(), now);
        posted_.clear();
        gateway_sides_.clear();
        app_sides_.clear();
    }
    bool is_gateway_there(GatewayId id) const {
        const auto side = gateway_sides_.find(id);
        return side != gateway_sides_.end() && !side->second.is_closed;
    }
    bool is_app_there(AppConnectionId id) const {
        const auto side = app_sides_.find(id);
        return side != app_sides_.end() && !side->second.is_closed;
    }

    Instant now{1'000'000};
    bool is_store_slow = false;  // its answers wait
    std::deque<std::function<void()>> posted_;
    store::MemoryStore store{[this](auto function) { posted_.push_back(std::move(function)); }};
    Router router{store, config(), now};

  private:
    static Router::Config config() { return {.credential = kOwnCredential, .hash_token = hash}; }
    void collect() {
        Output output;
        while (const auto peer = router.next_ready()) {
            router.take_output(*peer, output);
            if (const auto* id = std::get_if<GatewayId>(&*peer)) {
                read(gateway_sides_[*id], output);
            } else {
                read(app_sides_[std::get<AppConnectionId>(*peer)], output);
            }
        }
    }
    static void read(GatewaySide& side, const Output& output) {
        uplink::Splitter splitter;
        Bytes input = output.bytes;
        while (const auto bytes = splitter.next(input).value()) {
            read(side, uplink::parse_record(*bytes, uplink::Side::Cloud).value());
        }
        side.is_closed = side.is_closed || output.close;
    }
    static void read(GatewaySide& side, const uplink::Record& record) {
        if (const auto* message = std::get_if<uplink::Message>(&record)) {
            side.messages.push_back({message->link.value(),
                                     message->label.value(),
                                     {message->message.begin(), message->message.end()}});
        } else if (const auto* release = std::get_if<uplink::Release>(&record)) {
            side.releases.push_back(release->link.value());
        } else if (const auto* credit = std::get_if<uplink::Credit>(&record)) {
            side.credit += credit->count;
        } else if (const auto* refused = std::get_if<uplink::Refused>(&record)) {
            side.refused = refused->reason;
        } else if (std::holds_alternative<uplink::Ping>(record)) {
            side.pings++;
        } else if (std::holds_alternative<uplink::Welcome>(record)) {
            side.is_welcome = true;
        }
    }
    static void read(AppSide& side, const Output& output) {
        std::size_t begin = 0;
        for (const std::size_t end : output.ends) {
            read(side, Bytes{output.bytes}.subspan(begin, end - begin));
            begin = end;
        }
        side.is_closed = side.is_closed || output.close;
    }
    static void read(AppSide& side, Bytes bytes) {
        const auto record = channel::parse_record(bytes, channel::Side::Cloud).value();
        if (const auto* outcome = std::get_if<channel::Outcome>(&record)) {
            side.outcomes.push_back(outcome->code);
        } else if (const auto* deliver = std::get_if<channel::Deliver>(&record)) {
            side.delivered.push_back(
                {deliver->sequence.value(), {deliver->message.begin(), deliver->message.end()}});
        } else if (const auto* state = std::get_if<channel::State>(&record)) {
            side.states.push_back(state->is_connected);
        } else if (const auto* notice = std::get_if<channel::Notice>(&record)) {
            side.notices.push_back(
                {notice->sequence.value(), notice->reference.value(), notice->fate});
        } else if (std::holds_alternative<channel::CaughtUp>(record)) {
            side.caught_up_count++;
        }
    }

    std::unordered_map<GatewayId, GatewaySide, model::IdHash> gateway_sides_;
    std::unordered_map<AppConnectionId, AppSide, model::IdHash> app_sides_;
    std::uint8_t last_claim_ = 0;
};

}  // namespace sotto::cloud::services
