// SPDX-License-Identifier: Apache-2.0
// All products of all users as the store has them, in memory: whoever changes something there puts
// it here once that has answered. Look-ups name the account; nothing of one is found through
// another. Allocates, within the bounds of the store; pure.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cloud/model/products.hpp"

namespace sotto::cloud::services {

struct Product {
    model::ProductRecord record;
    std::map<std::string, model::GroupRecord, std::less<>> groups{};
    std::map<model::DeviceId, model::ProductDevice> devices{};
    std::map<model::FirmwareVersion, model::FirmwareRecord> firmware{};
    std::vector<model::ReleaseRecord> releases{};  // the oldest first

    // In the list; nothing for a device that is quarantined or denied.
    const model::ProductDevice* member(const model::DeviceId& device) const;
    // What all its devices are to have that nothing else is said of. Nothing: none is released.
    const model::ReleaseRecord* default_release() const;
};

// What a device is to have.
struct Target {
    model::FirmwareVersion version = 0;
    const model::ReleaseRecord* release = nullptr;  // none: its user wants it for this device
};
// A desired version counts most, then the last release for one of its groups, then the default.
// Nothing for devices in development, unless they have a desired one.
std::optional<Target> target_of(const Product& product, const model::ProductDevice& device);

class Fleet {
  public:
    Fleet() = default;
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    // What the store has, or has now. A record of a product that is not here is ignored.
    void put(const model::ProductRecord& product);
    void put(const model::GroupRecord& group);
    void put(const model::ProductDevice& device);
    void put(const model::FirmwareRecord& firmware);
    void put(const model::ReleaseRecord& release);
    void erase(model::ProductId product);
    // All products of the account.
    void erase_of(model::AccountId account);
    void erase_device(model::ProductId product, const model::DeviceId& device);
    void erase_firmware(model::ProductId product, model::FirmwareVersion version);
    // The new name is empty: the group is no more. Else it is put() too.
    void rename_group(model::ProductId product, const std::string& from, const std::string& to);

    // By its id or its slug.
    const Product* find(model::AccountId account, std::string_view name) const;
    // Whosever it is.
    const Product* find(model::ProductId product) const;
    // By id.
    std::vector<const Product*> list(model::AccountId account) const;
    const std::map<model::ProductId, Product>& all() const { return products_; }
    // The product of the account in whose list the device is.
    const Product* product_of(model::AccountId account, const model::DeviceId& device) const;
    // The lowest number for a product that is free; nothing: there is none.
    std::optional<model::ProductId> free_id() const;

    // Numbers below are those of platforms, which firmware without a product says.
    static constexpr std::uint16_t kProductIdMin = 256;

  private:
    std::map<model::ProductId, Product> products_;
    // In whose lists a device is.
    std::unordered_map<model::DeviceId, std::vector<model::ProductId>, model::IdHash> lists_;
};

}  // namespace sotto::cloud::services
