// SPDX-License-Identifier: Apache-2.0
// Puts together who decides about webhooks, who sends them, and where their events go. Allocates;
// does not block.
#pragma once

#include <functional>
#include <optional>

#include "cloud/hooks/dispatcher.hpp"
#include "cloud/server/webhook_client.hpp"
#include "cloud/services/open_devices.hpp"

namespace sotto::cloud::server {

class Webhooks {
  public:
    struct Setup {
        WebhookNetworks networks{};
        services::OpenDevices& devices;
        // Runs a function on the thread of this, later. Called from any thread.
        std::function<void(std::function<void()>)> post{};
        std::function<Instant()> now{};
    };

    explicit Webhooks(Setup setup);
    Webhooks(const Webhooks&) = delete;
    Webhooks& operator=(const Webhooks&) = delete;

    hooks::Dispatcher& dispatcher() { return dispatcher_; }
    void on_event(const services::EventPtr& event) { dispatcher_.on_event(event, setup_.now()); }
    void on_time() { dispatcher_.on_time(setup_.now()); }

  private:
    void pump_soon();
    void pump();

    Setup setup_;
    hooks::Dispatcher dispatcher_;
    bool is_pump_posted_ = false;
    WebhookClient client_;
};

}  // namespace sotto::cloud::server
