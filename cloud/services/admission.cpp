// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/admission.hpp"

#include <utility>

namespace sotto::cloud::services {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

void Admission::load_owner(const DeviceId& device,
                           std::uint16_t shown,
                           std::function<void(Result<Owner>)> done) {
    store_.find_open_device(
        device,
        [this, device, shown, done = std::move(done)](
            const Result<std::optional<OpenDeviceRecord>>& found) {
            if (!found) return done(found.error());
            const Owner owner = *found ? Owner{(*found)->account} : Owner{};
            const Product* const product = fleet_.find(ProductId{shown});
            // What is another user's is not shown to this one.
            if (product == nullptr || (owner && *owner != product->record.account))
                return done(owner);
            const AccountId account = product->record.account;
            if (product->member(device) != nullptr) {
                if (owner) return done(owner);
                return claim(device, account, [done, account](bool is_claimed) {
                    done(is_claimed ? Owner{account} : Owner{});
                });
            }
            if (!product->devices.contains(device)) {
                store_.add_product_device(account,
                                          {.product = product->record.id,
                                           .device = device,
                                           .membership = Membership::Quarantined,
                                           .added_at = config_.now()},
                                          [this](const Result<ProductDevice>& added) {
                                              if (added) fleet_.put(*added);
                                          });
            }
            done(owner);
        });
}

bool Admission::has_say(const DeviceId& device, Owner owner, std::uint16_t shown) const {
    const Product* const product = fleet_.find(ProductId{shown});
    if (product == nullptr || (owner && *owner != product->record.account)) return false;
    return !owner || !product->devices.contains(device);
}

// The store refuses what is another's, or sealed.
void Admission::claim(const DeviceId& device, AccountId account, std::function<void(bool)> done) {
    store_.claim_open_device(
        device,
        account,
        config_.now(),
        [this, device, account, done = std::move(done)](const Result<OpenDeviceRecord>& claimed) {
            if (claimed && config_.on_claimed) config_.on_claimed(account, device);
            done(claimed.has_value());
        });
}

void Admission::admit(const DeviceId& device, ProductId id, OpenDevices& devices) {
    const Product* const product = fleet_.find(id);
    const DeviceAttributes* const attributes = devices.attributes_of(device);
    if (product == nullptr || attributes == nullptr || attributes->product_id != id.value() ||
        devices.owner_of(device))
        return;
    const AccountId account = product->record.account;
    claim(device, account, [device, account, &devices](bool is_claimed) {
        if (is_claimed) devices.set_owner(device, account);
    });
}

}  // namespace sotto::cloud::services
