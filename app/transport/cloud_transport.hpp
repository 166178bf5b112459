// SPDX-License-Identifier: Apache-2.0
// To a device through a cloud: the app channel in a WebSocket, and single HTTP requests beside it
// (docs/protocol/channel.md). Allocates; blocks for as long as it is told.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "app/client/records.hpp"
#include "app/client/transport.hpp"
#include "app/transport/url.hpp"
#include "core/framing/channel.hpp"
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

enum class HttpMethod { Get, Post, Put, Delete };

struct HttpReply {
    unsigned status = 0;
    std::string body;
};

// One request with the login's token, and a body of JSON if there is one. Trouble::Usage if the
// token would have to travel in the clear, Trouble::SignIn if the cloud does not take it (401),
// Trouble::Unreachable.
Outcome<HttpReply> http_request(const CloudLogin& login,
                                HttpMethod method,
                                const std::string& target,
                                Duration limit,
                                const std::string& body = {});

// A message for the device's mailbox.
struct Letter {
    std::uint32_t reference = 0;   // below 2^31; a notice names it
    std::uint32_t lifetime_s = 0;  // at least 1
    Bytes message;
};
// What the cloud has kept for the app, or has just come from the device (sequence 0): a message, or
// what became of a letter that was not handed on.
struct Mail {
    std::uint64_t sequence = 0;
    std::vector<std::uint8_t> message = {};
    std::optional<framing::channel::Fate> fate = std::nullopt;
    std::uint32_t reference = 0;
};

class CloudTransport final : public Transport {
  public:
    // Mail: what the cloud has kept is looked at by next_mail(), and not taken for an answer.
    enum class Purpose : std::uint8_t { Jobs, Mail };

    // Troubles as http_request().
    static Outcome<std::unique_ptr<CloudTransport>> connect(const CloudLogin& login,
                                                            const AppId& app_id,
                                                            const framing::DeviceId& device_id,
                                                            Duration limit,
                                                            Purpose purpose = Purpose::Jobs);
    ~CloudTransport() override;

    // Messages travel only to a device that is connected now.
    Status send(Bytes message) override;
    Arrival wait(Duration limit) override;
    void acknowledge() override;
    Status reopen(Duration limit) override;

    // Puts a letter into the mailbox. Durable in the cloud when it succeeds. Trouble::Refused: it
    // was not stored; Trouble::Unreachable: nobody knows.
    Outcome<> store(const Letter& letter, Duration limit);
    // With Purpose::Mail: the next of what was kept; nothing once that was all. acknowledge() tells
    // the cloud that it may forget everything up to the last one taken.
    Outcome<std::optional<Mail>> next_mail(Duration limit);

  private:
    class Channel;

    CloudTransport(const CloudLogin& login,
                   const AppId& app_id,
                   const framing::DeviceId& device_id,
                   Purpose purpose);

    const CloudLogin login_;
    const AppId app_id_;
    const framing::DeviceId device_id_;
    const Purpose purpose_;
    std::unique_ptr<Channel> channel_;
};

}  // namespace sotto::app
