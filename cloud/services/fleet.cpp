// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/fleet.hpp"

#include <algorithm>
#include <charconv>

#include "cloud/model/product_changes.hpp"
#include "cloud/store/limits.hpp"

namespace sotto::cloud::services {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

const ProductDevice* Product::member(const DeviceId& device) const {
    const auto found = devices.find(device);
    const bool is_member = found != devices.end() && found->second.membership == Membership::Member;
    return is_member ? &found->second : nullptr;
}

const ReleaseRecord* Product::default_release() const {
    const auto last = std::find_if(
        releases.rbegin(), releases.rend(), [](const auto& each) { return each.is_default; });
    return last == releases.rend() ? nullptr : &*last;
}

std::optional<Target> target_of(const Product& product, const ProductDevice& device) {
    if (device.membership != Membership::Member) return std::nullopt;
    if (device.desired_version) return Target{.version = *device.desired_version};
    if (device.is_development) return std::nullopt;
    const auto is_for_it = [&](const ReleaseRecord& release) {
        return std::ranges::any_of(release.groups, [&](const std::string& group) {
            return std::ranges::find(device.groups, group) != device.groups.end();
        });
    };
    const auto last = std::find_if(product.releases.rbegin(), product.releases.rend(), is_for_it);
    const ReleaseRecord* const release =
        last == product.releases.rend() ? product.default_release() : &*last;
    if (release == nullptr) return std::nullopt;
    return Target{.version = release->version, .release = release};
}

void Fleet::put(const ProductRecord& product) { products_[product.id].record = product; }

void Fleet::put(const GroupRecord& group) {
    const auto found = products_.find(group.product);
    if (found != products_.end()) found->second.groups[group.name] = group;
}

void Fleet::put(const ProductDevice& device) {
    const auto found = products_.find(device.product);
    if (found == products_.end()) return;
    found->second.devices[device.device] = device;
    auto& lists = lists_[device.device];
    std::erase(lists, device.product);
    if (device.membership == Membership::Member) lists.push_back(device.product);
    if (lists.empty()) lists_.erase(device.device);
}

void Fleet::put(const FirmwareRecord& firmware) {
    const auto found = products_.find(firmware.product);
    if (found != products_.end()) found->second.firmware[firmware.version] = firmware;
}

void Fleet::put(const ReleaseRecord& release) {
    const auto found = products_.find(release.product);
    if (found == products_.end()) return;
    auto& releases = found->second.releases;
    const auto known = std::ranges::find(releases, release.id, &ReleaseRecord::id);
    if (known != releases.end()) {
        *known = release;
        return;
    }
    if (releases.size() >= store::kReleasesPerProductMax) releases.erase(releases.begin());
    releases.push_back(release);
}

void Fleet::erase(ProductId product) {
    const auto found = products_.find(product);
    if (found == products_.end()) return;
    while (!found->second.devices.empty())
        erase_device(product, DeviceId{found->second.devices.begin()->first});
    products_.erase(found);
}

void Fleet::erase_of(AccountId account) {
    for (const Product* const product : list(account)) erase(ProductId{product->record.id});
}

void Fleet::erase_device(ProductId product, const DeviceId& device) {
    const auto found = products_.find(product);
    if (found != products_.end()) found->second.devices.erase(device);
    const auto lists = lists_.find(device);
    if (lists == lists_.end()) return;
    std::erase(lists->second, product);
    if (lists->second.empty()) lists_.erase(lists);
}

void Fleet::erase_firmware(ProductId product, FirmwareVersion version) {
    const auto found = products_.find(product);
    if (found != products_.end()) found->second.firmware.erase(version);
}

void Fleet::rename_group(ProductId product, const std::string& from, const std::string& to) {
    const auto found = products_.find(product);
    if (found == products_.end()) return;
    found->second.groups.erase(from);
    for (auto& [id, device] : found->second.devices) model::rename_group(device.groups, from, to);
    for (ReleaseRecord& release : found->second.releases)
        model::rename_group(release.groups, from, to);
}

const Product* Fleet::find(ProductId product) const {
    const auto found = products_.find(product);
    return found == products_.end() ? nullptr : &found->second;
}

const Product* Fleet::find(AccountId account, std::string_view name) const {
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc{} && end == name.data() + name.size()) {
        const Product* const product = find(ProductId{number});
        return product != nullptr && product->record.account == account ? product : nullptr;
    }
    for (const auto& [id, product] : products_) {
        if (product.record.account == account && product.record.slug == name) return &product;
    }
    return nullptr;
}

std::vector<const Product*> Fleet::list(AccountId account) const {
    std::vector<const Product*> list;
    for (const auto& [id, product] : products_) {
        if (product.record.account == account) list.push_back(&product);
    }
    return list;
}

const Product* Fleet::product_of(AccountId account, const DeviceId& device) const {
    const auto lists = lists_.find(device);
    if (lists == lists_.end()) return nullptr;
    for (const ProductId id : lists->second) {
        const Product* const product = find(id);
        if (product != nullptr && product->record.account == account) return product;
    }
    return nullptr;
}

std::optional<ProductId> Fleet::free_id() const {
    constexpr std::uint32_t kFirst = 1'000;  // easy to read, and no platform
    for (std::uint32_t id = kFirst; id <= 0xffff; ++id) {
        const ProductId product{static_cast<std::uint16_t>(id)};
        if (!products_.contains(product)) return product;
    }
    return std::nullopt;
}

}  // namespace sotto::cloud::services
