// SPDX-License-Identifier: Apache-2.0
// The part of MemoryStore that is about products and programs.
#include <algorithm>
#include <utility>

#include "cloud/model/product_changes.hpp"
#include "cloud/store/limits.hpp"
#include "cloud/store/memory_store.hpp"

namespace sotto::cloud::store {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

namespace {

// How many entries of a map whose keys begin with the product.
template <class Map>
std::size_t count_of(const Map& map, ProductId product) {
    return static_cast<std::size_t>(std::ranges::count_if(
        map, [&](const auto& entry) { return entry.first.first == product; }));
}

template <class Map>
void erase_of(Map& map, ProductId product) {
    std::erase_if(map, [&](const auto& entry) { return entry.first.first == product; });
}

template <class Map>
auto values_of(const Map& map) {
    std::vector<typename Map::mapped_type> values;
    for (const auto& [key, value] : map) values.push_back(value);
    return values;
}

}  // namespace

bool MemoryStore::has_product(AccountId account, ProductId product) const {
    const auto found = products_.find(product);
    return found != products_.end() && found->second.account == account;
}

void MemoryStore::add_product(ProductRecord product, Done<void> done) {
    answer(done, [&]() -> Status {
        if (products_.contains(product.id)) return Error::AlreadyExists;
        std::size_t count = 0;
        for (const auto& [id, other] : products_) {
            if (other.account != product.account) continue;
            if (other.slug == product.slug) return Error::AlreadyExists;
            ++count;
        }
        if (count >= kProductsPerAccountMax) return Error::NoSpace;
        products_.emplace(product.id, product);
        return {};
    });
}

void MemoryStore::update_product(ProductRecord product, Done<void> done) {
    answer(done, [&]() -> Status {
        if (!has_product(product.account, product.id)) return Error::NotFound;
        const bool is_taken = std::ranges::any_of(products_, [&](const auto& entry) {
            const ProductRecord& other = entry.second;
            return other.account == product.account && other.slug == product.slug &&
                   other.id != product.id;
        });
        if (is_taken) return Error::AlreadyExists;
        ProductRecord& known = products_.at(product.id);
        known.slug = product.slug;
        known.name = product.name;
        known.description = product.description;
        return {};
    });
}

void MemoryStore::erase_product(AccountId account, ProductId product, Done<void> done) {
    answer(done, [&]() -> Status {
        if (!has_product(account, product)) return Error::NotFound;
        drop_product(product);
        return {};
    });
}

void MemoryStore::drop_product(ProductId product) {
    erase_of(groups_, product);
    erase_of(product_devices_, product);
    erase_of(firmware_, product);
    std::erase_if(releases_, [&](const auto& release) { return release.product == product; });
    std::erase_if(clients_, [&](const auto& client) { return client.product == product; });
    std::erase_if(hooks_, [&](const auto& hook) { return hook.product == product.value(); });
    std::erase_if(tokens_,
                  [&](const auto& entry) { return entry.second.token.product == product.value(); });
    std::erase_if(environments_, [&](const auto& entry) { return entry.first.product == product; });
    products_.erase(product);
}

void MemoryStore::list_products(Done<std::vector<ProductRecord>> done) {
    answer(done, [&] { return values_of(products_); });
}

void MemoryStore::add_group(AccountId account, GroupRecord group, Done<void> done) {
    answer(done, [&]() -> Status {
        if (!has_product(account, group.product)) return Error::NotFound;
        if (groups_.contains({group.product, group.name})) return Error::AlreadyExists;
        if (count_of(groups_, group.product) >= kGroupsPerProductMax) return Error::NoSpace;
        groups_[{group.product, group.name}] = group;
        return {};
    });
}

void MemoryStore::rename_group(ProductId product, const std::string& from, const std::string& to) {
    for (auto& [key, device] : product_devices_) {
        if (key.first == product) model::rename_group(device.groups, from, to);
    }
    for (ReleaseRecord& release : releases_) {
        if (release.product == product) model::rename_group(release.groups, from, to);
    }
}

void MemoryStore::update_group(AccountId account,
                               std::string name,
                               GroupRecord group,
                               Done<void> done) {
    answer(done, [&]() -> Status {
        const auto known = groups_.find({group.product, name});
        if (!has_product(account, group.product) || known == groups_.end()) return Error::NotFound;
        if (group.name != name && groups_.contains({group.product, group.name}))
            return Error::AlreadyExists;
        GroupRecord changed = known->second;
        changed.name = group.name;
        changed.description = group.description;
        changed.color = group.color;
        groups_.erase(known);
        groups_[{group.product, group.name}] = changed;
        if (group.name != name) rename_group(group.product, name, group.name);
        return {};
    });
}

void MemoryStore::erase_group(AccountId account,
                              ProductId product,
                              std::string name,
                              Done<void> done) {
    answer(done, [&]() -> Status {
        if (!has_product(account, product) || groups_.erase({product, name}) == 0)
            return Error::NotFound;
        rename_group(product, name, {});
        return {};
    });
}

void MemoryStore::list_groups(Done<std::vector<GroupRecord>> done) {
    answer(done, [&] { return values_of(groups_); });
}

void MemoryStore::add_product_device(AccountId account,
                                     ProductDevice device,
                                     Done<ProductDevice> done) {
    answer(done, [&]() -> Result<ProductDevice> {
        if (!has_product(account, device.product)) return Error::NotFound;
        const bool is_member = device.membership == Membership::Member;
        const auto known = product_devices_.find({device.product, device.device});
        if (known != product_devices_.end() &&
            (known->second.membership == Membership::Member || !is_member))
            return known->second;
        std::size_t count = 0;
        for (const auto& [key, other] : product_devices_) {
            const bool is_in_list = other.membership == Membership::Member;
            if (is_member && is_in_list && key.second == device.device &&
                key.first != device.product && has_product(account, key.first))
                return Error::Refused;
            if (key.first == device.product && is_in_list == is_member) ++count;
        }
        if (count >= (is_member ? kProductDevicesMax : kQuarantinedMax)) return Error::NoSpace;
        product_devices_[{device.product, device.device}] = device;
        return device;
    });
}

void MemoryStore::update_product_device(AccountId account,
                                        ProductId product,
                                        DeviceId device,
                                        ProductDeviceChanges changes,
                                        Done<ProductDevice> done) {
    answer(done, [&]() -> Result<ProductDevice> {
        const auto known = product_devices_.find({product, device});
        if (!has_product(account, product) || known == product_devices_.end())
            return Error::NotFound;
        apply(changes, known->second);
        return known->second;
    });
}

void MemoryStore::erase_product_device(AccountId account,
                                       ProductId product,
                                       DeviceId device,
                                       Done<void> done) {
    answer(done, [&]() -> Status {
        if (!has_product(account, product) || product_devices_.erase({product, device}) == 0)
            return Error::NotFound;
        return {};
    });
}

void MemoryStore::list_product_devices(Done<std::vector<ProductDevice>> done) {
    answer(done, [&] { return values_of(product_devices_); });
}

void MemoryStore::add_firmware(AccountId account,
                               FirmwareRecord firmware,
                               std::vector<std::uint8_t> image,
                               Done<void> done) {
    answer(done, [&]() -> Status {
        if (!has_product(account, firmware.product)) return Error::NotFound;
        if (firmware_.contains({firmware.product, firmware.version})) return Error::AlreadyExists;
        std::size_t bytes = firmware.size;
        for (const auto& [key, entry] : firmware_) {
            if (has_product(account, key.first)) bytes += entry.record.size;
        }
        if (count_of(firmware_, firmware.product) >= kFirmwaresPerProductMax ||
            bytes > kFirmwareBytesPerAccountMax)
            return Error::NoSpace;
        firmware_[{firmware.product, firmware.version}] = {.record = firmware, .image = image};
        return {};
    });
}

void MemoryStore::update_firmware(AccountId account, FirmwareRecord firmware, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto known = firmware_.find({firmware.product, firmware.version});
        if (!has_product(account, firmware.product) || known == firmware_.end())
            return Error::NotFound;
        known->second.record.title = firmware.title;
        known->second.record.description = firmware.description;
        return {};
    });
}

void MemoryStore::erase_firmware(AccountId account,
                                 ProductId product,
                                 FirmwareVersion version,
                                 Done<void> done) {
    answer(done, [&]() -> Status {
        if (!has_product(account, product) || firmware_.erase({product, version}) == 0)
            return Error::NotFound;
        return {};
    });
}

void MemoryStore::load_firmware(AccountId account,
                                ProductId product,
                                FirmwareVersion version,
                                Done<std::vector<std::uint8_t>> done) {
    answer(done, [&]() -> Result<std::vector<std::uint8_t>> {
        const auto known = firmware_.find({product, version});
        if (!has_product(account, product) || known == firmware_.end()) return Error::NotFound;
        return known->second.image;
    });
}

void MemoryStore::list_firmware(Done<std::vector<FirmwareRecord>> done) {
    answer(done, [&] {
        std::vector<FirmwareRecord> records;
        for (const auto& [key, entry] : firmware_) records.push_back(entry.record);
        return records;
    });
}

void MemoryStore::add_release(AccountId account, ReleaseRecord release, Done<ReleaseRecord> done) {
    answer(done, [&]() -> Result<ReleaseRecord> {
        if (!has_product(account, release.product)) return Error::NotFound;
        const auto is_of_product = [&](const ReleaseRecord& other) {
            return other.product == release.product;
        };
        while (std::ranges::count_if(releases_, is_of_product) >=
               std::ptrdiff_t{kReleasesPerProductMax})
            releases_.erase(std::ranges::find_if(releases_, is_of_product));
        release.id = ReleaseId{++last_release_};
        releases_.push_back(release);
        return release;
    });
}

void MemoryStore::update_release(AccountId account, ReleaseRecord release, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto known = std::ranges::find(releases_, release.id, &ReleaseRecord::id);
        if (known == releases_.end() || known->product != release.product ||
            !has_product(account, release.product))
            return Error::NotFound;
        known->state = release.state;
        known->succeeded = release.succeeded;
        known->failed = release.failed;
        known->recent = release.recent;
        known->why = release.why;
        return {};
    });
}

void MemoryStore::list_releases(Done<std::vector<ReleaseRecord>> done) {
    answer(done, [&] { return releases_; });
}

void MemoryStore::add_client(ClientRecord client, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto count = std::ranges::count(clients_, client.account, &ClientRecord::account);
        if (count >= std::ptrdiff_t{kClientsPerAccountMax}) return Error::NoSpace;
        clients_.push_back(client);
        return {};
    });
}

void MemoryStore::update_client(ClientRecord client, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto known = std::ranges::find(clients_, client.id, &ClientRecord::id);
        if (known == clients_.end() || known->account != client.account) return Error::NotFound;
        known->name = client.name;
        known->scope = client.scope;
        return {};
    });
}

void MemoryStore::erase_client(AccountId account, std::string id, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto count = std::erase_if(clients_, [&](const ClientRecord& client) {
            return client.account == account && client.id == id;
        });
        if (count == 0) return Error::NotFound;
        return {};
    });
}

void MemoryStore::find_client(std::string id, Done<ClientRecord> done) {
    answer(done, [&]() -> Result<ClientRecord> {
        const auto known = std::ranges::find(clients_, id, &ClientRecord::id);
        if (known == clients_.end()) return Error::NotFound;
        return *known;
    });
}

void MemoryStore::list_clients(AccountId account, Done<std::vector<ClientRecord>> done) {
    answer(done, [&] {
        std::vector<ClientRecord> clients;
        for (const ClientRecord& client : clients_) {
            if (client.account == account) clients.push_back(client);
        }
        return clients;
    });
}

}  // namespace sotto::cloud::store
