// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/bluez_link.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include "air/bluez/limits.hpp"
#include "air/bluez/link_machine.hpp"
#include "air/bluez/value_line.hpp"

namespace sotto::air::bluez {

namespace asio = boost::asio;
using namespace std::chrono_literals;

class BluezLink::Core final : public Bus::Listener,
                              public ValueLine::Handler,
                              public std::enable_shared_from_this<Core> {
  public:
    Core(asio::io_context& loop, Bus& bus, Options options, LinkHandler& handler)
        : loop_(loop),
          bus_(bus),
          options_(std::move(options)),
          handler_(&handler),
          deadline_(bus.now() + options_.patience),
          state_(std::make_shared<LinkState>(LinkState{.place = options_.device})) {
        bus_.listen(*this);
    }

    void abandon() {
        handler_ = nullptr;
        if (machine_ && !machine_->has_ended()) let_go();
        shut();
    }
    const std::shared_ptr<LinkState>& state() const { return state_; }

    Status send(Bytes frame) {
        if (!state_->is_up) return Error::WrongState;
        return line_->send(frame);
    }
    Status write(Bytes value) {
        if (!state_->is_up) return Error::WrongState;
        return line_->write(value);
    }

    void on_objects() override {
        const auto self = shared_from_this();  // the handler may let it go
        const auto device = bus_.objects().device(options_.device);
        if (!machine_) begin(device);
        if (!machine_) return;
        if (device && device->is_resolved) choose_service(*device);
        const bool is_ours =
            device && bus_.objects().characteristics(options_.device, device_.service);
        machine_->on_device(device ? &*device : nullptr, is_ours, bus_.now());
        machine_->on_time(bus_.now());
        pump();
    }

    void on_frame(Bytes frame) override {
        const auto self = shared_from_this();
        if (handler_ != nullptr) handler_->on_frame(frame);
    }
    void on_value(Bytes value) override {
        const auto self = shared_from_this();
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
    void on_closed(bool is_stalled) override {
        const auto self = shared_from_this();
        machine_->on_closed(is_stalled);
        pump();
    }

  private:
    void begin(const std::optional<DeviceView>& device) {
        if (!device) {
            if (!is_patient()) end(air::Disconnect::NotFound);
            return;
        }
        device_ = *device;
        machine_.emplace(device->serial, options_.value_size_max, bus_.now());
        line_ = std::make_shared<ValueLine>(loop_, device->service, *this);
        has_chosen_ = false;
        ++attempt_;
        pump();
    }

    // [BLZ-36] What a device has shows only now: it may have been heard by its other
    // advertisement, and then it was taken for a bluz board.
    void choose_service(const DeviceView& device) {
        if (std::exchange(has_chosen_, true) || device_.service == framing::Service::Sotto) return;
        if (!bus_.objects().characteristics(options_.device, framing::Service::Sotto)) return;
        device_.service = framing::Service::Sotto;
        device_.name = device.name == kBluzName ? "" : device.name;
        line_ = std::make_shared<ValueLine>(loop_, device_.service, *this);
    }

    void pump() {
        while (machine_) {
            const auto output = machine_->next_output();
            if (!output) return;
            std::visit([this](const auto& item) { perform(item); }, *output);
        }
    }

    void perform(LinkMachine::Call call) {
        switch (call) {
            case LinkMachine::Call::Connect:
                return bus_.call(options_.device, kDevice, "Connect", reply_to(), 60s);
            case LinkMachine::Call::AcquireWrite:
                return acquire(&Characteristics::to_device, "AcquireWrite");
            case LinkMachine::Call::AcquireNotify:
                return acquire(&Characteristics::from_device, "AcquireNotify");
            case LinkMachine::Call::StartNotify:
                listen_to_signals();
                return bus_.call(
                    found().from_device, kCharacteristic, "StartNotify", reply_to(), 10s);
        }
    }

    void perform(const LinkMachine::Up& up) {
        if (up.is_written_by_call) line_->write_by([this](Bytes value) { write_by_call(value); });
        line_->set_value_size(up.value_size);
        state_->is_up = true;
        state_->value_size = up.value_size;
        Sighting sighting{.place = options_.device, .service = device_.service};
        set_advertised_name(sighting, device_.name);
        if (handler_ != nullptr) handler_->on_connected(sighting);
    }

    void perform(const LinkMachine::LetGo& /*output*/) { let_go(); }

    void perform(const LinkMachine::Ended& output) {
        const air::Disconnect why = output.why;
        state_->trouble = output.detail;
        const bool was_up = std::exchange(state_->is_up, false);
        stop_line();
        machine_.reset();
        // Somebody has it, who will let go; or its last link had yet to end.
        if (!was_up && is_patient()) return;
        end(why);
    }

    bool is_patient() const { return bus_.now() < deadline_; }

    // Of the attempt that is under way, and of no later one.
    Bus::Done reply_to() {
        return [weak = weak_from_this(), attempt = attempt_](const std::string& error) {
            const auto self = weak.lock();
            if (!self || !self->machine_ || self->attempt_ != attempt) return;
            self->machine_->on_reply({.error = error}, self->bus_.now());
            self->pump();
        };
    }

    void acquire(Path Characteristics::* which, const char* method) {
        const bool is_write = which == &Characteristics::to_device;
        bus_.acquire(found().*which,
                     method,
                     [weak = weak_from_this(), attempt = attempt_, is_write](
                         const std::string& error, sdbus::UnixFd fd, std::uint16_t mtu) {
                         const auto self = weak.lock();
                         if (!self || !self->machine_ || self->attempt_ != attempt) return;
                         if (error.empty()) self->take(std::move(fd), is_write);
                         self->machine_->on_reply({.error = error, .mtu = mtu}, self->bus_.now());
                         self->pump();
                     });
    }
    void take(sdbus::UnixFd fd, bool is_write) {
        if (is_write) {
            line_->write_to(fd.release());
        } else {
            line_->read_from(fd.release());
        }
    }

    // An empty path answers with an error.
    Characteristics found() const {
        return bus_.objects()
            .characteristics(options_.device, device_.service)
            .value_or(Characteristics{options_.device, options_.device});
    }

    void listen_to_signals() {
        notified_ = found().from_device;
        bus_.set_notified(notified_, [weak = std::weak_ptr{line_}](Bytes value) {
            if (const auto line = weak.lock()) line->receive(value);
        });
    }

    void write_by_call(Bytes value) {
        const VariantMap options{{"type", sdbus::Variant{std::string{"command"}}}};
        bus_.call(
            found().to_device,
            kCharacteristic,
            "WriteValue",
            [weak = std::weak_ptr{line_}](const std::string& error) {
                if (const auto line = weak.lock()) line->on_written(error.empty());
            },
            10s,
            std::vector<std::uint8_t>{value.begin(), value.end()},
            options);
    }

    // What BlueZ remembers of a device, services of yesterday or an address that is used no more,
    // would stand in the way of the next link. What somebody has paired stays.
    void let_go() {
        const auto device = bus_.objects().device(options_.device);
        const bool is_paired = device && device->is_paired;
        if (is_paired)
            return bus_.call(
                options_.device, kDevice, "Disconnect", [](const std::string&) {}, 10s);
        state_->is_leaving = true;
        bus_.call(
            device_.adapter,
            kAdapter,
            "RemoveDevice",
            [state = state_](const std::string&) { state->is_leaving = false; },
            10s,
            sdbus::ObjectPath{options_.device});
    }

    void stop_line() {
        if (line_) line_->close();
        if (!notified_.empty()) bus_.set_notified(std::exchange(notified_, {}), nullptr);
    }

    void shut() {
        bus_.leave(*this);
        stop_line();
        machine_.reset();
    }

    void end(air::Disconnect why) {
        shut();
        if (auto* handler = std::exchange(handler_, nullptr)) handler->on_disconnected(why);
    }

    asio::io_context& loop_;
    Bus& bus_;
    Options options_;
    LinkHandler* handler_;
    Instant deadline_;
    DeviceView device_;
    bool has_chosen_ = false;  // its service
    std::optional<LinkMachine> machine_;
    std::uint64_t attempt_ = 0;
    std::shared_ptr<ValueLine> line_;
    Path notified_;
    std::shared_ptr<LinkState> state_;
};

BluezLink::BluezLink(asio::io_context& loop, Bus& bus, Options options, LinkHandler& handler)
    : core_(std::make_shared<Core>(loop, bus, std::move(options), handler)) {}

BluezLink::~BluezLink() { core_->abandon(); }

std::weak_ptr<const LinkState> BluezLink::state() const { return core_->state(); }

Status BluezLink::send(Bytes frame) { return core_->send(frame); }

Status BluezLink::write(Bytes value) { return core_->write(value); }

}  // namespace sotto::air::bluez
