// SPDX-License-Identifier: Apache-2.0
// What BlueZ is offered of a device: a service with its two characteristics, which it acquires
// sockets of, and the advertisement. On one connection to the bus.
#pragma once

#include <cstdint>
#include <memory>
#include <sdbus-c++/sdbus-c++.h>
#include <string>
#include <vector>

#include "air/bluez/object_tree.hpp"

namespace sotto::air::bluez {

class GattApplication {
  public:
    // Where they are on the bus: those of both services may be there at the same time.
    struct Paths {
        const char* application;
        const char* advertisement;
    };
    static constexpr Paths paths_of(framing::Service service) {
        if (service == framing::Service::Sotto)
            return {"/org/sotto/application", "/org/sotto/advertisement"};
        return {"/org/sotto/bluz_application", "/org/sotto/bluz_advertisement"};
    }

    // A socket for the values of one central; BlueZ has the other end.
    struct Offer {
        Path device;
        std::uint16_t mtu = 0;
        int socket = -1;  // to be closed by who takes it
    };
    class Host {
      public:
        // False: it is held by another one.
        virtual bool may_subscribe(const Path& device) = 0;
        virtual void on_subscribed(const Offer& offer) = 0;
        virtual void on_writer(const Offer& offer) = 0;
        // BlueZ advertises no more.
        virtual void on_released() = 0;

      protected:
        ~Host() = default;
    };

    GattApplication(sdbus::IConnection& connection,
                    framing::Service service,
                    const std::string& name,
                    Host& host);

    // Of the next advertisement.
    void set_name(const std::string& name) { name_ = name; }

  private:
    sdbus::IObject& add(sdbus::IConnection& connection, const std::string& path);
    void add_service(sdbus::IConnection& connection);
    void add_from_device(sdbus::IConnection& connection);
    void add_to_device(sdbus::IConnection& connection);
    void add_advertisement(sdbus::IConnection& connection);
    std::string service_path() const { return std::string{paths_.application} + "/service"; }

    framing::Service service_;
    Paths paths_;
    ServiceUuids uuids_;
    std::string name_;
    Host& host_;
    std::vector<std::unique_ptr<sdbus::IObject>> objects_;
};

}  // namespace sotto::air::bluez
