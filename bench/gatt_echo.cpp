// SPDX-License-Identifier: Apache-2.0
#include "bench/gatt_echo.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <poll.h>
#include <sdbus-c++/sdbus-c++.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <vector>

namespace sotto::bench {
namespace {

using Options = std::map<std::string, sdbus::Variant>;
using Texts = std::vector<std::string>;
using Objects = std::map<sdbus::ObjectPath, std::map<std::string, Options>>;

constexpr const char* kBluez = "org.bluez";
constexpr const char* kServiceInterface = "org.bluez.GattService1";
constexpr const char* kCharacteristicInterface = "org.bluez.GattCharacteristic1";
constexpr const char* kService = "5f0e0001-5a0d-4f1c-9c1e-0f2d1b7a6c00";
constexpr const char* kThere = "5f0e0002-5a0d-4f1c-9c1e-0f2d1b7a6c00";
constexpr const char* kBack = "5f0e0003-5a0d-4f1c-9c1e-0f2d1b7a6c00";
constexpr const char* kRoot = "/echo";
constexpr std::size_t kValueSizeMax = 510;  // that bluetoothd takes as a server
constexpr std::size_t kAttHeaderSize = 3;
constexpr int kPatienceMs = 10'000;

bool wait_for(int socket, std::int16_t event, int limit) {
    pollfd waited{.fd = socket, .events = event, .revents = 0};
    return ::poll(&waited, 1, limit) > 0;
}

std::size_t receive(int socket, std::array<std::uint8_t, 512>& value, int limit) {
    wait_for(socket, POLLIN, limit);
    return static_cast<std::size_t>(
        std::max<ssize_t>(0, ::recv(socket, value.data(), value.size(), 0)));
}

void send(int socket, const std::uint8_t* value, std::size_t size) {
    wait_for(socket, POLLOUT, kPatienceMs);
    if (::send(socket, value, size, MSG_NOSIGNAL) < 0)
        throw std::runtime_error{"the echo's link has ended"};
}

// Ours, and the one for BlueZ.
std::pair<int, sdbus::UnixFd> make_sockets() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        throw sdbus::Error("org.bluez.Error.Failed", "out of sockets");
    return {ends[0], sdbus::UnixFd{ends[1], sdbus::adopt_fd}};
}

void send_back(int from, int to) {
    std::array<std::uint8_t, 512> value{};
    while (const std::size_t size = receive(from, value, -1)) {
        if (::send(to, value.data(), size, MSG_NOSIGNAL) < 0) break;
    }
    ::close(from);
    ::close(to);
}

template <class T>
void set(sdbus::IObject& object, const char* interface, const char* name, T value) {
    object.registerProperty(name).onInterface(interface).withGetter([value] { return value; });
}

std::unique_ptr<sdbus::IObject> offer_characteristic(
    sdbus::IConnection& bus,
    const char* uuid,
    const char* flag,
    const char* method,
    std::function<std::tuple<sdbus::UnixFd, std::uint16_t>(const Options&)> acquire) {
    auto object = sdbus::createObject(bus, std::string{kRoot} + "/service/" + flag[0]);
    set(*object, kCharacteristicInterface, "UUID", std::string{uuid});
    set(*object,
        kCharacteristicInterface,
        "Service",
        sdbus::ObjectPath{std::string{kRoot} + "/service"});
    set(*object, kCharacteristicInterface, "Flags", Texts{flag});
    const std::string acquired = flag[0] == 'n' ? "NotifyAcquired" : "WriteAcquired";
    set(*object, kCharacteristicInterface, acquired.c_str(), false);
    object->registerMethod(method)
        .onInterface(kCharacteristicInterface)
        .implementedAs(std::move(acquire));
    object->finishRegistration();
    return object;
}

// The characteristic of this UUID that somebody else's device has, in the form of BlueZ's objects.
sdbus::ObjectPath find(const Objects& objects, const std::string& uuid) {
    for (const auto& [path, interfaces] : objects) {
        const auto found = interfaces.find(kCharacteristicInterface);
        if (found != interfaces.end() && found->second.at("UUID").get<std::string>() == uuid)
            return path;
    }
    throw std::runtime_error{"no device with an echo is connected"};
}

std::pair<int, std::uint16_t> acquire(sdbus::IConnection& bus,
                                      const sdbus::ObjectPath& path,
                                      const char* method) {
    sdbus::UnixFd socket;
    std::uint16_t mtu = 0;
    sdbus::createProxy(bus, kBluez, path)
        ->callMethod(method)
        .onInterface(kCharacteristicInterface)
        .withArguments(Options{})
        .storeResultsTo(socket, mtu);
    return {socket.release(), mtu};
}

}  // namespace

void serve_echo(const std::string& adapter) {
    const auto bus = sdbus::createSystemBusConnection();
    int back = -1;
    const auto root = sdbus::createObject(*bus, kRoot);
    root->addObjectManager();
    root->finishRegistration();
    const auto service = sdbus::createObject(*bus, std::string{kRoot} + "/service");
    set(*service, kServiceInterface, "UUID", std::string{kService});
    set(*service, kServiceInterface, "Primary", true);
    service->finishRegistration();
    const auto notified =
        offer_characteristic(*bus, kBack, "notify", "AcquireNotify", [&](const Options& options) {
            auto [ours, theirs] = make_sockets();
            back = ours;
            return std::make_tuple(theirs, options.at("mtu").get<std::uint16_t>());
        });
    const auto written = offer_characteristic(
        *bus, kThere, "write-without-response", "AcquireWrite", [&](const Options& options) {
            auto [ours, theirs] = make_sockets();
            std::thread{send_back, ours, back}.detach();
            return std::make_tuple(theirs, options.at("mtu").get<std::uint16_t>());
        });
    bus->enterEventLoopAsync();
    sdbus::createProxy(*bus, kBluez, "/org/bluez/" + adapter)
        ->callMethod("RegisterApplication")
        .onInterface("org.bluez.GattManager1")
        .withArguments(sdbus::ObjectPath{kRoot}, Options{});
    std::puts("the echo is there");
    std::fflush(stdout);
    for (;;) ::pause();
}

Echo::Echo() : bus_(sdbus::createSystemBusConnection()) {
    Objects objects;
    sdbus::createProxy(*bus_, kBluez, "/")
        ->callMethod("GetManagedObjects")
        .onInterface("org.freedesktop.DBus.ObjectManager")
        .storeResultsTo(objects);
    std::uint16_t mtu = 0;
    std::tie(reader_, mtu) = acquire(*bus_, find(objects, kBack), "AcquireNotify");
    std::tie(writer_, mtu) = acquire(*bus_, find(objects, kThere), "AcquireWrite");
    value_size_ = std::min<std::size_t>(mtu - kAttHeaderSize, kValueSizeMax);
}

Echo::~Echo() {
    ::close(writer_);
    ::close(reader_);
}

void Echo::round_trip(std::size_t size) const {
    std::array<std::uint8_t, 512> value{};
    for (std::size_t sent = 0; sent < size; sent += value_size_)
        send(writer_, value.data(), std::min(value_size_, size - sent));
    for (std::size_t received = 0; received < size;) {
        const std::size_t count = receive(reader_, value, kPatienceMs);
        if (count == 0) throw std::runtime_error{"the echo does not answer"};
        received += count;
    }
}

}  // namespace sotto::bench
