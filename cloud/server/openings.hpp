// SPDX-License-Identifier: Apache-2.0
// The sealed devices of which their owners have opened something: for each account one channel of
// the router, as an app has, and a GuestLine for each device. The cloud as a guest goes the same
// way as everybody, and the router knows nothing of it. Allocates; never blocks.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <unordered_map>

#include "cloud/server/guest_line.hpp"
#include "cloud/services/hub.hpp"
#include "cloud/store/store.hpp"
#include "core/framing/channel.hpp"
#include "ports/service/log.hpp"

namespace sotto::cloud::server {

class Openings {
  public:
    struct Setup {
        store::Store& store;
        services::Hub& hub;
        services::OpenDevices& devices;
        edhoc::Identity identity;  // the cloud's as a guest
        hal::Entropy& entropy;
        ports::Log& log;
        std::function<void(std::function<void()>)> later;  // in a turn of its own
        std::function<Instant()> now;
    };
    // What it refers to must live as long as this.
    explicit Openings(Setup setup);
    ~Openings();
    Openings(const Openings&) = delete;
    Openings& operator=(const Openings&) = delete;

    // Loads what was opened before.
    void start();
    // Something was opened, in the place of what was; or nothing is any more.
    void open(const model::Opening& opening);
    void close(const model::DeviceId& device);
    // To be called at least once in each second.
    void on_time();
    std::size_t count() const { return lines_.size(); }

  private:
    class Channel;

    void send(const model::Opening& opening, Bytes message);
    void on_refused(const model::Opening& opening, session::Reason why);
    void on_record(Channel& channel, Bytes record);
    GuestLine* find(const model::DeviceId& device, model::AccountId account);

    Setup setup_;
    GuestLine::World world_;
    std::unordered_map<model::AccountId, std::shared_ptr<Channel>, model::IdHash> channels_;
    std::unordered_map<model::DeviceId, std::unique_ptr<GuestLine>, model::IdHash> lines_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace sotto::cloud::server
