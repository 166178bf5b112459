// SPDX-License-Identifier: Apache-2.0
// The edge to D-Bus, against a BlueZ that does as it is told, on a bus of its own.
#include "air/bluez/bus.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "air/bluez/bluez_central.hpp"
#include "air/bluez/bluez_peripheral.hpp"
#include "air/bluez/gatt_application.hpp"
#include "core/framing/frame.hpp"

extern char** environ;

namespace sotto::air::bluez {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Buffer = std::vector<std::uint8_t>;

const std::string kHci0 = "/org/bluez/hci0";
const std::string kLamp = kHci0 + "/dev_00_AA_01_00_00_00";
const std::string kFrom = kLamp + "/service0001/char0002";
const std::string kTo = kLamp + "/service0001/char0004";
constexpr auto kPaths = GattApplication::paths_of(framing::Service::Sotto);

class BusDaemon {
  public:
    explicit BusDaemon(const std::filesystem::path& folder)
        : socket_(folder / "bus"), config_(folder / "bus.conf") {
        std::ofstream{config_} << "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus "
                                  "Configuration 1.0//EN\" \"http://www.freedesktop.org/standards/"
                                  "dbus/1.0/busconfig.dtd\"><busconfig><listen>unix:path="
                               << socket_.string()
                               << "</listen><policy context=\"default\"><allow user=\"*\"/>"
                                  "<allow own=\"*\"/><allow send_destination=\"*\"/>"
                                  "<allow receive_sender=\"*\"/></policy></busconfig>";
        start();
    }
    ~BusDaemon() { stop(); }
    BusDaemon(const BusDaemon&) = delete;
    BusDaemon& operator=(const BusDaemon&) = delete;

    std::string address() const { return "unix:path=" + socket_.string(); }
    void start() {
        std::filesystem::remove(socket_);
        std::string program = "dbus-daemon";
        std::string config = "--config-file=" + config_.string();
        std::string mode = "--nofork";
        std::array<char*, 4> words{program.data(), config.data(), mode.data(), nullptr};
        const int failed =
            ::posix_spawnp(&process_, "dbus-daemon", nullptr, nullptr, words.data(), environ);
        ASSERT_EQ(failed, 0) << "dbus-daemon is missing";
        for (int i = 0; i < 500 && !std::filesystem::exists(socket_); ++i)
            std::this_thread::sleep_for(10ms);
    }
    void stop() {
        if (process_ <= 0) return;
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
        process_ = -1;
    }

  private:
    std::filesystem::path socket_;
    std::filesystem::path config_;
    pid_t process_ = -1;
};

// One adapter and a device, in a thread of its own.
class FakeBluez {
  public:
    // What it answers instead, by method: the name of an error.
    using Errors = std::map<std::string, std::string>;

    // `has_both`: the device has the bluz service too, and was heard by that advertisement alone.
    FakeBluez(const std::string& address,
              Errors errors,
              std::string name = "lamp",
              bool has_both = false)
        : errors_(std::move(errors)),
          name_(std::move(name)),
          has_both_(has_both),
          connection_(sdbus::createSessionBusConnectionWithAddress(address)) {
        root_ = sdbus::createObject(*connection_, "/");
        root_->addObjectManager();
        root_->finishRegistration();
        add_adapter();
        add_device();
        add_characteristics();
        connection_->requestName("org.bluez");
        turning_ = std::thread{[this] {
            try {
                connection_->enterEventLoop();
            } catch (const sdbus::Error&) {
                // its bus has gone
            }
        }};
    }
    ~FakeBluez() {
        connection_->leaveEventLoop();
        turning_.join();
        if (notify_socket_ >= 0) ::close(notify_socket_);
        if (write_socket_ >= 0) ::close(write_socket_);
    }
    FakeBluez(const FakeBluez&) = delete;
    FakeBluez& operator=(const FakeBluez&) = delete;

    std::size_t calls(const std::string& method) {
        const std::lock_guard lock{mutex_};
        return calls_[method];
    }
    std::vector<Buffer> written() {
        const std::lock_guard lock{mutex_};
        return written_;
    }
    // Somebody else connects the device, or lets it go.
    void set_connected(bool is_connected) {
        is_connected_ = is_connected;
        device_->emitPropertiesChangedSignal(kDevice, {"Connected", "ServicesResolved"});
    }
    // A central subscribes, as BlueZ says it.
    void subscribe() {
        const std::string path = std::string{kPaths.application} + "/service/from_device";
        subscriber_ = sdbus::createProxy(*connection_, application_, path);
        const VariantMap options{{"device", sdbus::Variant{sdbus::ObjectPath{kLamp}}},
                                 {"mtu", sdbus::Variant{std::uint16_t{100}}}};
        subscriber_->callMethodAsync("AcquireNotify")
            .onInterface(kCharacteristic)
            .withArguments(options)
            .uponReplyInvoke([this](const sdbus::Error* error,
                                    const sdbus::UnixFd& fd,
                                    const std::uint16_t& /*mtu*/) {
                if (error == nullptr) subscription_ = ::dup(fd.get());
            });
    }
    // It writes a value, through a socket of its own.
    void write(const Buffer& value) {
        const std::string path = std::string{kPaths.application} + "/service/to_device";
        writer_ = sdbus::createProxy(*connection_, application_, path);
        const VariantMap options{{"device", sdbus::Variant{sdbus::ObjectPath{kLamp}}},
                                 {"mtu", sdbus::Variant{std::uint16_t{100}}}};
        writer_->callMethodAsync("AcquireWrite")
            .onInterface(kCharacteristic)
            .withArguments(options)
            .uponReplyInvoke([this, value](const sdbus::Error* /*error*/,
                                           const sdbus::UnixFd& fd,
                                           const std::uint16_t& /*mtu*/) {
                written_to_ = ::dup(fd.get());
                (void)::send(written_to_, value.data(), value.size(), MSG_NOSIGNAL);
            });
    }
    void unsubscribe() { ::close(subscription_.exchange(-1)); }
    bool is_subscribed() const { return subscription_ >= 0; }
    // The names that were advertised, one after the other; empty: nothing was.
    std::vector<std::string> advertised() {
        const std::lock_guard lock{mutex_};
        return advertised_;
    }
    // A notification, through socket or signal.
    void notify(const Buffer& value) {
        if (notify_socket_ >= 0) {
            (void)::send(notify_socket_, value.data(), value.size(), MSG_NOSIGNAL);
            return;
        }
        const VariantMap changed{{"Value", sdbus::Variant{value}}};
        from_->emitSignal("PropertiesChanged")
            .onInterface(kProperties)
            .withArguments(std::string{kCharacteristic}, changed, std::vector<std::string>{});
    }
    int write_socket() const { return write_socket_; }

  private:
    // Counts a call, and fails it if that was asked for.
    void on_call(const std::string& method) {
        const std::lock_guard lock{mutex_};
        ++calls_[method];
        const auto found = errors_.find(method);
        if (found != errors_.end()) throw sdbus::Error(found->second, "as told");
    }
    void set(sdbus::IObject& object, const char* interface, const char* name, auto value) {
        object.registerProperty(name).onInterface(interface).withGetter([value] { return value; });
    }
    void answer(sdbus::IObject& object, const char* interface, const char* method) {
        object.registerMethod(method).onInterface(interface).implementedAs(
            [this, method] { on_call(method); });
    }

    void add_adapter() {
        adapter_ = sdbus::createObject(*connection_, kHci0);
        adapter_->registerProperty("Powered")
            .onInterface(kAdapter)
            .withGetter([this] { return is_powered_.load(); })
            .withSetter([this](const bool& value) {
                on_call("Powered");
                is_powered_ = value;
                adapter_->emitPropertiesChangedSignal(kAdapter, {"Powered"});
            });
        set(*adapter_, kAdapter, "Discovering", true);
        adapter_->registerMethod("SetDiscoveryFilter")
            .onInterface(kAdapter)
            .implementedAs([this](const VariantMap&) { on_call("SetDiscoveryFilter"); });
        answer(*adapter_, kAdapter, "StartDiscovery");
        adapter_->registerMethod("RegisterApplication")
            .onInterface(kGattManager)
            .implementedAs([this](const sdbus::ObjectPath&, const VariantMap&) {
                on_call("RegisterApplication");
            });
        adapter_->registerMethod("UnregisterApplication")
            .onInterface(kGattManager)
            .implementedAs([this](const sdbus::ObjectPath&) { on_call("UnregisterApplication"); });
        adapter_->registerMethod("RegisterAdvertisement")
            .onInterface(kAdvertisingManager)
            .implementedAs([this](const sdbus::ObjectPath& path, const VariantMap&) {
                on_call("RegisterAdvertisement");
                note_advertisement(path);
            });
        adapter_->registerMethod("UnregisterAdvertisement")
            .onInterface(kAdvertisingManager)
            .implementedAs([this](const sdbus::ObjectPath&) {
                on_call("UnregisterAdvertisement");
                const std::lock_guard lock{mutex_};
                advertised_.emplace_back();
            });
        adapter_->registerMethod("RemoveDevice")
            .onInterface(kAdapter)
            .implementedAs([this](const sdbus::ObjectPath&) {
                on_call("RemoveDevice");
                is_connected_ = false;
            });
        adapter_->finishRegistration();
    }
    // As BlueZ does, it asks for what is to be advertised.
    void note_advertisement(const std::string& path) {
        const auto* message = adapter_->getCurrentlyProcessedMessage();
        application_ = message->getSender();
        const auto proxy = sdbus::createProxy(*connection_, message->getSender(), path);
        const sdbus::Variant name = proxy->getProperty("LocalName").onInterface(kAdvertisement);
        const std::lock_guard lock{mutex_};
        advertised_.push_back(name.get<std::string>());
    }
    void add_device() {
        device_ = sdbus::createObject(*connection_, kLamp);
        set(*device_, kDevice, "Adapter", sdbus::ObjectPath{kHci0});
        set(*device_, kDevice, "Address", std::string{"00:AA:01:00:00:00"});
        set(*device_, kDevice, "Name", name_);
        device_->registerProperty("UUIDs").onInterface(kDevice).withGetter([this] {
            std::vector<std::string> uuids;
            if (has_both_) uuids.emplace_back(kBluzUuids.service);
            if (!has_both_ || is_connected_) uuids.emplace_back(kSottoUuids.service);
            return uuids;
        });
        set(*device_, kDevice, "RSSI", std::int16_t{-50});
        device_->registerProperty("Connected").onInterface(kDevice).withGetter([this] {
            return is_connected_.load();
        });
        device_->registerProperty("ServicesResolved").onInterface(kDevice).withGetter([this] {
            return is_connected_.load();
        });
        device_->registerMethod("Connect").onInterface(kDevice).implementedAs([this] {
            on_call("Connect");
            is_connected_ = true;
            device_->emitPropertiesChangedSignal(kDevice,
                                                 {"Connected", "UUIDs", "ServicesResolved"});
        });
        answer(*device_, kDevice, "Disconnect");
        device_->finishRegistration();
    }
    void add_characteristics() {
        from_ = sdbus::createObject(*connection_, kFrom);
        set(*from_, kCharacteristic, "UUID", std::string{kSottoUuids.from_device});
        answer(*from_, kCharacteristic, "StartNotify");
        acquire(*from_, "AcquireNotify", notify_socket_);
        from_->finishRegistration();
        to_ = sdbus::createObject(*connection_, kTo);
        set(*to_, kCharacteristic, "UUID", std::string{kSottoUuids.to_device});
        acquire(*to_, "AcquireWrite", write_socket_);
        to_->registerMethod("WriteValue")
            .onInterface(kCharacteristic)
            .implementedAs([this](const Buffer& value, const VariantMap&) {
                on_call("WriteValue");
                const std::lock_guard lock{mutex_};
                written_.push_back(value);
            });
        to_->finishRegistration();
        if (!has_both_) return;
        for (const char* uuid : {kBluzUuids.from_device, kBluzUuids.to_device}) {
            others_.push_back(sdbus::createObject(
                *connection_, kLamp + "/service0009/char000" + std::to_string(others_.size())));
            set(*others_.back(), kCharacteristic, "UUID", std::string{uuid});
            others_.back()->finishRegistration();
        }
    }
    void acquire(sdbus::IObject& object, const char* method, std::atomic<int>& socket) {
        object.registerMethod(method)
            .onInterface(kCharacteristic)
            .implementedAs([this, method, &socket](const VariantMap&) {
                on_call(method);
                int ends[2];
                (void)::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
                socket = ends[0];
                return std::make_tuple(sdbus::UnixFd{ends[1], sdbus::adopt_fd}, std::uint16_t{100});
            });
    }

    std::mutex mutex_;
    Errors errors_;
    std::string name_;  // of the device
    bool has_both_;
    std::vector<std::string> advertised_;
    std::string application_;  // who has registered one
    std::unique_ptr<sdbus::IProxy> subscriber_;
    std::unique_ptr<sdbus::IProxy> writer_;
    std::atomic<int> subscription_ = -1;
    std::atomic<int> written_to_ = -1;
    std::map<std::string, std::size_t> calls_;
    std::vector<Buffer> written_;
    std::atomic<bool> is_powered_ = false;
    std::atomic<bool> is_connected_ = false;
    std::atomic<int> notify_socket_ = -1;
    std::atomic<int> write_socket_ = -1;
    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<sdbus::IObject> root_;
    std::unique_ptr<sdbus::IObject> adapter_;
    std::unique_ptr<sdbus::IObject> device_;
    std::unique_ptr<sdbus::IObject> from_;
    std::unique_ptr<sdbus::IObject> to_;
    std::vector<std::unique_ptr<sdbus::IObject>> others_;
    std::thread turning_;
};

class App final : public LinkHandler {
  public:
    void on_connected(const Sighting& sighting) override { connected = sighting; }
    void on_frame(Bytes frame) override { frames.emplace_back(frame.begin(), frame.end()); }
    void on_sent(std::size_t count) override { sent += count; }
    void on_disconnected(Disconnect why) override { ended = why; }

    std::optional<Sighting> connected;
    std::vector<Buffer> frames;
    std::size_t sent = 0;
    std::optional<Disconnect> ended;
};

class BusTest : public ::testing::Test {
  protected:
    BusTest() {
        std::string name = (std::filesystem::temp_directory_path() / "sotto_bus_XXXXXX").string();
        if (::mkdtemp(name.data()) != nullptr) folder = name;
        daemon.emplace(folder);
    }
    ~BusTest() override { std::filesystem::remove_all(folder); }

    void start(FakeBluez::Errors errors = {}, const std::string& name = "lamp") {
        bluez = std::make_unique<FakeBluez>(daemon->address(), std::move(errors), name);
        listen();
    }
    void listen() {
        bus.emplace(loop, daemon->address());
        central.emplace(loop, *bus, BluezCentral::Options{.adapters = {"hci0"}});
    }
    bool run_until(const std::function<bool()>& what, std::chrono::seconds limit = 20s) {
        const auto end = Clock::now() + limit;
        while (!what() && Clock::now() < end) loop.run_for(20ms);
        return what();
    }
    bool is_in_reach() {
        return run_until([&] { return central->places() == std::vector<Place>{kLamp}; });
    }

    std::filesystem::path folder;
    std::optional<BusDaemon> daemon;
    std::unique_ptr<FakeBluez> bluez;
    boost::asio::io_context loop{1};
    std::optional<Bus> bus;
    std::optional<BluezCentral> central;
    App app;
};

TEST_F(BusTest, ALinkWithSockets) {
    start();
    ASSERT_TRUE(is_in_reach());
    const auto link = central->connect(kLamp, app, {});
    EXPECT_EQ(link->send(as_bytes("early")).error(), Error::WrongState);
    ASSERT_TRUE(run_until([&] { return app.connected.has_value(); }));
    EXPECT_EQ(app.connected->name, "lamp");
    EXPECT_EQ(central->quality(kLamp)->value_size, 97U);
    EXPECT_EQ(central->quality(kLamp)->rssi, -50);
    ASSERT_TRUE(link->send(as_bytes("hello")));
    ASSERT_TRUE(run_until([&] { return app.sent == 1; }));
    std::array<char, 100> buffer{};
    ASSERT_EQ(::recv(bluez->write_socket(), buffer.data(), buffer.size(), 0), 6);
    EXPECT_EQ(std::string(buffer.data() + 1, 5), "hello");
    bluez->notify({0xc0, 'o', 'k'});
    ASSERT_TRUE(run_until([&] { return app.frames.size() == 1; }));
    EXPECT_EQ(app.frames[0], (Buffer{'o', 'k'}));
}

TEST_F(BusTest, ADeviceWithBothServicesIsServedByTheSottoServiceHoweverItWasHeard) {
    bluez = std::make_unique<FakeBluez>(daemon->address(), FakeBluez::Errors{}, kBluzName, true);
    bus.emplace(loop, daemon->address());
    central.emplace(loop, *bus, BluezCentral::Options{.adapters = {"hci0"}, .takes_bluz = true});
    ASSERT_TRUE(is_in_reach());
    const auto link = central->connect(kLamp, app, {});
    ASSERT_TRUE(run_until([&] { return app.connected.has_value(); }));
    EXPECT_EQ(app.connected->service, framing::Service::Sotto);
    EXPECT_EQ(app.connected->name, "") << "it was that of the other advertisement";
    ASSERT_TRUE(link->send(as_bytes("hello")));
    std::array<char, 100> buffer{};
    ASSERT_TRUE(run_until([&] { return app.sent == 1; }));
    ASSERT_EQ(::recv(bluez->write_socket(), buffer.data(), buffer.size(), 0), 6);
    bluez->notify({0xc0, 'o', 'k'});
    ASSERT_TRUE(run_until([&] { return app.frames.size() == 1; }));
}

TEST_F(BusTest, ALinkByCallsAndSignals) {
    const char* unsupported = "org.bluez.Error.NotSupported";
    start({{"AcquireWrite", unsupported}, {"AcquireNotify", unsupported}});
    ASSERT_TRUE(is_in_reach());
    const auto link = central->connect(kLamp, app, {});
    ASSERT_TRUE(run_until([&] { return app.connected.has_value(); }));
    ASSERT_TRUE(link->send(Buffer(30, 'x')));
    ASSERT_TRUE(run_until([&] { return app.sent == 1; }));
    ASSERT_EQ(bluez->written().size(), 2U);
    EXPECT_EQ(bluez->written()[0].size(), 20U);
    bluez->notify({0xc0, 'o', 'k'});
    ASSERT_TRUE(run_until([&] { return app.frames.size() == 1; }));
}

TEST_F(BusTest, AWriteThatFailsEndsTheLink) {
    start({{"AcquireWrite", "org.bluez.Error.NotSupported"},
           {"WriteValue", "org.bluez.Error.Failed"}});
    ASSERT_TRUE(is_in_reach());
    const auto link = central->connect(kLamp, app, {});
    ASSERT_TRUE(run_until([&] { return app.connected.has_value(); }));
    ASSERT_TRUE(link->send(as_bytes("hello")));
    ASSERT_TRUE(run_until([&] { return app.ended.has_value(); }));
    EXPECT_EQ(app.ended, Disconnect::Closed);
}

TEST_F(BusTest, CallsThatFailAreSaidToHave) {
    for (const char* method : {"Connect", "AcquireWrite", "AcquireNotify"}) {
        app = {};
        start({{method, "org.bluez.Error.Failed"}});
        ASSERT_TRUE(is_in_reach());
        const auto link = central->connect(kLamp, app, {});
        ASSERT_TRUE(run_until([&] { return app.ended.has_value(); })) << method;
        EXPECT_FALSE(app.connected);
        EXPECT_TRUE(run_until([&] { return bluez->calls("RemoveDevice") == 1; })) << method;
        central.reset();
        bus.reset();
        bluez.reset();
    }
}

TEST_F(BusTest, WhoHasTheDeviceKeepsIt) {
    start({{"AcquireNotify", "org.bluez.Error.NotPermitted"}});
    ASSERT_TRUE(is_in_reach());
    const auto link = central->connect(kLamp, app, milliseconds(600));
    ASSERT_TRUE(run_until([&] { return app.ended.has_value(); }));
    EXPECT_EQ(app.ended, Disconnect::Busy);
    EXPECT_GT(bluez->calls("AcquireNotify"), 1U) << "it was asked again";
    EXPECT_EQ(bluez->calls("RemoveDevice"), 0U);
}

TEST_F(BusTest, AnAdapterThatRefusesIsAskedAgain) {
    start({{"StartDiscovery", "org.bluez.Error.NotReady"}});
    ASSERT_TRUE(run_until([&] { return bluez->calls("StartDiscovery") >= 3; }));
    EXPECT_LT(bluez->calls("StartDiscovery"), 10U);
    EXPECT_TRUE(central->places().empty());
}

TEST_F(BusTest, BluezMayComeLateAndGo) {
    listen();
    loop.run_for(300ms);
    EXPECT_TRUE(central->places().empty());
    bluez = std::make_unique<FakeBluez>(daemon->address(), FakeBluez::Errors{});
    ASSERT_TRUE(is_in_reach());
    const auto link = central->connect(kLamp, app, {});
    ASSERT_TRUE(run_until([&] { return app.connected.has_value(); }));
    bluez.reset();
    ASSERT_TRUE(run_until([&] { return app.ended.has_value(); }));
    EXPECT_TRUE(central->places().empty());
    bluez = std::make_unique<FakeBluez>(daemon->address(), FakeBluez::Errors{});
    EXPECT_TRUE(is_in_reach());
}

TEST_F(BusTest, TheBusMayGoAndComeBack) {
    start();
    ASSERT_TRUE(is_in_reach());
    const auto link = central->connect(kLamp, app, {});
    ASSERT_TRUE(run_until([&] { return app.connected.has_value(); }));
    daemon->stop();
    ASSERT_TRUE(run_until([&] { return app.ended.has_value(); }));
    EXPECT_FALSE(bus->is_connected());
    bluez.reset();
    loop.run_for(1'500ms);
    daemon->start();
    bluez = std::make_unique<FakeBluez>(daemon->address(), FakeBluez::Errors{});
    EXPECT_TRUE(is_in_reach());
}

TEST_F(BusTest, WhoIsNotWelcomeIsNotThere) {
    const std::string name = "~0102030405060708";
    start({}, name);
    ASSERT_TRUE(is_in_reach());
    std::optional<framing::Tag> asked;
    central->set_is_welcome([&](const std::optional<framing::Tag>& tag) {
        asked = tag;
        return false;
    });
    loop.run_for(300ms);
    EXPECT_TRUE(central->places().empty());
    EXPECT_EQ(asked, (framing::Tag{1, 2, 3, 4, 5, 6, 7, 8}));
    central->set_is_welcome([&](const std::optional<framing::Tag>& tag) { return tag == asked; });
    ASSERT_TRUE(is_in_reach());
    const auto link = central->connect(kLamp, app, {});
    ASSERT_TRUE(run_until([&] { return app.connected.has_value(); }));
    EXPECT_EQ(app.connected->tag, asked);
    EXPECT_EQ(app.connected->name, "") << "a tag is no name";
    central->set_is_welcome([](const std::optional<framing::Tag>&) { return false; });
    EXPECT_EQ(central->places(), std::vector<Place>{kLamp}) << "it is connected";
}

// What BlueZ calls a device that is connected is no tag.
TEST_F(BusTest, WhatSomebodyElseHadIsForgottenFirst) {
    start();
    central->set_is_welcome([](const std::optional<framing::Tag>& tag) { return !tag; });
    ASSERT_TRUE(is_in_reach());
    bluez->set_connected(true);
    ASSERT_TRUE(run_until([&] { return central->places().empty(); }));
    loop.run_for(300ms);
    EXPECT_EQ(bluez->calls("RemoveDevice"), 0U);
    bluez->set_connected(false);
    ASSERT_TRUE(run_until([&] { return bluez->calls("RemoveDevice") == 1; }));
    loop.run_for(300ms);
    EXPECT_TRUE(central->places().empty()) << "until it is heard anew";
    EXPECT_EQ(bluez->calls("RemoveDevice"), 1U);
}

// [AIR-72]
TEST_F(BusTest, WhoHasNoNameMayStillSayATag) {
    start({}, "");
    central->set_is_welcome([](const std::optional<framing::Tag>& tag) { return !tag; });
    const auto begin = Clock::now();
    ASSERT_TRUE(is_in_reach());
    EXPECT_GE(Clock::now() - begin, std::chrono::milliseconds{kNameTimeMax.ms});
}

class Thing final : public PeripheralHandler {
  public:
    void on_connected() override { is_connected = true; }
    void on_frame(Bytes /*frame*/) override { ++frames; }
    void on_disconnected() override {}

    std::size_t frames = 0;
    bool is_connected = false;
};

// Both of them are on one connection to the bus, and each has a holder of its own.
TEST_F(BusTest, ADeviceOffersBothServicesAtTheSameTime) {
    start();
    Thing board;
    Thing other;
    BluezPeripheral sotto{loop, *bus, {.adapter = "hci0", .name = "lamp"}, board};
    std::string heard;
    BluezPeripheral bluz{loop,
                         *bus,
                         {.adapter = "hci0",
                          .name = kBluzName,
                          .service = framing::Service::Bluz,
                          .on_air = [&](const std::string& adapter) { heard = adapter; }},
                         other};
    ASSERT_TRUE(run_until([&] { return bluez->advertised().size() == 2 && heard == "hci0"; }));
    EXPECT_EQ(bluez->calls("RegisterApplication"), 2U);
    auto names = bluez->advertised();
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names, (std::vector<std::string>{kBluzName, "lamp"}));
    bluez->subscribe();
    ASSERT_TRUE(run_until([&] { return board.is_connected; }));
    EXPECT_FALSE(other.is_connected);
    EXPECT_EQ(bluz.notify(as_bytes("value")).error(), Error::WrongState);
}

// [AIR-73] Never two names in one advertisement: BlueZ takes another address for another one.
TEST_F(BusTest, AnotherNameIsAnotherAdvertisement) {
    bluez = std::make_unique<FakeBluez>(daemon->address(), FakeBluez::Errors{});
    bus.emplace(loop, daemon->address());
    Thing thing;
    std::vector<std::string> told;
    BluezPeripheral peripheral{
        loop,
        *bus,
        {.name = "lamp", .on_air = [&](const std::string& adapter) { told.push_back(adapter); }},
        thing};
    ASSERT_TRUE(run_until([&] { return bluez->advertised().size() == 1; }));
    loop.run_for(300ms);
    peripheral.set_name("~0102030405060708");
    ASSERT_TRUE(run_until([&] { return bluez->advertised().size() == 3; }));
    loop.run_for(1s);
    EXPECT_EQ(bluez->advertised(), (std::vector<std::string>{"lamp", "", "~0102030405060708"}));
    EXPECT_EQ(bluez->calls("RegisterApplication"), 1U) << "who is connected stays so";
    EXPECT_EQ(told, std::vector<std::string>{"hci0"}) << "it was there all the time";
}

// [AIR-73]
TEST_F(BusTest, AnotherNameWaitsForTheHolderToGo) {
    bluez = std::make_unique<FakeBluez>(daemon->address(), FakeBluez::Errors{});
    bus.emplace(loop, daemon->address());
    Thing thing;
    BluezPeripheral peripheral{loop, *bus, {.name = "lamp"}, thing};
    ASSERT_TRUE(run_until([&] { return bluez->advertised().size() == 1; }));
    bluez->set_connected(true);
    bluez->subscribe();
    ASSERT_TRUE(run_until([&] { return bluez->is_subscribed(); }));
    peripheral.set_name("~0102030405060708");
    const std::vector<std::string> withdrawn{"lamp", ""};
    ASSERT_TRUE(run_until([&] { return bluez->advertised() == withdrawn; }));
    loop.run_for(700ms);
    EXPECT_EQ(bluez->advertised(), withdrawn) << "it is held";
    bluez->unsubscribe();
    loop.run_for(700ms);
    EXPECT_EQ(bluez->advertised(), withdrawn) << "the link has not ended";
    bluez->set_connected(false);
    ASSERT_TRUE(run_until([&] { return bluez->advertised().size() == 3; }));
    EXPECT_EQ(bluez->advertised().back(), "~0102030405060708");
}

TEST_F(BusTest, ACentralThatSaysNothingIsLetGo) {
    for (const bool is_silent : {true, false}) {
        bluez.reset();
        bluez = std::make_unique<FakeBluez>(daemon->address(), FakeBluez::Errors{});
        bus.emplace(loop, daemon->address());
        Thing thing;
        BluezPeripheral peripheral{loop, *bus, {.silence_time = milliseconds(500)}, thing};
        ASSERT_TRUE(run_until([&] { return bluez->advertised().size() == 1; }));
        bluez->subscribe();
        if (!is_silent) bluez->write({0xc0, 'h', 'i'});
        loop.run_for(1s);
        EXPECT_EQ(thing.frames, is_silent ? 0U : 1U);
        EXPECT_EQ(bluez->calls("Disconnect"), is_silent ? 1U : 0U);
    }
}

}  // namespace
}  // namespace sotto::air::bluez
