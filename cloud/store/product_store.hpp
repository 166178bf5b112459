// SPDX-License-Identifier: Apache-2.0
// The part of the Store that is about products, their devices, firmware and releases, and about
// programs with secrets of their own. The contract of store.hpp; what is named with an account is
// found in that account only, else Error::NotFound.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cloud/model/products.hpp"
#include "core/base/result.hpp"

namespace sotto::cloud::store {

template <class T>
using Done = std::function<void(Result<T>)>;

class ProductStore {
  public:
    virtual ~ProductStore() = default;

    // Error::AlreadyExists if the id is taken, or the slug in this account; Error::NoSpace at
    // kProductsPerAccountMax.
    virtual void add_product(model::ProductRecord product, Done<void> done) = 0;
    // Its slug, name and description. Error::AlreadyExists for the slug.
    virtual void update_product(model::ProductRecord product, Done<void> done) = 0;
    // With everything in it.
    virtual void erase_product(model::AccountId account,
                               model::ProductId product,
                               Done<void> done) = 0;
    // Of all accounts, by id.
    virtual void list_products(Done<std::vector<model::ProductRecord>> done) = 0;

    // Error::AlreadyExists for the name, Error::NoSpace at kGroupsPerProductMax.
    virtual void add_group(model::AccountId account, model::GroupRecord group, Done<void> done) = 0;
    // Renamed, the group keeps its devices and releases. Error::AlreadyExists for the new name.
    virtual void update_group(model::AccountId account,
                              std::string name,
                              model::GroupRecord group,
                              Done<void> done) = 0;
    // Devices and releases lose it.
    virtual void erase_group(model::AccountId account,
                             model::ProductId product,
                             std::string name,
                             Done<void> done) = 0;
    virtual void list_groups(Done<std::vector<model::GroupRecord>> done) = 0;

    // A device that is known in this product stays as it is, but that a quarantined or denied one
    // becomes what is given. Error::NoSpace at kProductDevicesMax of the product, where members
    // alone count, or, for a quarantined one, at kQuarantinedMax.
    virtual void add_product_device(model::AccountId account,
                                    model::ProductDevice device,
                                    Done<model::ProductDevice> done) = 0;
    virtual void update_product_device(model::AccountId account,
                                       model::ProductId product,
                                       model::DeviceId device,
                                       model::ProductDeviceChanges changes,
                                       Done<model::ProductDevice> done) = 0;
    virtual void erase_product_device(model::AccountId account,
                                      model::ProductId product,
                                      model::DeviceId device,
                                      Done<void> done) = 0;
    // By product and device.
    virtual void list_product_devices(Done<std::vector<model::ProductDevice>> done) = 0;

    // Error::AlreadyExists for the version, Error::NoSpace at kFirmwaresPerProductMax or
    // kFirmwareBytesPerAccountMax.
    virtual void add_firmware(model::AccountId account,
                              model::FirmwareRecord firmware,
                              std::vector<std::uint8_t> image,
                              Done<void> done) = 0;
    // Its title and description.
    virtual void update_firmware(model::AccountId account,
                                 model::FirmwareRecord firmware,
                                 Done<void> done) = 0;
    virtual void erase_firmware(model::AccountId account,
                                model::ProductId product,
                                model::FirmwareVersion version,
                                Done<void> done) = 0;
    virtual void load_firmware(model::AccountId account,
                               model::ProductId product,
                               model::FirmwareVersion version,
                               Done<std::vector<std::uint8_t>> done) = 0;
    // By product and version.
    virtual void list_firmware(Done<std::vector<model::FirmwareRecord>> done) = 0;

    // Given an id. Of the product's releases the oldest make room at kReleasesPerProductMax.
    virtual void add_release(model::AccountId account,
                             model::ReleaseRecord release,
                             Done<model::ReleaseRecord> done) = 0;
    // What it has come to.
    virtual void update_release(model::AccountId account,
                                model::ReleaseRecord release,
                                Done<void> done) = 0;
    virtual void list_releases(Done<std::vector<model::ReleaseRecord>> done) = 0;

    // Error::NoSpace at kClientsPerAccountMax.
    virtual void add_client(model::ClientRecord client, Done<void> done) = 0;
    // Its name and scope.
    virtual void update_client(model::ClientRecord client, Done<void> done) = 0;
    virtual void erase_client(model::AccountId account, std::string id, Done<void> done) = 0;
    // Whosever it is. Error::NotFound.
    virtual void find_client(std::string id, Done<model::ClientRecord> done) = 0;
    // In the order of their coming.
    virtual void list_clients(model::AccountId account,
                              Done<std::vector<model::ClientRecord>> done) = 0;
};

}  // namespace sotto::cloud::store
