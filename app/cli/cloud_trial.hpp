// SPDX-License-Identifier: Apache-2.0
// Taking a device to a cloud, in two phases: it goes there on trial, and is told to stay by way of
// that cloud, so that no mistake can strand it. Allocates; blocks for as long as it is told.
#pragma once

#include "app/cli/way.hpp"
#include "app/client/device.hpp"

namespace sotto::app {

// A device with what it takes to talk to it.
struct Known {
    framing::DeviceId id{};
    const keystore::Identity& identity;  // ours
    DeviceStorage& storage;
};

Device device_over(Way& way, const Known& known, const Job& job);
// What makes an instant of our clock a time since 1970.
Duration since_1970();

// Asks the cloud of this account for a claim, sends the device there over `way`, lets that go, and
// confirms as soon as the device can be reached through its new cloud. Trouble::Unreachable if it
// does not come there in time: it goes back by itself then. Others as http_request() and Device's.
Outcome<> take_to_cloud(const Known& known,
                        std::unique_ptr<Way> way,
                        const Account& account,
                        const Job& job);

}  // namespace sotto::app
