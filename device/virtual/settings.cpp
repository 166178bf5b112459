// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <CLI/CLI.hpp>

namespace sotto::device {
namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
    return value == nullptr ? "" : value;
}

// The XDG Base Directory Specification: the first of these that is absolute, or `otherwise`.
std::string folder_in(const char* variable, const std::string& otherwise) {
    const std::string folder = environment(variable);
    return folder.starts_with('/') ? folder : otherwise;
}

std::string default_state() {
    const std::string home = environment("HOME");
    return folder_in("XDG_STATE_HOME", (home.empty() ? "." : home) + "/.local/state") +
           "/sotto-device";
}

std::string default_air() { return folder_in("XDG_RUNTIME_DIR", "/tmp") + "/sotto/air"; }

void add_device(CLI::App& app, Settings& settings) {
    settings.state = default_state();
    settings.air = default_air();
    app.add_option("--state", settings.state, "Folder of identity, owner and sessions")
        ->envname("SOTTO_DEVICE_STATE")
        ->type_name("DIR")
        ->capture_default_str();
    app.add_option("--air", settings.air, "Folder of the air: this device is a socket in it")
        ->envname("SOTTO_AIR")
        ->type_name("DIR")
        ->capture_default_str();
    app.add_option("--name", settings.name, "What it is called on the air")
        ->type_name("NAME")
        ->capture_default_str();
    app.add_option("--code-file", settings.code_file, "Also write the pairing code there")
        ->type_name("FILE");
    app.add_flag("--label",
                 settings.has_label,
                 "The code is on a label: it stays at a reset, and pairing wants the button "
                 "pressed (SIGUSR1). Said at the first start; kept from then on");
    app.add_option("--mtu", settings.value_size_max, "Largest value on the air, in bytes")
        ->type_name("SIZE")
        ->check(CLI::Range(framing::kValueSizeDefault, framing::kValueSizeMax))
        ->capture_default_str();
}

void add_sketch(CLI::App& app, SketchOptions& sketch) {
    app.add_option("--function",
                   sketch.functions,
                   "One more function: NAME answers its argument, NAME=RESULT the result")
        ->type_name("NAME[=RESULT]")
        ->expected(1)
        ->take_all();
    app.add_option("--variable", sketch.variables, "One more variable")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all();
    app.add_option(
           "--event", sketch.events, "One more event, published after every --function that runs")
        ->type_name("NAME=PAYLOAD")
        ->expected(1)
        ->take_all();
}

constexpr const char* kFooter =
    "Signals: SIGUSR1 presses the button, SIGUSR2 is the factory reset, SIGINT and SIGTERM stop "
    "it.\n"
    "Exit codes: 0 stopped by a signal, or reset; 1 cannot run; 2 wrong usage.";

}  // namespace

std::variant<Settings, Leave> parse_command_line(std::vector<std::string> arguments) {
    CLI::App app{"A lamp on the virtual air, or whatever the options make of it.", "sotto-device"};
    Settings settings;
    app.set_version_flag("--version", "sotto-device " SOTTO_VERSION);
    app.require_subcommand(0, 1);
    app.fallthrough();
    app.footer(kFooter);
    add_device(app, settings);
    add_sketch(app, settings.sketch);
    const CLI::App& reset = *app.add_subcommand(
        "reset", "Forget the owner, the cloud and all sessions, and leave (factory reset)");
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    try {
        app.parse(arguments);
    } catch (const CLI::ParseError& error) {
        std::ostringstream output;
        std::ostringstream complaint;
        const int code = app.exit(error, output, complaint);
        return Leave{output.str(), complaint.str(), code == 0 ? 0 : 2};
    }
    settings.is_reset = reset.parsed();
    return settings;
}

}  // namespace sotto::device
