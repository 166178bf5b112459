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
    app.add_option(
           "--ble",
           settings.ble_adapter,
           "Be a device of Bluetooth LE, through BlueZ, instead: hci0 or another adapter, or "
           "any")
        ->type_name("ADAPTER");
    app.add_option("--name", settings.name, "What it is called on the air")
        ->type_name("NAME")
        ->capture_default_str();
    app.add_option("--code-file", settings.code_file, "Also write the pairing code there")
        ->type_name("FILE");
    app.add_flag("--label",
                 settings.has_label,
                 "The code is on a label: it stays at a reset, and pairing wants the button "
                 "pressed (SIGUSR1). Said at the first start; kept from then on");
    app.add_option_function<std::int64_t>(
           "--sleep",
           [&settings](const std::int64_t& time) { settings.sleep = seconds(time); },
           "Leave the air for so long whenever nobody needs the device, and keep the clock")
        ->check(CLI::Range(1, 86'400))
        ->type_name("SECONDS");
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

void add_foreign(CLI::App& app, Settings& settings) {
    CLI::Option* port = app.add_option("--coap-udp",
                                       settings.coap_port,
                                       "Serve CoAP over UDP too, for any client; 0 chooses a port")
                            ->type_name("PORT");
    app.add_option("--coap-bind", settings.coap_address, "The address for it")
        ->type_name("ADDRESS")
        ->needs(port)
        ->capture_default_str();
    CLI::Option* identity = app.add_option(
        "--identity", settings.identity_file, "The device's private key, PEM; kept in the state");
    CLI::Option* credential =
        app.add_option("--cred", settings.credential_file, "Its credential, a CCS in CBOR");
    identity->needs(credential)->type_name("FILE");
    credential->needs(identity)->type_name("FILE");
    app.add_option("--trust",
                   settings.trust_files,
                   "A credential that may use functions, variables and events, by EDHOC without "
                   "pairing; repeat for more")
        ->type_name("FILE")
        ->expected(1)
        ->take_all();
    CLI::Option* oscore =
        app.add_option("--oscore", settings.oscore_file, "An OSCORE context with the same rights")
            ->type_name("FILE");
    app.add_flag(
           "--new-context", settings.is_new_context, "The OSCORE context was never used by anybody")
        ->needs(oscore);
}

void add_bluz(CLI::App& app, Settings& settings) {
    CLI::Option* key = app.add_option("--bluz",
                                      settings.bluz_server_key_file,
                                      "Also be a bluz board, whose gateway carries it to the cloud "
                                      "of legacy devices with this public key, PEM or DER")
                           ->type_name("FILE")
                           ->excludes("--sleep");
    app.add_option("--bluz-open",
                   settings.bluz_open,
                   "What is there of the sketch, readable and forgeable for gateway and cloud: a "
                   "NAME, or f/NAME, v/NAME or e/NAME for the function, variable or event alone; "
                   "repeat for more")
        ->type_name("NAME")
        ->needs(key)
        ->expected(1)
        ->take_all();
}

constexpr const char* kFooter =
    "Signals: SIGUSR1 presses the button, SIGUSR2 is the factory reset, SIGINT and SIGTERM stop "
    "it.\n"
    "Exit codes: 0 stopped by a signal, or reset; 1 cannot run; 2 wrong usage.";

}  // namespace

std::variant<Settings, Leave> parse_command_line(std::vector<std::string> arguments) {
    CLI::App app{"A lamp on the virtual air or on Bluetooth, or whatever the options make of it.",
                 "sotto-device"};
    Settings settings;
    app.set_version_flag("--version", "sotto-device " SOTTO_VERSION);
    app.require_subcommand(0, 1);
    app.fallthrough();
    app.footer(kFooter);
    add_device(app, settings);
    add_sketch(app, settings.sketch);
    add_foreign(app, settings);
    add_bluz(app, settings);
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
