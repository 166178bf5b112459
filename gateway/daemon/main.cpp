// SPDX-License-Identifier: Apache-2.0
// sotto-gateway: the wiring.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "air/bluez/bluez_central.hpp"
#include "air/virtual/virtual_central.hpp"
#include "core/base/assert.hpp"
#include "gateway/daemon/settings.hpp"
#include "gateway/daemon/status_port.hpp"
#include "ports/service/notify.hpp"

// This program has no port: nothing else of the core's needs reaches it.
void sotto::panic(const char* file, int line) {
    std::fprintf(stderr, "sotto-gateway: broken invariant at %s:%d\n", file, line);
    std::abort();
}

namespace sotto::gateway {
namespace {

// Tells the service manager, each second, that the event loop turns.
class Pulse {
  public:
    explicit Pulse(boost::asio::io_context& loop) : timer_(loop) {}

    void start() {
        manager_.say_ready();
        beat();
    }
    void stop() const { manager_.say_stopping(); }

  private:
    void beat() {
        manager_.say_alive();
        timer_.expires_after(std::chrono::seconds{1});
        timer_.async_wait([this](boost::system::error_code error) {
            if (!error) beat();
        });
    }

    boost::asio::steady_timer timer_;
    const ports::ServiceManager manager_;
};

// The virtual air, or that of Bluetooth adapters.
class Air {
  public:
    Air(boost::asio::io_context& loop, const Settings& settings, bool takes_bluz) {
        if (!settings.air_folder.empty()) {
            name_ = settings.air_folder;
            central_ = std::make_unique<air::VirtualCentral>(
                loop, settings.air_folder, settings.value_size_max, takes_bluz);
            return;
        }
        const auto adapters = adapters_of(settings);
        name_ = "Bluetooth";
        for (const std::string& adapter : adapters) name_ += " " + adapter;
        bus_.emplace(loop);
        central_ = std::make_unique<air::bluez::BluezCentral>(
            loop,
            *bus_,
            air::bluez::BluezCentral::Options{.adapters = adapters,
                                              .value_size_max = settings.value_size_max,
                                              .takes_bluz = takes_bluz});
    }

    air::Central& central() { return *central_; }
    const std::string& name() const { return name_; }

  private:
    std::string name_;
    std::optional<air::bluez::Bus> bus_;
    std::unique_ptr<air::Central> central_;
};

int run(const Settings& settings, Log& log) {
    const auto fail = [&](const std::string& text) {
        log.error("failed", {{"why", text}});
        return EXIT_FAILURE;
    };
    if (const std::string wrong = check_air(settings); !wrong.empty()) return fail(wrong);
    auto uplinks = load_uplinks(settings);
    if (const auto* complaint = std::get_if<Complaint>(&uplinks)) return fail(complaint->text);
    auto bluz = load_bluz(settings);
    if (const auto* complaint = std::get_if<Complaint>(&bluz)) return fail(complaint->text);
    const auto admission = load_admission(settings);
    if (const auto* complaint = std::get_if<Complaint>(&admission)) return fail(complaint->text);
    const auto& service = std::get<BluzService>(bluz);
    if (!service.local_folder.empty()) LocalPort::clear(service.local_folder);
    auto paces = load_paces(settings);
    if (const auto* complaint = std::get_if<Complaint>(&paces)) return fail(complaint->text);
    Capture capture;
    if (!settings.capture_file.empty() && !capture.open(settings.capture_file))
        return fail("--capture " + settings.capture_file + ": it cannot be written");

    boost::asio::io_context loop{1};
    Air air{loop, settings, service.is_offered()};
    Gateway gateway{loop,
                    air.central(),
                    std::get<std::vector<Uplink>>(uplinks),
                    service,
                    capture,
                    log,
                    std::get<relay::Admission>(admission)};
    gateway.set_paces(std::get<Paces>(std::move(paces)));
    StatusPort status{loop, [&gateway] { return gateway.report(); }};
    if (!settings.status_socket.empty()) {
        if (const std::string wrong = status.open(settings.status_socket); !wrong.empty())
            return fail("--status-socket " + settings.status_socket + ": " + wrong);
    }
    boost::asio::signal_set signals{loop, SIGTERM, SIGINT};
    Pulse pulse{loop};
    signals.async_wait([&](boost::system::error_code, int signal) {
        log.info("stopping", {{"signal", signal}});
        pulse.stop();
        loop.stop();
    });
    gateway.start();
    pulse.start();
    log.info("ready", {{"air", air.name()}});
    if (!service.local_folder.empty())
        log.warn("unencrypted-local",
                 {{"folder", service.local_folder},
                  {"what", "custom data of bluz devices passes here, unencrypted"}});
    loop.run();
    log.info("stopped");
    return EXIT_SUCCESS;
}

}  // namespace
}  // namespace sotto::gateway

int main(int argc, char** argv) {
    try {
        const auto read = sotto::gateway::read_command_line(argc, argv);
        if (const int* code = std::get_if<int>(&read)) return *code;
        const auto& settings = std::get<sotto::gateway::Settings>(read);
        sotto::gateway::Log log{sotto::ports::parse_log_level(settings.log_level),
                                sotto::ports::parse_log_format(settings.log_format)};
        return sotto::gateway::run(settings, log);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sotto-gateway: %s\n", error.what());
        return EXIT_FAILURE;
    }
}
