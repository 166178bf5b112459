// SPDX-License-Identifier: Apache-2.0
#include "device/firmware/firmware.hpp"

#include <cstddef>
#include <new>
#include <optional>

#include "core/keystore/records.hpp"
#include "core/session/all_parts.hpp"
#include "device/firmware/air_port.hpp"
#include "device/firmware/board.hpp"
#include "device/firmware/button.hpp"
#include "device/firmware/slots.hpp"
#include "device/sketch/lamp.hpp"
#include "ports/flash/flash_storage.hpp"
#include "ports/nrf51/chip_clock.hpp"
#include "ports/nrf51/chip_flash.hpp"
#include "ports/nrf51/chip_noise.hpp"
#include "ports/nrf51/registers.hpp"
#include "ports/nrf51/uart_radio.hpp"

extern "C" {
[[noreturn]] void abort();
extern const std::uint8_t sotto_records_begin[];
extern const std::uint8_t sotto_records_end[];
}

namespace sotto {

void panic() { abort(); }

}  // namespace sotto

namespace sotto::firmware {
namespace {

namespace gpio = ports::nrf51::gpio;

constexpr std::size_t kResultSize = 256;
constexpr std::size_t kAnswers = 2;           // kept for a repetition
constexpr std::size_t kPendingEvents = 2;     // that wait to be told
constexpr Duration kIdle = milliseconds(50);  // between looks at the button

void set_pin(std::uint32_t pin, bool is_high) {
    (is_high ? gpio::out_set() : gpio::out_clear()) = 1U << pin;
}

void set_up_pins() {
    gpio::pin_config(board::kButton) = gpio::kInputPullUp;
    for (const std::uint32_t pin : {board::kLamp, board::kStatus, board::kGround})
        gpio::pin_config(pin) = gpio::kOutput;
    set_pin(board::kGround, false);
}

bool is_button_down() { return (gpio::in() & 1U << board::kButton) == 0; }

// A light that is on for 100 ms of each period.
bool is_lit(Instant now, std::uint32_t period_ms) {
    return static_cast<std::uint32_t>(now.ms) % period_ms < 100;
}

// Sleeps until an interrupt is pending; none is ever taken.
void sleep(const ports::Radio& radio, ports::ChipClock& clock, Duration limit) {
    namespace nrf = ports::nrf51;
    nrf::watchdog::feed();
    clock.wake_in(limit);
    if (!radio.has_input()) asm volatile("wfi");
    nrf::timer0::compare1() = 0;
    nrf::interrupts_clear_pending() = 1U << nrf::timer0::kInterrupt | 1U << nrf::uart::kInterrupt;
}

class Nobody final : public ports::RadioHandler {
    void on_connected() override {}
    void on_value(Bytes) override {}
};

// Why a device can't work: the status LED says it for ever, and the name under which it advertises.
// An image on trial does not stay: the former one may work.
[[noreturn]] void fail(ports::Radio& radio, ports::ChipClock& clock, std::string_view what) {
    if (is_on_trial()) ports::nrf51::reset();
    Nobody nobody;
    radio.advertise({.name = what});
    for (;;) {
        radio.poll(nobody);
        set_pin(board::kStatus, is_lit(clock.now(), 200));
        sleep(radio, clock, milliseconds(50));
    }
}

// Answers its argument: what it takes to see that a line works.
struct Repeat {
    Result<device::Value> operator()(std::string_view argument) const {
        return device::Value{argument};
    }
};

// Everything that lives as long as power does.
class Firmware final : device::Lamp::World {
  public:
    Firmware() : lamp_(*this) {}

    [[noreturn]] void run();

  private:
    void on_call(std::string_view) override {}
    void on_switched(std::string_view state) override;
    void load_identity();
    void on_button(Button::Event event, Instant now);
    void show_status(Instant now);

    ports::ChipClock clock_;
    ports::UartRadio radio_{{.tx = board::kUartTx, .rx = board::kUartRx}};
    ports::ChipFlash flash_{Bytes{
        sotto_records_begin, static_cast<std::size_t>(sotto_records_end - sotto_records_begin)}};
    ports::FlashStorage storage_{flash_};
    ports::ChipNoise noise_;
    ports::Drbg drbg_{noise_};
    keystore::Identity identity_;
    cose::Credential credential_;
    device::Catalog catalog_;
    device::Lamp lamp_;
    Repeat repeat_;
    std::array<session::GuestRights, session::kOtherStoredSessions> rights_;
    session::AllParts parts_{rights_};
    Slots slots_{storage_};
    Button button_;
    std::array<session::SessionEntry, session::kStoredSessions> sessions_;
    std::array<session::HalfOpen, session::kHalfOpenSlots> half_open_;
    std::array<session::KeptAnswer, kAnswers + 1> answers_;
    std::array<session::PendingEvent, kPendingEvents> events_;
    std::array<std::uint8_t, framing::kMessageSizeMaxChip> scratch_{};
    std::array<std::uint8_t, framing::kFrameSizeMaxChip> frame_{};  // that is sent
    session::Server* server_ = nullptr;
};

void Firmware::on_switched(std::string_view state) {
    set_pin(board::kLamp, lamp_.is_on());
    session::Traits event;
    if (!catalog_.find(session::ResourceKind::Event, device::Lamp::kName, event)) return;
    // With too many that wait this one is lost; the variable tells the truth.
    (void)server_->publish(event.index, {.payload = as_bytes(state)}).has_value();
}

void Firmware::on_button(Button::Event event, Instant now) {
    if (event == Button::Event::Pressed) {
        server_->on_button(now);
        lamp_.toggle();
    } else if (event == Button::Event::Held && !server_->factory_reset()) {
        fail(radio_, clock_, "fault: flash");
    }
}

// On: it has an owner. One blink a second: it waits for one. Quick: it is being reset.
void Firmware::show_status(Instant now) {
    const bool has_owner = server_->authority().has_owner();
    const bool is_blink = is_lit(now, 1'000);
    set_pin(board::kStatus, button_.is_down() ? is_lit(now, 200) : has_owner || is_blink);
}

void Firmware::load_identity() {
    if (!keystore::load_identity(storage_, identity_)) {
        fail(radio_, clock_, "fault: no identity");
    }
    if (!cose::Credential::parse(identity_.credential, credential_)) {
        fail(radio_, clock_, "fault: identity");
    }
}

void Firmware::run() {
    set_up_pins();
    if (!storage_.open()) fail(radio_, clock_, "fault: flash");
    load_identity();
    if (!lamp_.declare(catalog_) || !catalog_.function("repeat", repeat_))
        fail(radio_, clock_, "fault: sketch");
    framing::DeviceId id{};
    std::copy_n(credential_.hash().begin(), id.size(), id.begin());
    session::Server server{
        {.identity = {.credential = credential_, .private_key = identity_.private_key},
         .storage = storage_,
         .entropy = drbg_,
         .resources = catalog_,
         .parts = parts_.view(&slots_.updater()),
         .display = session::PairingDisplay::Label,
         .sessions = sessions_,
         .half_open = half_open_,
         .answers = answers_,
         .events = events_,
         .scratch = scratch_,
         .result = MutBytes{frame_}.last(kResultSize)}};
    server_ = &server;
    if (const Status started = server.start(clock_.now()); !started) {
        fail(radio_,
             clock_,
             started.error() == Error::EntropyFailed ? "fault: random numbers" : "fault: records");
    }
    slots_.updater().start(clock_.now());
    AirPort air{{.radio = radio_, .server = server, .device_id = id, .frame = frame_}};
    air.start();
    for (;;) {
        const Instant now = clock_.now();
        air.poll(now);
        on_button(button_.sample(is_button_down(), now), now);
        show_status(now);
        if (slots_.updater().wants_restart()) ports::nrf51::reset();
        if (drbg_.has_failed()) fail(radio_, clock_, "fault: random numbers");
        sleep(radio_, clock_, kIdle);
    }
}

}  // namespace

void run() {
    // A static object would be one that ends, and nothing here ever does.
    alignas(Firmware) static std::array<std::byte, sizeof(Firmware)> memory;
    (new (memory.data()) Firmware)->run();
}

}  // namespace sotto::firmware
