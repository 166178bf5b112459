// SPDX-License-Identifier: Apache-2.0
// To a device nearby, over the air (docs/protocol/air.md). Allocates; blocks for as long as it is
// told. Borrows the loop and the central, which must outlive it.
#pragma once

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

    Status send(Bytes message) override;
    Arrival wait(Duration limit) override;

  private:
    explicit AirTransport(Reach reach) : reach_(reach) {}

    Outcome<> open(const air::Place& place, Duration limit);
    void on_connected(const air::Sighting& sighting) override;
    void on_frame(Bytes frame) override;
    void on_disconnected(air::Disconnect why) override;

    Reach reach_;
    std::unique_ptr<air::Link> link_;
    bool is_connected_ = false;
    std::optional<air::Disconnect> lost_;
    std::deque<std::vector<std::uint8_t>> messages_;
    std::vector<std::uint8_t> current_;
};

// Everybody in reach.
std::vector<air::Sighting> look_around(AirTransport::Reach reach, Duration limit);

}  // namespace sotto::app
