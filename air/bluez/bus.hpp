// SPDX-License-Identifier: Apache-2.0
// The system's D-Bus with BlueZ on it, in an event loop: what there is (ObjectTree) and calls. When
// bus or BlueZ go, nothing is there until they are back; objects have new serials then. Allocates;
// blocks for the moment in which a connection is opened. Everything happens in the thread that runs
// the io_context; who listens must live as long as the bus, or leave.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sdbus-c++/sdbus-c++.h>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "air/bluez/object_tree.hpp"
#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace sotto::air::bluez {

using VariantMap = std::map<std::string, sdbus::Variant>;

class Bus {
  public:
    class Listener {
      public:
        // There is a connection, BlueZ may be there or not: export objects.
        virtual void on_bus_up(sdbus::IConnection& /*connection*/) {}
        // The connection goes: forget what belongs to it.
        virtual void on_bus_down() {}
        // Something is there that was not, or has changed, or is gone; and a tick of the clock.
        virtual void on_objects() = 0;

      protected:
        ~Listener() = default;
    };

    // `address` of a bus; empty: the system's.
    explicit Bus(boost::asio::io_context& loop, std::string address = {});
    ~Bus();
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;

    void listen(Listener& listener);
    void leave(Listener& listener);

    const ObjectTree& objects() const { return objects_; }
    bool is_connected() const { return connection_ != nullptr; }
    // Why nothing of BlueZ is seen, for an operator; empty while it is.
    const std::string& outage() const { return outage_; }
    Instant now() const;

    // The name of an error, empty if there was none. Not called if the bus goes.
    using Done = std::function<void(const std::string& error)>;
    using Acquired =
        std::function<void(const std::string& error, sdbus::UnixFd fd, std::uint16_t mtu)>;
    // The value of a characteristic that is notified by signals.
    using Notified = std::function<void(Bytes value)>;

    template <class... Args>
    void call(const Path& path,
              const char* interface,
              const char* method,
              Done done,
              std::chrono::seconds limit,
              const Args&... arguments);
    void power_on(const Path& adapter, Done done);
    void acquire(const Path& characteristic, const char* method, Acquired acquired);
    // Nothing: no more.
    void set_notified(const Path& characteristic, Notified notified);

  private:
    struct Peer {
        std::unique_ptr<sdbus::IProxy> proxy;
        std::size_t calls = 0;
    };
    // A call to an object; whoever ends it says so. Null if there is no connection.
    Peer* begin_call(const Path& path);
    void end_call(const Path& path);
    void fail_later(std::function<void()> fail);

    void connect();
    void connect_later();
    void drop();
    void watch();
    void dispatch();
    void arm();
    void dispatch_soon();
    void fetch_objects();
    void fetch_later(const sdbus::Error& error);
    void notify();
    void take(sdbus::Message& message, void (Bus::*handler)(sdbus::Message&));
    void on_signal(sdbus::Message& message);
    void on_owner(sdbus::Message& message);
    void on_value(const Path& path, const VariantMap& changed);
    void prune();
    void tick();

    boost::asio::io_context& loop_;
    std::string address_;
    boost::asio::steady_timer timer_;
    boost::asio::steady_timer sd_timer_;
    boost::asio::steady_timer reconnect_;
    boost::asio::steady_timer refetch_;
    std::unique_ptr<sdbus::IConnection> connection_;
    std::vector<sdbus::Slot> slots_;
    std::optional<boost::asio::posix::stream_descriptor> descriptor_;
    std::map<Path, Peer> peers_;
    std::map<Path, Notified> notified_;
    ObjectTree objects_;
    bool has_objects_ = false;
    std::string outage_{};
    bool has_changed_ = false;
    bool is_reading_ = false;
    bool is_writing_ = false;
    bool is_dispatch_due_ = false;
    std::vector<Listener*> listeners_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

template <class... Args>
void Bus::call(const Path& path,
               const char* interface,
               const char* method,
               Done done,
               std::chrono::seconds limit,
               const Args&... arguments) {
    Peer* peer = begin_call(path);
    if (peer == nullptr) return;
    try {
        peer->proxy->callMethodAsync(method)
            .onInterface(interface)
            .withTimeout(limit)
            .withArguments(arguments...)
            .uponReplyInvoke([this, path, done](const sdbus::Error* error) {
                end_call(path);
                done(error == nullptr ? "" : error->getName());
            });
    } catch (const sdbus::Error& error) {
        fail_later([this, path, done, name = error.getName()] {
            end_call(path);
            done(name);
        });
    }
}

}  // namespace sotto::air::bluez
