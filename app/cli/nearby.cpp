// SPDX-License-Identifier: Apache-2.0
#include "app/cli/nearby.hpp"

#include "air/bluez/bluez_central.hpp"
#include "air/virtual/virtual_central.hpp"
#include "app/cli/calendar.hpp"

namespace sotto::app {

Nearby::Nearby(boost::asio::io_context& loop, const Settings& settings, Recognition recognition) {
    if (settings.ble_adapter.empty()) {
        central_ = std::make_unique<air::VirtualCentral>(loop, settings.air);
        return;
    }
    air::bluez::BluezCentral::Options options;
    if (settings.ble_adapter != kAnyAdapter) options.adapters.push_back(settings.ble_adapter);
    bus_.emplace(loop);
    central_ = std::make_unique<air::bluez::BluezCentral>(loop, *bus_, std::move(options));
    const auto shared = std::make_shared<Recognition>(std::move(recognition));
    central_->set_is_welcome(
        [shared, begin = ports::SystemClock::now()](const std::optional<framing::Tag>& tag) {
            return shared->is_welcome(tag, time_now(), ports::SystemClock::now() - begin);
        });
}

}  // namespace sotto::app
