// SPDX-License-Identifier: Apache-2.0
// sotto-device: the wiring.
#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>

#include "device/virtual/air_port.hpp"
#include "device/virtual/code_display.hpp"
#include "device/virtual/settings.hpp"
#include "ports/linux/system_clock.hpp"
#include "ports/linux/system_entropy.hpp"

namespace {

using namespace sotto;
using namespace sotto::device;
using ports::SystemClock;

constexpr int kCannotRun = 1;

class StandardOutput final : public Log {
  public:
    void line(const std::string& text) override { std::cout << text << std::endl; }
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

Outcome<> serve(const Settings& settings, DeviceState& state, hal::Entropy& entropy, Log& log) {
    boost::asio::io_context loop{1};
    Device device{{.state = state, .entropy = entropy, .log = log}};
    SOTTO_TRY(device.start(settings.sketch, SystemClock::now()));
    SOTTO_TRY(make_air_folder(settings.air));
    AirPort air{
        loop,
        device,
        {.folder = settings.air, .name = settings.name, .value_size_max = settings.value_size_max}};
    SOTTO_TRY(air.open());
    Buttons buttons{loop, device};
    log.line("device " + to_hex(device_id_of(state.credential())) + " (" + settings.name +
             ") is on the air of " + settings.air);
    CodeDisplay display{log,
                        {.style = ::isatty(STDOUT_FILENO) == 1 ? QrStyle::Colour : QrStyle::Plain,
                         .file = settings.code_file}};
    SOTTO_TRY(display.show(device.authority(), state.credential()));
    device.set_on_owner_changed([&] {
        const auto shown = display.show(device.authority(), state.credential());
        if (!shown) log.line(shown.error());
    });
    loop.run();
    log.line("stopped");
    return {};
}

Outcome<> run(const Settings& settings) {
    StandardOutput log;
    ports::SystemEntropy entropy;
    const auto display =
        settings.has_label ? session::PairingDisplay::Label : session::PairingDisplay::Screen;
    SOTTO_TRY_ASSIGN(DeviceState state, DeviceState::open(settings.state, display, entropy));
    if (!settings.is_reset) return serve(settings, state, entropy, log);
    SOTTO_TRY(state.factory_reset(entropy));
    log.line("reset: owner, cloud and sessions are forgotten");
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
        std::cerr << "sotto-device: " << outcome.error() << '\n';
    } catch (const std::exception& error) {
        std::cerr << "sotto-device: an unexpected error: " << error.what() << '\n';
    }
    return kCannotRun;
}
