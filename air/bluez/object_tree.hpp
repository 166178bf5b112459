// SPDX-License-Identifier: Apache-2.0
// What BlueZ says there is: adapters, devices and their characteristics, kept up from its signals.
// Nothing of what devices say of themselves is proved. No D-Bus here. Allocates, within
// kObjectsMax.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "air/bluez/names.hpp"
#include "core/framing/air_operation.hpp"

namespace sotto::air::bluez {

using Path = std::string;  // of an object
using Property = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;
using Properties = std::map<std::string, Property>;
using Interfaces = std::map<std::string, Properties>;

// A device that has a service of ours.
struct DeviceView {
    Path path{};
    std::uint64_t serial = 0;  // another one of the same path has another
    Path adapter{};
    std::string address{};
    std::string name{};  // empty unless it can be shown
    framing::Service service = framing::Service::Sotto;
    std::optional<std::int64_t> rssi{};  // in dBm; nothing: not heard of late
    bool is_paired = false;              // by somebody: we do not
    bool is_connected = false;
    bool is_resolved = false;  // its services are known
};

struct AdapterView {
    Path path{};
    std::uint64_t serial = 0;
    bool is_powered = false;
    bool is_discovering = false;
};

// Of one service of a connected device.
struct Characteristics {
    Path from_device;
    Path to_device;
};

class ObjectTree {
  public:
    void on_added(const Path& path, const Interfaces& interfaces);
    void on_removed(const Path& path, const std::vector<std::string>& interfaces);
    void on_changed(const Path& path,
                    const std::string& interface,
                    const Properties& changed,
                    const std::vector<std::string>& invalidated);
    void clear() { objects_.clear(); }

    bool contains(const Path& path) const { return objects_.contains(path); }
    std::vector<AdapterView> adapters() const;
    // Of any device.
    bool is_connected(const Path& path) const;
    // Nothing if it is none of ours.
    std::optional<DeviceView> device(const Path& path) const;
    std::vector<DeviceView> devices() const;
    // Paths change when a device begins anew: look them up after each connection.
    std::optional<Characteristics> characteristics(const Path& device,
                                                   framing::Service service) const;

  private:
    struct Object {
        std::uint64_t serial = 0;
        Interfaces interfaces;
    };
    const Properties* find(const Path& path, const char* interface) const;

    std::map<Path, Object> objects_;
    std::uint64_t newest_ = 0;
};

const ServiceUuids& uuids_of(framing::Service service);

// The last part of a path: hci0, or dev_...
std::string name_of(const Path& path);

}  // namespace sotto::air::bluez
