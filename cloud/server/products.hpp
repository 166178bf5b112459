// SPDX-License-Identifier: Apache-2.0
// Products with all that is done for them, and what they know of firmware. Lives on the event loop.
#pragma once

#include <functional>
#include <string>

#include "cloud/http/rest.hpp"
#include "cloud/services/admission.hpp"
#include "cloud/services/fleet.hpp"
#include "cloud/services/rollouts.hpp"
#include "cloud/store/store.hpp"
#include "core/hal/entropy.hpp"
#include "ports/service/log.hpp"

namespace sotto::cloud::server {

class Products {
  public:
    // What it refers to must live as long as this.
    struct Setup {
        store::Store& store;
        services::OpenDevices& devices;
        services::Updates& updates;
        hal::Entropy& entropy;
        ports::Log& log;
        std::function<Instant()> now;
        Duration spread;
    };
    explicit Products(Setup setup);
    Products(const Products&) = delete;
    Products& operator=(const Products&) = delete;

    // All that the store has.
    void load(std::function<void(Status)> done);

    // From OpenDevices.
    void load_owner(const model::DeviceId& device,
                    std::function<void(Result<services::OpenDevices::Owner>)> done);
    bool must_ask(const model::DeviceId& device,
                  services::OpenDevices::Owner owner,
                  const services::DeviceAttributes& attributes) const {
        return admission_.has_say(device, owner, attributes.product_id);
    }
    std::uint16_t product_of(model::AccountId owner, const model::DeviceId& device) const;

    services::Fleet& fleet() { return fleet_; }
    services::Admission& admission() { return admission_; }
    services::Rollouts& rollouts() { return rollouts_; }

  private:
    template <class Record>
    void load_then(void (store::ProductStore::*list)(store::Done<std::vector<Record>>),
                   std::function<void(Status)> done,
                   std::function<void()> next);
    void note_claim(model::AccountId account, const model::DeviceId& device);
    void note_stop(const model::ReleaseRecord& release);

    Setup setup_;
    services::Fleet fleet_;
    services::Admission admission_;
    services::Rollouts rollouts_;
};

// What an uploaded firmware says of itself, or a sentence for who sent it why it is none.
Result<http::FirmwareFacts, std::string> read_firmware(Bytes image);

}  // namespace sotto::cloud::server
