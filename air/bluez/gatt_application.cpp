// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/gatt_application.hpp"

#include <map>
#include <sys/socket.h>
#include <tuple>
#include <utility>

namespace sotto::air::bluez {

namespace {

using Options = std::map<std::string, sdbus::Variant>;
using Texts = std::vector<std::string>;

[[noreturn]] void refuse(const char* name, const char* why) {
    throw sdbus::Error(std::string{"org.bluez.Error."} + name, why);
}

// Ours, and the one for BlueZ.
std::pair<GattApplication::Offer, sdbus::UnixFd> make_sockets(const Options& options) {
    const auto device = options.find("device");
    const auto mtu = options.find("mtu");
    if (device == options.end() || mtu == options.end()) refuse("InvalidArguments", "no device");
    GattApplication::Offer offer{.device = device->second.get<sdbus::ObjectPath>(),
                                 .mtu = mtu->second.get<std::uint16_t>()};
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        refuse("Failed", "out of sockets");
    offer.socket = ends[0];
    return {offer, sdbus::UnixFd{ends[1], sdbus::adopt_fd}};
}

template <class T>
void set(sdbus::IObject& object, const char* interface, const char* name, T value) {
    object.registerProperty(name).onInterface(interface).withGetter(
        [value = std::move(value)] { return value; });
}

}  // namespace

GattApplication::GattApplication(sdbus::IConnection& connection,
                                 framing::Service service,
                                 const std::string& name,
                                 Host& host)
    : service_(service),
      paths_(paths_of(service)),
      uuids_(uuids_of(service)),
      name_(name),
      host_(host) {
    sdbus::IObject& root = add(connection, paths_.application);
    root.addObjectManager();
    root.finishRegistration();
    add_service(connection);
    add_from_device(connection);
    add_to_device(connection);
    add_advertisement(connection);
}

sdbus::IObject& GattApplication::add(sdbus::IConnection& connection, const std::string& path) {
    objects_.push_back(sdbus::createObject(connection, path));
    return *objects_.back();
}

void GattApplication::add_service(sdbus::IConnection& connection) {
    sdbus::IObject& service = add(connection, service_path());
    set(service, kGattService, "UUID", std::string{uuids_.service});
    set(service, kGattService, "Primary", true);
    service.finishRegistration();
}

void GattApplication::add_from_device(sdbus::IConnection& connection) {
    sdbus::IObject& object = add(connection, service_path() + "/from_device");
    set(object, kCharacteristic, "UUID", std::string{uuids_.from_device});
    set(object, kCharacteristic, "Service", sdbus::ObjectPath{service_path()});
    set(object, kCharacteristic, "Flags", Texts{"notify"});
    set(object, kCharacteristic, "NotifyAcquired", false);
    object.registerMethod("AcquireNotify")
        .onInterface(kCharacteristic)
        .implementedAs([this](const Options& options) {
            auto [offer, theirs] = make_sockets(options);
            if (!host_.may_subscribe(offer.device)) {
                const sdbus::UnixFd closed{offer.socket, sdbus::adopt_fd};
                refuse("InProgress", "another central holds it");
            }
            host_.on_subscribed(offer);
            return std::make_tuple(theirs, offer.mtu);
        });
    object.finishRegistration();
}

void GattApplication::add_to_device(sdbus::IConnection& connection) {
    sdbus::IObject& object = add(connection, service_path() + "/to_device");
    set(object, kCharacteristic, "UUID", std::string{uuids_.to_device});
    set(object, kCharacteristic, "Service", sdbus::ObjectPath{service_path()});
    // Of bluz some centrals wait for an answer, and both come through the same socket.
    Texts flags{"write-without-response"};
    if (service_ == framing::Service::Bluz) flags.emplace_back("write");
    set(object, kCharacteristic, "Flags", flags);
    set(object, kCharacteristic, "WriteAcquired", false);
    object.registerMethod("AcquireWrite")
        .onInterface(kCharacteristic)
        .implementedAs([this](const Options& options) {
            auto [offer, theirs] = make_sockets(options);
            host_.on_writer(offer);
            return std::make_tuple(theirs, offer.mtu);
        });
    object.finishRegistration();
}

void GattApplication::add_advertisement(sdbus::IConnection& connection) {
    sdbus::IObject& object = add(connection, paths_.advertisement);
    set(object, kAdvertisement, "Type", std::string{"peripheral"});
    set(object, kAdvertisement, "ServiceUUIDs", Texts{uuids_.service});
    object.registerProperty("LocalName").onInterface(kAdvertisement).withGetter([this] {
        return name_;
    });
    object.registerMethod("Release").onInterface(kAdvertisement).implementedAs([this] {
        host_.on_released();
    });
    object.finishRegistration();
}

}  // namespace sotto::air::bluez
