// SPDX-License-Identifier: Apache-2.0
// To a device through a cloud: the app channel in a WebSocket, and single HTTP requests beside it
// (docs/protocol/channel.md). Allocates; blocks for as long as it is told.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "app/client/records.hpp"
#include "app/client/transport.hpp"
#include "app/transport/url.hpp"
#include "core/framing/frame.hpp"
#include "ports/tls/fingerprint.hpp"

namespace sotto::app {

struct CloudLogin {
    CloudUrl url;
    std::string token;
    // Tokens may cross a network in the clear: the user has said so.
    bool allow_clear = false;
    // The certificate by which the cloud is known, instead of by name and the system's authorities.
    std::optional<ports::Fingerprint> pin{};
};

enum class HttpMethod { Get, Post };

struct HttpReply {
    unsigned status = 0;
    std::string body;
};

// One request with the login's token. Trouble::Usage if the token would have to travel in the
// clear, Trouble::SignIn if the cloud does not take it (401), Trouble::Unreachable.
Outcome<HttpReply> http_request(const CloudLogin& login,
                                HttpMethod method,
                                const std::string& target,
                                Duration limit);

class CloudTransport final : public Transport {
  public:
    // Troubles as http_request().
    static Outcome<std::unique_ptr<CloudTransport>> connect(const CloudLogin& login,
                                                            const AppId& app_id,
                                                            const framing::DeviceId& device_id,
                                                            Duration limit);
    ~CloudTransport() override;

    // Messages travel only to a device that is connected now.
    Status send(Bytes message) override;
    Arrival wait(Duration limit) override;
    void acknowledge() override;
    Status reopen(Duration limit) override;

  private:
    class Channel;

    CloudTransport(const CloudLogin& login,
                   const AppId& app_id,
                   const framing::DeviceId& device_id);

    const CloudLogin login_;
    const AppId app_id_;
    const framing::DeviceId device_id_;
    std::unique_ptr<Channel> channel_;
};

}  // namespace sotto::app
