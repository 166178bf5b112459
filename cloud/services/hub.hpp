// SPDX-License-Identifier: Apache-2.0
// The router with everybody who has a socket around it. What comes in goes through here to the
// router, what is to go out is announced to the socket that it is for, and what happened on a link
// goes to the cloud's own sessions with devices. Allocates; never blocks; pure as the router is.
#pragma once

#include <functional>
#include <unordered_map>

#include "cloud/services/router.hpp"

namespace sotto::cloud::services {

// Somebody's socket. Calls come from within calls of the hub: do no more in them than begin.
class Line {
  public:
    Line() = default;
    virtual ~Line() = default;  // owned by whoever reads from its socket
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    // There is output: take it as soon as the socket can write.
    virtual void on_ready() = 0;
    // About once in each second.
    virtual void on_time(Instant now) = 0;

  private:
    friend class Hub;
    std::optional<Peer> peer_;
};

// Sees all records that pass, for tests and demonstrations.
class Tap {
  public:
    virtual void from_gateway(GatewayId gateway, Bytes bytes) = 0;
    virtual void to_gateway(GatewayId gateway, const Output& output) = 0;
    virtual void on_gateway_closed(GatewayId gateway) = 0;
    virtual void from_app(Bytes record) = 0;
    virtual void to_app(const Output& output) = 0;

  protected:
    ~Tap() = default;  // owned by main
};

class Hub {
  public:
    struct Config {
        Router::Config router;
        std::function<Instant()> now;
        // The cloud's sessions with devices; they answer through router(). Without them no device
        // proves what it is: it can be paired with, and that is all.
        std::function<void(const DeviceEvent&)> on_device_event;
        Tap* tap = nullptr;
    };

    // `store` and the tap must live as long as the hub. Its answers are followed by pump().
    Hub(store::Store& store, Config config);

    // False if there is no room: close the socket. Else the line must stay where it is until
    // disconnect().
    [[nodiscard]] bool connect_gateway(Line& line);
    [[nodiscard]] bool connect_app(Line& line, const model::AppAddress& app);
    // Bytes of a gateway, as they come; or a record of an app, whole. Without effect, as is
    // take_output(), on a line that is not connected.
    void on_bytes(Line& line, Bytes bytes);
    // Gives what is to be written and takes back the buffers.
    void take_output(Line& line, Output& output);
    void disconnect(Line& line);
    // Nobody has access as this account any more.
    void close_apps_of(model::AccountId account);
    // Whether it is a gateway whose token was found good.
    bool is_signed_in(const Line& line) const;

    // To be called at least once in each second.
    void on_time();
    // Closes every line after what there is to be said; what still comes is ignored. Lines may ask
    // why.
    void shut_down();
    bool is_shutting_down() const { return is_shutting_down_; }
    std::size_t line_count() const { return gateways_.size() + apps_.size(); }
    // Announces what has become ready. To be called after everything that happened to the router
    // or in the store without this class.
    void pump();

    Router& router() { return router_; }
    const Router& router() const { return router_; }
    Instant now() const { return config_.now(); }

  private:
    void connect(Line& line, const Peer& peer);
    bool announce_next();

    Config config_;
    Router router_;
    bool is_pumping_ = false;
    bool is_shutting_down_ = false;
    std::unordered_map<GatewayId, Line*, model::IdHash> gateways_;
    std::unordered_map<AppConnectionId, Line*, model::IdHash> apps_;
};

}  // namespace sotto::cloud::services
