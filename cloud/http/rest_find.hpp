// SPDX-License-Identifier: Apache-2.0
// How the parts of Rest find the device that a path names.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cloud/http/rest.hpp"
#include "cloud/http/rest_replies.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::http {

inline std::string lower(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

inline Reply no_device() {
    return rest_refusal(404, "device_not_found", "This user has no such device");
}

inline Reply no_member() {
    return rest_refusal(404, "device_not_found", "This product has no such device");
}

inline Reply sealed() { return rest_refusal(services::DeviceError::Sealed, "this device"); }

// The device that the first place names, by its id or its name, among those of the account.
template <class Function>
void Rest::find_device(const CallPtr& call, Function function) {
    const std::string& name = call->places[0];
    const model::AccountId account = call->access.account;
    const auto go_on = [this, call, function](Target target) {
        if (!target.is_sealed) target.line = devices_.find(target.id, call->access.account);
        function(target);
    };
    const auto among_sealed = [this, call, go_on, account](const std::string& id) {
        store_.list_devices(
            account, [call, go_on, id](const Result<std::vector<model::Registration>>& devices) {
                if (!devices) return call->done(rest_failure(devices.error()));
                for (const model::Registration& device : *devices) {
                    if (to_hex<std::string>(device.device) == id)
                        return go_on({.id = device.device, .is_sealed = true});
                }
                call->done(no_device());
            });
    };
    model::DeviceId id{};
    if (from_hex(name, id)) {
        return store_.find_open_device(
            id,
            [call, go_on, among_sealed, account, id](
                const Result<std::optional<model::OpenDeviceRecord>>& record) {
                if (!record) return call->done(rest_failure(record.error()));
                if (!*record || (*record)->account != account)
                    return among_sealed(to_hex<std::string>(id));
                go_on({.id = id, .record = **record});
            });
    }
    store_.list_open_devices(
        account, [call, go_on, name](const Result<std::vector<model::OpenDeviceRecord>>& records) {
            if (!records) return call->done(rest_failure(records.error()));
            for (const model::OpenDeviceRecord& record : *records) {
                if (lower(record.name) == lower(name))
                    return go_on({.id = record.device, .record = record});
            }
            call->done(no_device());
        });
}

// The same, where nothing can be done with a sealed one, and the id of a connected one leads to it
// without the store.
template <class Function>
void Rest::find_open_device(const CallPtr& call, Function function) {
    model::DeviceId id{};
    if (from_hex(call->places[0], id)) {
        services::OpenDevice* const line = devices_.find(id, call->access.account);
        if (line != nullptr) return function(Target{.id = id, .line = line});
    }
    find_device(call, [call, function](const Target& target) {
        if (target.is_sealed) return call->done(sealed());
        function(target);
    });
}

inline Reply no_product() {
    return rest_refusal(404, "not_found", "This user has no such product");
}

template <void (Rest::*handler)(const CallPtr&)>
void Rest::in_product(const CallPtr& call) {
    if (!take_product(call)) return call->done(no_product());
    (this->*handler)(call);
}

// Whatever the device is to the product: in its list, quarantined, or denied.
template <class Function>
void Rest::find_member(const CallPtr& call, Function function) {
    const std::string name = call->places[0];
    model::DeviceId id{};
    if (from_hex(name, id)) {
        const services::Product* const product = product_in(call);
        const bool is_known = product != nullptr && product->devices.contains(id);
        return is_known ? function(id) : call->done(no_member());
    }
    store_.list_open_devices(
        call->access.account,
        [this, call, function, name](const Result<std::vector<model::OpenDeviceRecord>>& records) {
            if (!records) return call->done(rest_failure(records.error()));
            const services::Product* const product = product_in(call);
            for (const model::OpenDeviceRecord& record : *records) {
                if (product != nullptr && lower(record.name) == lower(name) &&
                    product->devices.contains(record.device))
                    return function(record.device);
            }
            call->done(no_member());
        });
}

template <void (Rest::*handler)(const CallPtr&)>
void Rest::in_product_device(const CallPtr& call) {
    if (!take_product(call)) return call->done(no_product());
    find_member(call, [this, call](const model::DeviceId& id) {
        const services::Product* const known = product_in(call);
        if (known == nullptr || known->member(id) == nullptr) return call->done(no_member());
        call->places[0] = to_hex<std::string>(id);
        (this->*handler)(call);
    });
}

}  // namespace sotto::cloud::http
