// SPDX-License-Identifier: Apache-2.0
#include "app/cli/nearby.hpp"

#include "air/bluez/bluez_central.hpp"
#include "air/virtual/virtual_central.hpp"

namespace sotto::app {

Nearby::Nearby(boost::asio::io_context& loop, const Settings& settings) {
    if (settings.ble_adapter.empty()) {
        central_ = std::make_unique<air::VirtualCentral>(loop, settings.air);
        return;
    }
    air::bluez::BluezCentral::Options options;
    if (settings.ble_adapter != kAnyAdapter) options.adapters.push_back(settings.ble_adapter);
    bus_.emplace(loop);
    central_ = std::make_unique<air::bluez::BluezCentral>(loop, *bus_, std::move(options));
}

}  // namespace sotto::app
