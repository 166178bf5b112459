// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/bluez_peripheral.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>
#include <optional>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/post.hpp>

#include "air/bluez/gatt_application.hpp"
#include "air/bluez/limits.hpp"
#include "air/bluez/startup.hpp"
#include "air/bluez/value_line.hpp"

namespace sotto::air::bluez {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// What an adapter is brought to do, after Startup::kPower.
enum Step : std::size_t { Register = Startup::kPower + 1, Advertise, StepCount };

constexpr std::size_t kAdvertisedNameSizeMax = 29;  // of a scan response

// As much of a name as is heard by everybody, in whole characters.
std::string advertised(std::string name) {
    if (name.size() <= kAdvertisedNameSizeMax) return name;
    std::size_t size = kAdvertisedNameSizeMax;
    while (size > 0 && (static_cast<std::uint8_t>(name[size]) & 0xc0) == 0x80) --size;
    return name.substr(0, size);
}

// [AIR-32] What was written before is ignored. False if it was by an earlier connection.
bool drain(int socket) {
    std::array<std::uint8_t, framing::kValueSizeMax> ignored;
    for (;;) {
        const auto size = ::recv(socket, ignored.data(), ignored.size(), MSG_DONTWAIT);
        if (size < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
        if (size == 0 && is_at_end(socket)) return false;
    }
}

}  // namespace

class BluezPeripheral::Core final : public Bus::Listener,
                                    public GattApplication::Host,
                                    public ValueLine::Handler,
                                    public std::enable_shared_from_this<Core> {
  public:
    Core(asio::io_context& loop, Bus& bus, Options options, PeripheralHandler& handler)
        : loop_(loop), bus_(bus), options_(std::move(options)), handler_(&handler) {
        options_.value_size_max =
            framing::agreed_value_size(options_.value_size_max, kBearerValueSizeMax);
    }

    void open() { bus_.listen(*this); }
    void shut() {
        handler_ = nullptr;
        options_.on_air = nullptr;
        bus_.leave(*this);
        disconnect();
        end_line();
        if (startup_.is_done()) unregister_advertisement();
        if (startup_.is_done() || is_withdrawn_)
            unregister(kGattManager, "UnregisterApplication", paths().application);
        application_.reset();
    }

    Status send(Bytes frame) { return line_ ? line_->send(frame) : Status{Error::WrongState}; }
    Status notify(Bytes value) { return line_ ? line_->write(value) : Status{Error::WrongState}; }
    void disconnect() {
        if (!holder_.empty())
            bus_.call(holder_, kDevice, "Disconnect", [](const std::string&) {}, 10s);
    }

    void on_bus_up(sdbus::IConnection& connection) override {
        application_.emplace(connection, options_.service, advertised(options_.name), *this);
    }
    void on_bus_down() override {
        application_.reset();
        writers_.clear();
        on_gone();
    }

    // [AIR-73] What is advertised already goes at once. What takes its place waits for the holder
    // to go: who hears a device that is held would connect to it once more.
    void set_name(const std::string& name) {
        options_.name = name;
        if (application_) application_->set_name(advertised(name));
        is_stale_ = true;
    }

    void on_objects() override {
        const auto adapter = find_adapter();
        const Instant now = bus_.now();
        if (is_stale_ && startup_.is_done()) withdraw(now);
        if (is_withdrawn_ && (line_ || is_former_holder_here(now))) return;
        const auto step = startup_.next(adapter ? &*adapter : nullptr, now);
        if (step) take_step(*adapter, *step);
        look_for_silence(now);
        if (!adapter || startup_.is_done()) is_withdrawn_ = false;
        if (!is_withdrawn_) tell_air(startup_.is_done() ? name_of(adapter->path) : "");
    }

    bool may_subscribe(const Path& device) override { return holder_.empty() || holder_ == device; }
    void on_subscribed(const GattApplication::Offer& offer) override {
        on_gone();  // it comes back before it was seen to go
        holder_ = offer.device;
        silent_since_ = bus_.now();
        line_ = std::make_shared<ValueLine>(loop_, options_.service, *this);
        const std::size_t room = std::max<std::size_t>(offer.mtu, kAttHeaderSize) - kAttHeaderSize;
        line_->set_value_size(framing::agreed_value_size(options_.value_size_max, room));
        line_->write_to(offer.socket);
        if (auto writer = writers_.extract(offer.device); writer && drain(writer.mapped().get()))
            line_->read_from(writer.mapped().release());
        // BlueZ is to have its answer first.
        asio::post(loop_, [weak = weak_from_this(), line = std::weak_ptr{line_}] {
            const auto self = weak.lock();
            if (self && self->handler_ != nullptr && line.lock()) self->handler_->on_connected();
        });
    }
    void on_writer(const GattApplication::Offer& offer) override {
        sdbus::UnixFd socket{offer.socket, sdbus::adopt_fd};
        if (line_ && offer.device == holder_) return line_->read_from(socket.release());
        if (writers_.size() >= kWritersMax) writers_.clear();
        writers_[offer.device] = std::move(socket);
    }
    void on_released() override { startup_.redo(Advertise, bus_.now()); }

    void on_frame(Bytes frame) override {
        const auto self = shared_from_this();
        silent_since_.reset();
        if (handler_ != nullptr) handler_->on_frame(frame);
    }
    void on_value(Bytes value) override {
        const auto self = shared_from_this();
        silent_since_.reset();
        if (handler_ != nullptr) handler_->on_value(value);
    }
    void on_sent(std::size_t count) override {
        const auto self = shared_from_this();
        if (handler_ != nullptr) handler_->on_sent(count);
    }
    void on_dropped() override {
        const auto self = shared_from_this();
        if (handler_ != nullptr) handler_->on_dropped();
    }
    void on_closed(bool /*is_stalled*/) override {
        const auto self = shared_from_this();
        disconnect();
        on_gone();
    }

  private:
    static constexpr std::size_t kWritersMax = 8;  // centrals that write and have not subscribed

    GattApplication::Paths paths() const { return GattApplication::paths_of(options_.service); }

    std::optional<AdapterView> find_adapter() const {
        for (const AdapterView& adapter : bus_.objects().adapters()) {
            if (options_.adapter.empty() || name_of(adapter.path) == options_.adapter)
                return adapter;
        }
        return std::nullopt;
    }

    void take_step(const AdapterView& adapter, std::size_t step) {
        Bus::Done done = [weak = weak_from_this(),
                          serial = adapter.serial](const std::string& error) {
            const auto self = weak.lock();
            if (!self) return;
            const bool is_ok = error.empty() || error.ends_with(".AlreadyExists");
            self->startup_.on_reply(serial, is_ok, self->bus_.now());
        };
        adapter_ = adapter.path;
        if (step == Startup::kPower) return bus_.power_on(adapter.path, std::move(done));
        const bool is_application = step == Register;
        if (!is_application) is_stale_ = false;
        bus_.call(adapter.path,
                  is_application ? kGattManager : kAdvertisingManager,
                  is_application ? "RegisterApplication" : "RegisterAdvertisement",
                  std::move(done),
                  20s,
                  sdbus::ObjectPath{is_application ? paths().application : paths().advertisement},
                  VariantMap{});
    }

    void unregister(const char* manager, const char* method, const char* path) {
        const auto ignore = [](const std::string&) {};
        bus_.call(adapter_, manager, method, ignore, 10s, sdbus::ObjectPath{path});
    }
    void unregister_advertisement() {
        unregister(kAdvertisingManager, "UnregisterAdvertisement", paths().advertisement);
    }
    void withdraw(Instant now) {
        unregister_advertisement();
        startup_.redo(Advertise, now);
        is_withdrawn_ = true;
    }

    // [AIR-80] Others may have something to say.
    void look_for_silence(Instant now) {
        if (!silent_since_ || now < *silent_since_ + options_.silence_time) return;
        silent_since_.reset();
        if (handler_ != nullptr) handler_->on_silence();
        disconnect();
    }

    void tell_air(const std::string& adapter) {
        if (options_.on_air && std::exchange(told_adapter_, adapter) != adapter)
            options_.on_air(adapter);
    }

    // BlueZ ends a link two seconds after it was told to, and a second one between the same two
    // controllers, at another address, confuses the kernel (6.1).
    bool is_former_holder_here(Instant now) const {
        return now < former_until_ && bus_.objects().is_connected(former_holder_);
    }

    void end_line() {
        if (line_) {
            line_->close();
            former_holder_ = holder_;
            former_until_ = bus_.now() + kLeaveTimeMax;
        }
        line_.reset();
        holder_.clear();
        silent_since_.reset();
    }
    void on_gone() {
        const bool was_held = line_ != nullptr;
        end_line();
        if (was_held && handler_ != nullptr) handler_->on_disconnected();
    }

    asio::io_context& loop_;
    Bus& bus_;
    Options options_;
    PeripheralHandler* handler_;
    Startup startup_{StepCount};
    Path adapter_;
    std::string told_adapter_;
    bool is_stale_ = false;      // what is advertised, or may be
    bool is_withdrawn_ = false;  // nothing is, for a moment or while it is held
    std::optional<GattApplication> application_;
    Path holder_;  // the central, as its device
    Path former_holder_;
    Instant former_until_;
    std::optional<Instant> silent_since_;
    std::shared_ptr<ValueLine> line_;
    std::map<Path, sdbus::UnixFd> writers_;
};

BluezPeripheral::BluezPeripheral(asio::io_context& loop,
                                 Bus& bus,
                                 Options options,
                                 PeripheralHandler& handler)
    : core_(std::make_shared<Core>(loop, bus, std::move(options), handler)) {
    core_->open();
}

BluezPeripheral::~BluezPeripheral() { core_->shut(); }

Status BluezPeripheral::send(Bytes frame) { return core_->send(frame); }

Status BluezPeripheral::notify(Bytes value) { return core_->notify(value); }

void BluezPeripheral::set_name(const std::string& name) { core_->set_name(name); }

void BluezPeripheral::disconnect() { core_->disconnect(); }

}  // namespace sotto::air::bluez
