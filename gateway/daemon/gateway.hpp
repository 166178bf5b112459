// SPDX-License-Identifier: Apache-2.0
// Does what the relay decides: connects devices on the air and clouds, carries bytes between them.
// Allocates; never blocks; everything happens in the thread that runs the io_context.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "air/central.hpp"
#include "core/base/time.hpp"
#include "gateway/daemon/bluz_peer.hpp"
#include "gateway/daemon/capture.hpp"
#include "gateway/daemon/paces.hpp"
#include "gateway/daemon/status.hpp"
#include "gateway/relay/hold_offs.hpp"
#include "gateway/relay/relay.hpp"
#include "gateway/uplink/client.hpp"
#include "gateway/uplink/security.hpp"
#include "ports/service/log.hpp"

namespace sotto::gateway {

// No payload and no secret goes into it.
using ports::Log;

struct Uplink {
    relay::Cloud cloud;
    uplink::Address address;  // of cloud.address, parsed
    uplink::Security security;
};

class Gateway {
  public:
    // All of them must live as long as the gateway. `uplinks`: 1 to kCloudsMax.
    Gateway(boost::asio::io_context& loop,
            air::Central& central,
            const std::vector<Uplink>& uplinks,
            BluzService bluz,
            Capture& capture,
            Log& log,
            relay::Admission admission = {});
    ~Gateway();
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    void set_paces(Paces paces) { paces_ = std::move(paces); }
    void start();
    Report report() const;

  private:
    class Peer;   // a device on the air
    class Cloud;  // the uplink to one cloud

    void on_tick();
    void look_around();
    void tell_crowd(std::size_t count);
    void tell_outage();
    void pump();
    void perform(const relay::ConnectCloud& output);
    void perform(const relay::CloseCloud& output);
    void perform(const relay::SendToCloud& output);
    void perform(const relay::SendToDevice& output);
    void perform(const relay::CloseLink& output);
    void perform(const relay::CloudWelcomed& output);
    void perform(const relay::CloudRefused& output);
    void perform(const relay::DeviceOffered& output);

    // What peers and clouds report.
    void on_link_up(Peer& peer);
    void on_frame(Peer& peer, Bytes frame);
    void on_sent(Peer& peer, std::size_t count);
    void on_dropped(const Peer& peer);
    void on_link_down(Peer& peer, air::Disconnect why);
    // Of the bluz service. False if there are too many of them.
    bool may_serve_bluz(Peer& peer);
    void on_bluz_down(Peer& peer, air::Disconnect why);
    void let_bluz_go(Peer& peer, std::optional<Duration> stay_away);
    void on_cloud_record(relay::CloudId cloud, Bytes record);
    void on_cloud_down(relay::CloudId cloud, const std::string& why);

    // Its device is met again before strangers are, however many of them there seem to be.
    void remember_known(const Peer& peer);
    // For the operator, until it works again or others have taken its place.
    void remember_trouble(const Peer& peer, std::string why);
    // Takes a peer out; it dies when the event loop comes round.
    void drop(Peer& peer);
    Peer* find(relay::LinkId link);
    relay::LinkId next_link() { return relay::LinkId{++newest_link_}; }
    const framing::DeviceId* device_of(Bytes record);
    Instant now() const;
    relay::Jitter jitter() { return relay::Jitter{static_cast<std::uint16_t>(random_())}; }

    boost::asio::io_context& loop_;
    air::Central& central_;
    BluzService bluz_;
    Paces paces_;
    Capture& capture_;
    Log& log_;
    boost::asio::steady_timer timer_;
    std::minstd_rand random_;
    relay::Relay relay_;
    relay::HoldOffs hold_offs_;
    std::vector<std::unique_ptr<Cloud>> clouds_;
    std::map<air::Place, std::shared_ptr<Peer>> peers_;
    std::map<relay::LinkId, Peer*> links_;
    struct Trouble {
        std::string why;
        Instant at;
        std::uint64_t count = 0;
    };
    std::map<air::Place, Trouble> troubles_;
    std::map<air::Place, Instant> known_;  // whose links have settled: when the latest one ended
    Instant started_at_;
    std::uint32_t newest_link_ = 0;
    int ticks_ = 0;
    bool is_crowded_ = false;
    std::string outage_{};  // that was told
};

}  // namespace sotto::gateway
