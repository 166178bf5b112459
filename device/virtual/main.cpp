// SPDX-License-Identifier: Apache-2.0
// sotto-device: the wiring.
#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>

#include "core/base/hex.hpp"
#include "device/virtual/air_port.hpp"
#include "device/virtual/bluz_port.hpp"
#include "device/virtual/bluz_state.hpp"
#include "device/virtual/code_display.hpp"
#include "device/virtual/heartbeat.hpp"
#include "device/virtual/key_files.hpp"
#include "device/virtual/nap.hpp"
#include "device/virtual/settings.hpp"
#include "device/virtual/udp_port.hpp"
#include "ports/linux/system_clock.hpp"
#include "ports/linux/system_entropy.hpp"

namespace {

using namespace sotto;
using namespace sotto::device;
using ports::SystemClock;

constexpr int kCannotRun = 1;

class StandardOutput final : public Log {
  public:
    void line(const std::string& text) override { std::cout << text << '\n' << std::flush; }
};

Outcome<> make_air_folder(const std::string& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) return {};
    if (const auto made = ports::open_private_folder(path); !made)
        return made.error().detail + ". Name another folder with --air";
    return {};
}

// Signals stand for what a finger would do.
class Buttons {
  public:
    Buttons(boost::asio::io_context& loop, Device& device)
        : loop_(loop), device_(device), signals_(loop, SIGINT, SIGTERM) {
        signals_.add(SIGUSR1);
        signals_.add(SIGUSR2);
        wait();
    }

  private:
    void wait() {
        signals_.async_wait([this](boost::system::error_code error, int signal) {
            if (error || signal == SIGINT || signal == SIGTERM) return loop_.stop();
            if (signal == SIGUSR1) device_.on_button(SystemClock::now());
            if (signal == SIGUSR2) device_.on_reset(SystemClock::now());
            wait();
        });
    }

    boost::asio::io_context& loop_;
    Device& device_;
    boost::asio::signal_set signals_;
};

// The numbers of an OSCORE context from outside, under a name made of the context.
Outcome<ports::FileStorage> open_numbers(const Settings& settings, const std::string& name) {
    auto storage = ports::FileStorage::open(settings.state + "/oscore/" + name);
    if (!storage) return storage.error().detail;
    if (storage->is_copy())
        return "the numbers of the OSCORE context in " + settings.state +
               " are a copy: others may have been used since. Take a new context";
    return *std::move(storage);
}

// What is served in the open, and as whom.
struct Bluz {
    BluzState state;
    std::unique_ptr<particle::Crypto> crypto;
    OpenMembers members;
};

// Nothing unless it is asked for.
Outcome<std::optional<Bluz>> open_bluz(const Settings& settings,
                                       hal::Entropy& entropy,
                                       Device& device,
                                       Log& log) {
    if (settings.bluz_server_key_file.empty()) return std::optional<Bluz>{};
    SOTTO_TRY_ASSIGN(const auto server, read_server_key(settings.bluz_server_key_file));
    SOTTO_TRY_ASSIGN(BluzState state, BluzState::open(settings.state, entropy));
    auto crypto = state.key().make_crypto(server);
    Bluz bluz{.state = std::move(state),
              .crypto = std::move(crypto),
              .members = OpenMembers{device, log}};
    for (const std::string& name : settings.bluz_open) SOTTO_TRY(bluz.members.open(name));
    log.line("bluz: board " + to_hex<std::string>(bluz.state.id()) + ", public key in " +
             bluz.state.public_key_file());
    const std::string open = bluz.members.list();
    log.line(open.empty() ? "bluz: nothing is open: see --bluz-open"
                          : "bluz: in the open, for its gateway and cloud to read, forge and "
                            "repeat: " +
                                open);
    return std::optional{std::move(bluz)};
}

// Everything that runs, in the order in which it is built.
class Surroundings {
  public:
    Surroundings(const Settings& settings,
                 const KeyFiles& keys,
                 Device& device,
                 std::optional<Bluz>& bluz,
                 Log& log)
        : settings_(settings),
          keys_(keys),
          device_(device),
          bluz_(bluz),
          log_(log),
          bus_(settings.ble_adapter.empty() ? nullptr : std::make_unique<air::bluez::Bus>(loop_)),
          adapter_(settings.ble_adapter == kAnyAdapter ? "" : settings.ble_adapter),
          air_(loop_,
               device,
               log,
               {.folder = settings.air,
                .bus = bus_.get(),
                .adapter = adapter_,
                .name = settings.name,
                .value_size_max = settings.value_size_max}),
          udp_(loop_, device),
          heartbeat_(loop_, device),
          display_(log,
                   {.style = ::isatty(STDOUT_FILENO) == 1 ? QrStyle::Colour : QrStyle::Plain,
                    .file = settings.code_file}) {}

    Outcome<> open() {
        if (keys_.context) SOTTO_TRY(open_context(*keys_.context));
        if (settings_.ble_adapter.empty()) SOTTO_TRY(make_air_folder(settings_.air));
        SOTTO_TRY(air_.open());
        if (bluz_) SOTTO_TRY(open_bluz_port(*bluz_));
        if (settings_.coap_port)
            SOTTO_TRY(udp_.open({.address = settings_.coap_address, .port = *settings_.coap_port}));
        log_.line("device " + to_hex<std::string>(device_id_of(device_.credential())) + " (" +
                  settings_.name + ") is on the air of " +
                  (settings_.ble_adapter.empty() ? settings_.air
                                                 : "Bluetooth, adapter " + settings_.ble_adapter));
        if (settings_.coap_port) log_.line("it serves " + udp_.url());
        device_.set_on_owner_changed([this] {
            if (const auto shown = show(); !shown) log_.line(shown.error());
        });
        if (settings_.sleep) nap_.emplace(loop_, device_, air_, log_, *settings_.sleep);
        buttons_.emplace(loop_, device_);  // whoever sees the code may press them
        return show();
    }
    void run() { loop_.run(); }

  private:
    Outcome<> show() { return display_.show(device_.authority(), device_.credential()); }
    Outcome<> open_bluz_port(Bluz& bluz) {
        bluz_port_.emplace(loop_,
                           BluzPort::Setup{.device = device_,
                                           .members = bluz.members,
                                           .crypto = *bluz.crypto,
                                           .log = log_,
                                           .id = bluz.state.id()});
        if (!bus_) return bluz_port_->open(settings_.air);
        bluz_port_->open(*bus_, adapter_);
        return {};
    }
    Outcome<> open_context(const ports::ContextFile& file) {
        SOTTO_TRY_ASSIGN(numbers_, open_numbers(settings_, file.name));
        session::SessionTable::Fixed fixed{
            .context = file.context, .storage = *numbers_, .is_new = settings_.is_new_context};
        if (file.id_context) fixed.id_context = Bytes{*file.id_context};
        return device_.add_context(fixed, SystemClock::now());
    }

    const Settings& settings_;
    const KeyFiles& keys_;
    Device& device_;
    std::optional<Bluz>& bluz_;
    Log& log_;
    boost::asio::io_context loop_{1};
    std::unique_ptr<air::bluez::Bus> bus_;
    std::string adapter_;  // empty: the first one
    std::optional<ports::FileStorage> numbers_;
    AirPort air_;
    std::optional<BluzPort> bluz_port_;
    UdpPort udp_;
    Heartbeat heartbeat_;
    CodeDisplay display_;
    std::optional<Nap> nap_;
    std::optional<Buttons> buttons_;
};

Outcome<> run(const Settings& settings) {
    StandardOutput log;
    ports::SystemEntropy entropy;
    SOTTO_TRY_ASSIGN(const KeyFiles keys, read_key_files(settings));
    SOTTO_TRY_ASSIGN(
        DeviceState state,
        DeviceState::open({.folder = settings.state,
                           .display = settings.has_label ? session::PairingDisplay::Label
                                                         : session::PairingDisplay::Screen,
                           .identity = keys.identity ? &*keys.identity : nullptr},
                          entropy));
    if (settings.is_reset) {
        SOTTO_TRY(state.factory_reset(entropy));
        log.line("reset: owner, cloud and sessions are forgotten");
        return {};
    }
    SOTTO_TRY(state.trust(keys.trusted));
    Device device{{.state = state, .entropy = entropy, .log = log, .trusted = keys.trusted}};
    SOTTO_TRY(device.start(settings.sketch, SystemClock::now()));
    SOTTO_TRY_ASSIGN(auto bluz, open_bluz(settings, entropy, device, log));
    Surroundings surroundings{settings, keys, device, bluz, log};
    SOTTO_TRY(surroundings.open());
    surroundings.run();
    log.line("stopped");
    return {};
}

int leave(const Leave& leave) {
    std::cout << leave.output;
    std::cerr << leave.error;
    return leave.code;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // whoever reads our output may go; the device stays
    try {
        const auto parsed = parse_command_line({argv + 1, argv + argc});
        if (const auto* nothing = std::get_if<Leave>(&parsed)) return leave(*nothing);
        const Outcome<> outcome = run(std::get<Settings>(parsed));
        if (outcome) return EXIT_SUCCESS;
        std::cerr << "sotto-device: " << outcome.error() << ".\n";
    } catch (const std::exception& error) {
        std::cerr << "sotto-device: an unexpected error: " << error.what() << '\n';
    }
    return kCannotRun;
}
