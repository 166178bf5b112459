// SPDX-License-Identifier: Apache-2.0
// Records what passes the cloud, for tests and demonstrations: one line for each record on an
// uplink and on a channel, "direction device label hex", as sotto-gateway does. The token of HELLO
// is left out.
#pragma once

#include <fstream>
#include <map>
#include <string>

#include "cloud/services/hub.hpp"
#include "core/framing/uplink.hpp"

namespace sotto::cloud::server {

class Capture final : public services::Tap {
  public:
    // Begins a new file, readable by its owner only. False if it cannot be written.
    bool open(const std::string& path);

    void from_gateway(services::GatewayId gateway, Bytes bytes) override;
    void to_gateway(services::GatewayId gateway, const services::Output& output) override;
    void on_gateway_closed(services::GatewayId gateway) override { gateways_.erase(gateway); }
    void from_app(Bytes record) override;
    void to_app(const services::Output& output) override;

  private:
    struct Gateway {
        framing::uplink::Splitter from;
        std::map<std::uint32_t, model::DeviceId> devices;  // by number of their link
    };

    void uplink_record(Gateway& gateway, framing::uplink::Side side, Bytes record);
    void channel_record(framing::channel::Side side, Bytes record);
    void line(const char* direction,
              const model::DeviceId* device,
              const std::string& label,
              Bytes record);

    std::ofstream file_;
    std::map<services::GatewayId, Gateway> gateways_;
};

}  // namespace sotto::cloud::server
