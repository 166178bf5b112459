// SPDX-License-Identifier: Apache-2.0
// To a device nearby, over the air (docs/protocol/air.md). When another central wants in, it leaves
// the device as soon as nothing is under way, stays away as long as the device says, and connects
// again: a long watch blocks nobody. A link that closes is taken up again, and what was said last
// and not answered is said again (BlueZ ends the link of a program two seconds after it, and so the
// next one's). Allocates; blocks for as long as it is told. Borrows the loop and the central, which
// must outlive it.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "air/central.hpp"
#include "app/client/transport.hpp"

namespace sotto::app {

class AirTransport final : public Transport, private air::LinkHandler {
  public:
    struct Reach {
        boost::asio::io_context& loop;
        air::Central& central;
    };
    // Looks for the device and connects; asks a central that holds it to let go.
    // Trouble::Unreachable.
    static Outcome<std::unique_ptr<AirTransport>> connect(Reach reach,
                                                          const framing::DeviceId& device_id,
                                                          Duration limit);

    // While it is away from the device, the latest message waits for the return.
    Status send(Bytes message) override;
    Arrival wait(Duration limit) override;
    void set_idle(bool is_idle) override { is_idle_ = is_idle; }
    Status reopen(Duration limit) override;

  private:
    using Time = std::chrono::steady_clock::time_point;
    // The device asked to be left [AIR-14].
    struct Wish {
        Duration stay_away;
        Time since;
    };

    AirTransport(Reach reach, const framing::DeviceId& device_id, Duration patience)
        : reach_(reach), device_id_(device_id), patience_(patience) {}

    // Where the device is now: it may change its address as time goes by.
    bool find(Duration limit);
    Outcome<> open(Duration limit);
    void connect(Duration limit);
    void leave_or_return();
    // When leave_or_return() has something to do.
    std::optional<Time> wake_at() const;
    void on_connected(const air::Sighting& sighting) override;
    void on_frame(Bytes frame) override;
    void on_disconnected(air::Disconnect why) override;

    Reach reach_;
    framing::DeviceId device_id_;
    air::Place place_;
    Duration patience_;
    std::unique_ptr<air::Link> link_;
    bool is_connected_ = false;
    bool is_idle_ = false;
    Time last_message_{};
    std::optional<Wish> wish_;
    std::optional<Time> back_at_;           // until then it stays away
    int returns_ = 0;                       // since something came
    std::vector<std::uint8_t> unanswered_;  // a frame
    std::optional<air::Disconnect> lost_;
    std::deque<std::vector<std::uint8_t>> messages_;
    std::vector<std::uint8_t> current_;
};

// Everybody in reach, or those who were found until the one that is wanted was.
std::vector<air::Sighting> look_around(AirTransport::Reach reach,
                                       Duration limit,
                                       air::Central::IsWanted is_wanted = {});

}  // namespace sotto::app
