// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/bus.hpp"

#include <algorithm>
#include <poll.h>
#include <tuple>
#include <utility>

#include <boost/asio/post.hpp>

#include "air/bluez/limits.hpp"

namespace sotto::air::bluez {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

constexpr const char* kBluezSignals = "type='signal',sender='org.bluez'";
constexpr const char* kOwnerSignals =
    "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
    "member='NameOwnerChanged',arg0='org.bluez'";
constexpr std::chrono::seconds kReconnectDelay{1};
constexpr std::chrono::milliseconds kRefetchDelay{200};
constexpr std::chrono::seconds kCallLimit{10};

using InterfaceMap = std::map<std::string, VariantMap>;
using ObjectMap = std::map<sdbus::ObjectPath, InterfaceMap>;

template <class T>
std::optional<Property> number(const sdbus::Variant& value) {
    return Property{static_cast<std::int64_t>(value.get<T>())};
}

// What is of no use here is left out.
std::optional<Property> property_of(const sdbus::Variant& value) {
    const std::string type = value.peekValueType();
    if (type == "b") return Property{value.get<bool>()};
    if (type == "n") return number<std::int16_t>(value);
    if (type == "q") return number<std::uint16_t>(value);
    if (type == "s") return Property{value.get<std::string>()};
    if (type == "o") return Property{std::string{value.get<sdbus::ObjectPath>()}};
    if (type == "as") return Property{value.get<std::vector<std::string>>()};
    return std::nullopt;
}

Properties properties_of(const VariantMap& values) {
    Properties properties;
    for (const auto& [name, value] : values) {
        if (auto property = property_of(value)) properties.emplace(name, *std::move(property));
    }
    return properties;
}

Interfaces interfaces_of(const InterfaceMap& map) {
    Interfaces interfaces;
    for (const auto& [name, values] : map) interfaces.emplace(name, properties_of(values));
    return interfaces;
}

constexpr const char* kNotRunning = "BlueZ does not run (bluetoothd)";

std::string words_of(const sdbus::Error& error) {
    return error.getName() + ": " + error.getMessage();
}

}  // namespace

Bus::Bus(asio::io_context& loop, std::string address)
    : loop_(loop),
      address_(std::move(address)),
      timer_(loop),
      sd_timer_(loop),
      reconnect_(loop),
      refetch_(loop) {
    asio::post(loop_, [this, alive = std::weak_ptr{is_alive_}] {
        if (alive.expired()) return;
        connect();
        tick();
    });
}

Bus::~Bus() {
    listeners_.clear();
    drop();
}

void Bus::listen(Listener& listener) {
    listeners_.push_back(&listener);
    if (connection_) listener.on_bus_up(*connection_);
}

void Bus::leave(Listener& listener) { std::erase(listeners_, &listener); }

Instant Bus::now() const {
    const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::milliseconds>(since_start).count()};
}

void Bus::power_on(const Path& adapter, Done done) {
    call(adapter,
         kProperties,
         "Set",
         std::move(done),
         kCallLimit,
         std::string{kAdapter},
         std::string{"Powered"},
         sdbus::Variant{true});
}

void Bus::acquire(const Path& characteristic, const char* method, Acquired acquired) {
    Peer* peer = begin_call(characteristic);
    if (peer == nullptr) return;
    try {
        peer->proxy->callMethodAsync(method)
            .onInterface(kCharacteristic)
            .withTimeout(kCallLimit)
            .withArguments(VariantMap{})
            .uponReplyInvoke([this, characteristic, acquired](const sdbus::Error* error,
                                                              const sdbus::UnixFd& fd,
                                                              const std::uint16_t& mtu) {
                end_call(characteristic);
                acquired(error == nullptr ? "" : error->getName(), fd, mtu);
            });
    } catch (const sdbus::Error& error) {
        fail_later([this, characteristic, acquired, name = error.getName()] {
            end_call(characteristic);
            acquired(name, {}, 0);
        });
    }
}

void Bus::set_notified(const Path& characteristic, Notified notified) {
    if (notified) {
        notified_[characteristic] = std::move(notified);
    } else {
        notified_.erase(characteristic);
    }
}

Bus::Peer* Bus::begin_call(const Path& path) {
    if (!connection_) return nullptr;
    Peer& peer = peers_[path];
    if (!peer.proxy) peer.proxy = sdbus::createProxy(*connection_, kBluez, path);
    ++peer.calls;
    dispatch_soon();
    return &peer;
}

void Bus::end_call(const Path& path) {
    const auto found = peers_.find(path);
    if (found != peers_.end() && found->second.calls > 0) --found->second.calls;
}

void Bus::fail_later(std::function<void()> fail) {
    asio::post(loop_, [alive = std::weak_ptr{is_alive_}, fail = std::move(fail)] {
        if (!alive.expired()) fail();
    });
}

void Bus::connect() {
    try {
        connection_ = address_.empty() ? sdbus::createSystemBusConnection()
                                       : sdbus::createSessionBusConnectionWithAddress(address_);
        slots_.push_back(connection_->addMatch(
            kBluezSignals, [this](sdbus::Message& message) { take(message, &Bus::on_signal); }));
        slots_.push_back(connection_->addMatch(
            kOwnerSignals, [this](sdbus::Message& message) { take(message, &Bus::on_owner); }));
        descriptor_.emplace(loop_, connection_->getEventLoopPollData().fd);
        for (Listener* listener : std::vector{listeners_}) listener->on_bus_up(*connection_);
    } catch (const sdbus::Error& error) {
        drop();
        outage_ = "D-Bus cannot be reached: " + words_of(error);
        return connect_later();
    }
    fetch_objects();
    dispatch();
}

void Bus::connect_later() {
    reconnect_.expires_after(kReconnectDelay);
    reconnect_.async_wait([this](error_code error) {
        if (!error) connect();
    });
}

// Not from within a callback of the connection.
void Bus::drop() {
    if (descriptor_) descriptor_->release();
    descriptor_.reset();
    is_reading_ = false;
    is_writing_ = false;
    sd_timer_.cancel();
    refetch_.cancel();
    for (Listener* listener : std::vector{listeners_}) listener->on_bus_down();
    peers_.clear();
    slots_.clear();
    connection_.reset();
    objects_.clear();
    has_objects_ = false;
    outage_ = "D-Bus is gone";
    notify();
}

void Bus::dispatch() {
    is_dispatch_due_ = false;
    if (!connection_) return;
    try {
        while (connection_->processPendingRequest()) {
        }
        arm();
    } catch (const sdbus::Error&) {
        drop();
        return connect_later();
    }
    if (std::exchange(has_changed_, false)) notify();
    prune();
}

void Bus::arm() {
    const auto poll = connection_->getEventLoopPollData();
    using Wait = asio::posix::stream_descriptor;
    if (!std::exchange(is_reading_, true)) {
        descriptor_->async_wait(Wait::wait_read, [this](error_code error) {
            if (error) return;
            is_reading_ = false;
            dispatch();
        });
    }
    if ((poll.events & POLLOUT) != 0 && !std::exchange(is_writing_, true)) {
        descriptor_->async_wait(Wait::wait_write, [this](error_code error) {
            if (error) return;
            is_writing_ = false;
            dispatch();
        });
    }
    const auto left = poll.getRelativeTimeout();
    if (!left) return;
    sd_timer_.expires_after(*left);
    sd_timer_.async_wait([this](error_code error) {
        if (!error) dispatch();
    });
}

void Bus::dispatch_soon() {
    if (std::exchange(is_dispatch_due_, true)) return;
    asio::post(loop_, [this, alive = std::weak_ptr{is_alive_}] {
        if (!alive.expired()) dispatch();
    });
}

void Bus::fetch_objects() {
    Peer* peer = begin_call("/");
    if (peer == nullptr) return;
    try {
        peer->proxy->callMethodAsync("GetManagedObjects")
            .onInterface(kObjectManager)
            .withTimeout(kCallLimit)
            .uponReplyInvoke([this](const sdbus::Error* error, const ObjectMap& objects) {
                end_call("/");
                objects_.clear();
                has_changed_ = true;
                has_objects_ = error == nullptr;
                if (error != nullptr) return fetch_later(*error);
                outage_.clear();
                for (const auto& [path, interfaces] : objects)
                    objects_.on_added(path, interfaces_of(interfaces));
            });
    } catch (const sdbus::Error&) {
        end_call("/");
    }
}

// Nobody has the name: whoever takes it will be asked. Else he has not begun to answer.
void Bus::fetch_later(const sdbus::Error& error) {
    outage_ = kNotRunning;
    const std::string& name = error.getName();
    if (name.ends_with(".ServiceUnknown") || name.ends_with(".NameHasNoOwner")) return;
    outage_ = "BlueZ does not answer: " + words_of(error);
    refetch_.expires_after(kRefetchDelay);
    refetch_.async_wait([this](error_code cancelled) {
        if (!cancelled && !has_objects_) fetch_objects();
    });
}

void Bus::notify() {
    for (Listener* listener : std::vector{listeners_}) {
        const bool is_here =
            std::find(listeners_.begin(), listeners_.end(), listener) != listeners_.end();
        if (is_here) listener->on_objects();
    }
}

// What is not as the API says is dropped.
void Bus::take(sdbus::Message& message, void (Bus::*handler)(sdbus::Message&)) {
    try {
        (this->*handler)(message);
    } catch (const sdbus::Error&) {
        has_changed_ = true;
    }
}

void Bus::on_signal(sdbus::Message& message) {
    const std::string member = message.getMemberName();
    const std::string interface = message.getInterfaceName();
    if (interface == kProperties && member == "PropertiesChanged") {
        std::string of;
        VariantMap changed;
        std::vector<std::string> invalidated;
        message >> of >> changed >> invalidated;
        if (of == kCharacteristic) on_value(message.getPath(), changed);
        objects_.on_changed(message.getPath(), of, properties_of(changed), invalidated);
    } else if (interface == kObjectManager && member == "InterfacesAdded") {
        sdbus::ObjectPath path;
        InterfaceMap interfaces;
        message >> path >> interfaces;
        // What came before the answer about all is in that.
        if (has_objects_) objects_.on_added(path, interfaces_of(interfaces));
    } else if (interface == kObjectManager && member == "InterfacesRemoved") {
        sdbus::ObjectPath path;
        std::vector<std::string> interfaces;
        message >> path >> interfaces;
        objects_.on_removed(path, interfaces);
    }
    has_changed_ = true;
}

void Bus::on_owner(sdbus::Message& message) {
    std::string name;
    std::string before;
    std::string after;
    message >> name >> before >> after;
    objects_.clear();
    has_objects_ = false;
    has_changed_ = true;
    if (after.empty()) {
        outage_ = kNotRunning;
    } else {
        fetch_objects();
    }
}

void Bus::on_value(const Path& path, const VariantMap& changed) {
    const auto found = notified_.find(path);
    const auto value = changed.find("Value");
    if (found == notified_.end() || value == changed.end()) return;
    if (value->second.peekValueType() != "ay") return;
    const auto bytes = value->second.get<std::vector<std::uint8_t>>();
    const Notified notified = found->second;  // it may be taken out
    notified(bytes);
}

// Of objects that are gone.
void Bus::prune() {
    if (peers_.size() <= kIdleProxiesMax) return;
    std::erase_if(peers_, [this](const auto& item) {
        return item.second.calls == 0 && !objects_.contains(item.first);
    });
}

void Bus::tick() {
    timer_.expires_after(std::chrono::milliseconds{kTick.ms});
    timer_.async_wait([this](error_code error) {
        if (error) return;
        notify();
        tick();
    });
}

}  // namespace sotto::air::bluez
