// SPDX-License-Identifier: Apache-2.0
// What REST sees of a sealed device of which its owner has opened something: its functions and
// variables by the cloud's session as a guest, and its events. It is connected once the device has
// let the cloud in. Allocates; never blocks; pure but for what its world does.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cloud/link/guest_session.hpp"
#include "cloud/model/accounts.hpp"
#include "cloud/services/open_devices.hpp"
#include "cloud/services/scope.hpp"

namespace sotto::cloud::server {

class GuestLine final : public services::OpenDevice {
  public:
    // What all lines share.
    struct World {
        services::OpenDevices& devices;
        edhoc::Identity identity;  // the cloud's as a guest
        hal::Entropy& entropy;
        std::function<Instant()> now;
        std::function<void(const model::Opening& opening, Bytes message)> send;
        // The device does not let the cloud in with this token, and never will. Do no more than
        // begin.
        std::function<void(const model::Opening& opening, session::Reason why)> on_refused;
    };
    // `world` must live as long as this.
    GuestLine(World& world, model::Opening opening);
    ~GuestLine();
    GuestLine(const GuestLine&) = delete;
    GuestLine& operator=(const GuestLine&) = delete;

    const model::Opening& opening() const { return opening_; }
    // Whether there is a way to the device.
    void on_up();
    void on_down();
    void on_message(Bytes message);
    void on_time(Instant now);

    const services::DeviceAttributes& attributes() const override { return attributes_; }
    void call(const std::string& function,
              const std::string& argument,
              services::DeviceDone<services::Value> done) override;
    void read(const std::string& variable, services::DeviceDone<services::Value> done) override;
    void ping(services::DeviceDone<void> done) override;
    void signal(bool is_on, services::DeviceDone<void> done) override;
    void update(services::FirmwarePtr firmware, services::UpdateSteps steps) override;
    void on_event(const services::Event& /*event*/) override {}  // it subscribes to none
    void on_replaced() override { is_reported_ = false; }

  private:
    void begin();
    void probe();
    void learn(std::size_t variable);
    void report();
    void leave();
    void publish(std::string_view event, const session::Content& content);
    bool judge(const session::Event& end);
    services::DeviceError error_of(const session::Event& end) const;
    link::GuestSession::Done answer(services::DeviceDone<services::Value> done);
    void pump();

    World& world_;
    const model::Opening opening_;
    const services::Scope scope_;
    services::DeviceAttributes attributes_;
    std::unique_ptr<link::GuestSession> session_;
    std::optional<Instant> probe_at_;
    bool is_up_ = false;
    bool is_refused_ = false;
    bool is_reported_ = false;
};

}  // namespace sotto::cloud::server
