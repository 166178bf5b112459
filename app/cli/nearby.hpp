// SPDX-License-Identifier: Apache-2.0
// The air that --local looks at: the virtual one, or Bluetooth LE. Allocates.
#pragma once

#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "air/bluez/bus.hpp"
#include "air/central.hpp"
#include "app/cli/settings.hpp"

namespace sotto::app {

class Nearby {
  public:
    // `loop` must live longer.
    Nearby(boost::asio::io_context& loop, const Settings& settings);

    air::Central& central() { return *central_; }

  private:
    std::optional<air::bluez::Bus> bus_;
    std::unique_ptr<air::Central> central_;
};

}  // namespace sotto::app
