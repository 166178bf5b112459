// SPDX-License-Identifier: Apache-2.0
// The air that --local looks at: the virtual one, or Bluetooth LE. Allocates.
#pragma once

#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "air/bluez/bus.hpp"
#include "air/central.hpp"
#include "app/cli/settings.hpp"
#include "app/client/recognition.hpp"

namespace sotto::app {

class Nearby {
  public:
    // `loop` must live longer. The virtual air is asked as a whole: who is there is no secret.
    Nearby(boost::asio::io_context& loop, const Settings& settings, Recognition recognition);

    air::Central& central() { return *central_; }

  private:
    std::optional<air::bluez::Bus> bus_;
    std::unique_ptr<air::Central> central_;
};

}  // namespace sotto::app
