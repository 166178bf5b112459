// SPDX-License-Identifier: Apache-2.0
// The gateway and the cloud of the simulation, with the connections between them.
#pragma once

#include <deque>

#include "cloud/link/attachments.hpp"
#include "cloud/services/router.hpp"
#include "cloud/store/memory_store.hpp"
#include "gateway/relay/relay.hpp"
#include "tests/sim/device.hpp"

namespace sotto::sim {

inline constexpr std::string_view kCloudAddress = "cloud:5690";
inline constexpr std::string_view kGatewayToken = "gateway-token";

class Gateway;

// An app with a channel to the cloud.
class ChannelEnd {
  public:
    virtual void on_record(const Message& record) = 0;
    virtual void on_channel_closed() = 0;

  protected:
    ~ChannelEnd() = default;
};

// The server: router, sessions with devices, and a store that survives it.
class Cloud {
  public:
    Cloud(World& world, Ledger& ledger, std::uint64_t seed);

    // The process dies and is started again: all that was not durable is gone, connections too.
    void crash();

    std::optional<cloud::services::GatewayId> connect(Gateway& gateway);
    void on_gateway_bytes(cloud::services::GatewayId id, const Message& bytes);
    void on_gateway_closed(cloud::services::GatewayId id);

    std::optional<cloud::services::AppConnectionId> connect(ChannelEnd& app,
                                                            const cloud::model::AppId& id);
    void on_app_record(cloud::services::AppConnectionId id, const Message& record);
    void on_app_closed(cloud::services::AppConnectionId id);

    std::array<std::uint8_t, keystore::kClaimSize> make_claim();
    const Party& party() const { return party_; }
    bool is_connected(const framing::DeviceId& device) const {
        return router_->is_connected(device);
    }
    // Messages to and from devices that were attached or paired with, over all lives.
    std::uint64_t relayed_count() const {
        const auto& counters = router_->counters();
        return relayed_before_ + counters.relayed_to_device + counters.relayed_to_app;
    }

  private:
    void start();
    void pump();
    bool pump_once();
    void on_device_event(const cloud::services::DeviceEvent& event);
    void do_action(cloud::link::Action& action);
    void tick();

    World& world_;
    Ledger& ledger_;
    testing::SeededEntropy entropy_;
    const Party party_;
    std::deque<std::function<void()>> answers_;  // of the store, under way
    cloud::store::MemoryStore store_;
    std::unique_ptr<cloud::services::Router> router_;
    std::unique_ptr<cloud::link::Attachments> attachments_;
    std::map<cloud::services::GatewayId, Gateway*> gateways_;
    std::map<cloud::services::AppConnectionId, ChannelEnd*> apps_;
    std::uint64_t relayed_before_ = 0;
    std::uint64_t life_ = 0;
};

class Gateway {
  public:
    Gateway(World& world, Cloud& cloud, std::vector<Device*> devices);

    void crash();
    // From the cloud.
    void on_cloud_bytes(const Message& bytes);
    void on_cloud_closed();
    // A device has left the air, or is back.
    void on_device_gone(Device* device);

  private:
    struct Place {
        Device* device;
        std::optional<gateway::relay::LinkId> link;
    };
    void start();
    void tick();
    void pump();
    void do_output(const gateway::relay::Output& output);
    void appear(Place& place);
    Place* find(gateway::relay::LinkId link);

    World& world_;
    Cloud& cloud_;
    std::vector<Place> places_;
    std::optional<gateway::relay::Relay> relay_;
    std::optional<cloud::services::GatewayId> uplink_;
    framing::uplink::Splitter splitter_;
    std::uint32_t last_link_ = 0;
    std::uint64_t life_ = 0;
};

}  // namespace sotto::sim
