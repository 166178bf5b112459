// SPDX-License-Identifier: Apache-2.0
// One link of a central over BlueZ: does what LinkMachine decides. Allocates; never blocks.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "air/bluez/bus.hpp"
#include "air/central.hpp"

namespace sotto::air::bluez {

// What is known of a link, as long as it is there.
struct LinkState {
    Place place;
    bool is_up = false;
    bool is_leaving = false;  // BlueZ is about to forget the device
    std::size_t value_size = 0;
    std::string trouble{};  // why it ends
};

class BluezLink final : public Link {
  public:
    struct Options {
        Path device;
        std::size_t value_size_max;
        Duration patience;
    };

    // Starts at once. `handler` must live as long as the link, and `bus` longer.
    BluezLink(boost::asio::io_context& loop, Bus& bus, Options options, LinkHandler& handler);
    ~BluezLink() override;
    BluezLink(const BluezLink&) = delete;
    BluezLink& operator=(const BluezLink&) = delete;

    std::weak_ptr<const LinkState> state() const;
    Status send(Bytes frame) override;
    Status write(Bytes value) override;

  private:
    class Core;
    std::shared_ptr<Core> core_;
};

}  // namespace sotto::air::bluez
