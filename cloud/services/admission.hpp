// SPDX-License-Identifier: Apache-2.0
// Whose a device is that connects, where products have a say: one that nobody owns, that says it is
// of a product and is in that one's list, is its user's; one that is not in the list waits there
// for its user to approve it. Allocates; never blocks; pure.
#pragma once

#include <functional>
#include <optional>

#include "cloud/services/fleet.hpp"
#include "cloud/services/open_devices.hpp"
#include "cloud/store/store.hpp"

namespace sotto::cloud::services {

class Admission {
  public:
    struct Config {
        std::function<Instant()> now;
        // A device became the account's.
        std::function<void(model::AccountId, const model::DeviceId&)> on_claimed{};
    };
    // What it refers to must live as long as this.
    Admission(store::Store& store, Fleet& fleet, Config config)
        : store_(store), fleet_(fleet), config_(std::move(config)) {}
    Admission(const Admission&) = delete;
    Admission& operator=(const Admission&) = delete;

    using Owner = OpenDevices::Owner;
    // What OpenDevices asks, with the product that the device says it is of.
    void load_owner(const model::DeviceId& device,
                    std::uint16_t shown,
                    std::function<void(Result<Owner>)> done);
    // Whether products have a say in it, where the owner is known.
    bool has_say(const model::DeviceId& device, Owner owner, std::uint16_t shown) const;
    // A device of this product's list that is connected and nobody's is its user's from now on.
    void admit(const model::DeviceId& device, model::ProductId product, OpenDevices& devices);

  private:
    void claim(const model::DeviceId& device,
               model::AccountId account,
               std::function<void(bool)> done);

    store::Store& store_;
    Fleet& fleet_;
    Config config_;
};

}  // namespace sotto::cloud::services
