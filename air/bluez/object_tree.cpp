// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/object_tree.hpp"

#include <algorithm>

#include "air/bluez/limits.hpp"
#include "core/framing/text.hpp"

namespace sotto::air::bluez {

namespace {

template <class T>
const T* get(const Properties& properties, const char* name) {
    const auto found = properties.find(name);
    return found == properties.end() ? nullptr : std::get_if<T>(&found->second);
}

bool is_set(const Properties& properties, const char* name) {
    const bool* value = get<bool>(properties, name);
    return value != nullptr && *value;
}

std::string text(const Properties& properties, const char* name) {
    const auto* value = get<std::string>(properties, name);
    return value == nullptr ? "" : *value;
}

// [AIR-20] Of a name that is too long, or cannot be shown, nothing. With both services a device
// has two advertisements, and the other one says who it is.
std::string shown_name(const Properties& properties, framing::Service service) {
    const std::string name = text(properties, "Name");
    if (service == framing::Service::Sotto && name == kBluzName) return "";
    return name.size() <= framing::kNameSizeMax && framing::is_printable_utf8(name) ? name : "";
}

std::optional<framing::Service> service_of(const Properties& properties) {
    const auto* uuids = get<std::vector<std::string>>(properties, "UUIDs");
    if (uuids == nullptr) return std::nullopt;
    const auto has = [&](const char* uuid) {
        return std::find(uuids->begin(), uuids->end(), uuid) != uuids->end();
    };
    if (has(kSottoUuids.service)) return framing::Service::Sotto;
    if (has(kBluzUuids.service)) return framing::Service::Bluz;
    return std::nullopt;
}

std::optional<DeviceView> view_of(const Path& path, const Properties& properties) {
    const auto service = service_of(properties);
    if (!service) return std::nullopt;
    // bluetoothd learns of a connection in two ways; if they come in the wrong order it does not
    // signal Connected.
    const bool is_resolved = is_set(properties, "ServicesResolved");
    DeviceView view{.path = path,
                    .adapter = text(properties, "Adapter"),
                    .address = text(properties, "Address"),
                    .name = shown_name(properties, *service),
                    .service = *service,
                    .is_paired = is_set(properties, "Paired"),
                    .is_connected = is_resolved || is_set(properties, "Connected"),
                    .is_resolved = is_resolved};
    if (const auto* rssi = get<std::int64_t>(properties, "RSSI")) view.rssi = *rssi;
    return view;
}

}  // namespace

void ObjectTree::on_added(const Path& path, const Interfaces& interfaces) {
    if (!objects_.contains(path)) {
        if (objects_.size() >= kObjectsMax) return;
        objects_[path].serial = ++newest_;
    }
    for (const auto& [name, properties] : interfaces) objects_[path].interfaces[name] = properties;
}

void ObjectTree::on_removed(const Path& path, const std::vector<std::string>& interfaces) {
    const auto found = objects_.find(path);
    if (found == objects_.end()) return;
    Interfaces& left = found->second.interfaces;
    for (const std::string& name : interfaces) left.erase(name);
    if (left.empty()) objects_.erase(found);
}

void ObjectTree::on_changed(const Path& path,
                            const std::string& interface,
                            const Properties& changed,
                            const std::vector<std::string>& invalidated) {
    const auto found = objects_.find(path);
    if (found == objects_.end()) return;
    const auto properties = found->second.interfaces.find(interface);
    if (properties == found->second.interfaces.end()) return;
    for (const auto& [name, value] : changed) {
        // BlueZ keeps the one name of both advertisements that it heard last.
        const bool is_of_bluz = name == "Name" && value == Property{std::string{kBluzName}};
        if (is_of_bluz && properties->second.contains(name)) continue;
        properties->second[name] = value;
    }
    for (const std::string& name : invalidated) properties->second.erase(name);
}

std::vector<AdapterView> ObjectTree::adapters() const {
    std::vector<AdapterView> views;
    for (const auto& [path, object] : objects_) {
        const Properties* properties = find(path, kAdapter);
        if (properties == nullptr) continue;
        views.push_back({.path = path,
                         .serial = object.serial,
                         .is_powered = is_set(*properties, "Powered"),
                         .is_discovering = is_set(*properties, "Discovering")});
    }
    return views;
}

std::optional<DeviceView> ObjectTree::device(const Path& path) const {
    const Properties* properties = find(path, kDevice);
    if (properties == nullptr) return std::nullopt;
    auto view = view_of(path, *properties);
    if (view) view->serial = objects_.at(path).serial;
    return view;
}

bool ObjectTree::is_connected(const Path& path) const {
    const Properties* properties = find(path, kDevice);
    return properties != nullptr && is_set(*properties, "Connected");
}

std::vector<DeviceView> ObjectTree::devices() const {
    std::vector<DeviceView> views;
    for (const auto& [path, object] : objects_) {
        if (auto view = device(path)) views.push_back(*std::move(view));
    }
    return views;
}

std::optional<Characteristics> ObjectTree::characteristics(const Path& device,
                                                           framing::Service service) const {
    const ServiceUuids& uuids = uuids_of(service);
    const Path below = device + "/";
    Characteristics found;
    for (auto it = objects_.lower_bound(below); it != objects_.end(); ++it) {
        if (!it->first.starts_with(below)) break;
        const Properties* properties = find(it->first, kCharacteristic);
        if (properties == nullptr) continue;
        const std::string uuid = text(*properties, "UUID");
        if (uuid == uuids.from_device) found.from_device = it->first;
        if (uuid == uuids.to_device) found.to_device = it->first;
    }
    if (found.from_device.empty() || found.to_device.empty()) return std::nullopt;
    return found;
}

const Properties* ObjectTree::find(const Path& path, const char* interface) const {
    const auto object = objects_.find(path);
    if (object == objects_.end()) return nullptr;
    const Interfaces& interfaces = object->second.interfaces;
    const auto found = interfaces.find(interface);
    return found == interfaces.end() ? nullptr : &found->second;
}

const ServiceUuids& uuids_of(framing::Service service) {
    return service == framing::Service::Sotto ? kSottoUuids : kBluzUuids;
}

std::string name_of(const Path& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace sotto::air::bluez
