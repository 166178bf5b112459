// SPDX-License-Identifier: Apache-2.0
#include "app/cli/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>

#include "app/cli/exit_code.hpp"

namespace sotto::app {
namespace {

constexpr Duration kWithinMax = days(7);
constexpr Duration kLifetimeMax = days(3'660);

// "30s", "10m", "12h", "7d"; nothing for what is none or too long.
std::optional<Duration> parse_duration(const std::string& text, Duration max) {
    std::int64_t count = 0;
    const char* end = text.data() + text.size();
    const auto [unit, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc{} || unit + 1 != end || count < 1 || count > 1'000'000'000)
        return std::nullopt;
    constexpr std::pair<char, std::int64_t> kUnits[] = {
        {'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}};
    for (const auto& [name, size] : kUnits) {
        if (name == *unit && seconds(count * size) <= max) return seconds(count * size);
    }
    return std::nullopt;
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
    return value == nullptr ? "" : value;
}

// The XDG Base Directory Specification, with the state in ~/.local/state by default.
std::string default_state() {
    const std::string state = environment("XDG_STATE_HOME");
    if (state.starts_with('/')) return state + "/sotto";
    const std::string home = environment("HOME");
    return (home.empty() ? "." : home) + "/.local/state/sotto";
}

std::string default_air() {
    const std::string runtime = environment("XDG_RUNTIME_DIR");
    return (runtime.starts_with('/') ? runtime : "/tmp") + "/sotto/air";
}

std::string footer() {
    std::ostringstream text;
    text << "Exit codes:\n";
    for (const ExitRow& row : exit_table())
        text << "  " << static_cast<int>(row.code) << "  " << row.meaning << "\n";
    text << "\nDEVICE is a name (pair --name), an id, or the beginning of an id. What begins with "
            "a\n"
            "dash and is no option goes behind --, as in: sotto call heater set -- -5";
    return text.str();
}

void add_settings(CLI::App& app, Settings& settings) {
    settings.state = default_state();
    settings.air = default_air();
    app.add_option("--state", settings.state, "Folder of keys, login and devices")
        ->envname("SOTTO_STATE")
        ->type_name("DIR")
        ->capture_default_str();
    app.add_option("--air", settings.air, "Folder of the air: devices nearby are sockets in it")
        ->envname("SOTTO_AIR")
        ->type_name("DIR")
        ->capture_default_str();
    app.add_option(
           "--ble",
           settings.ble_adapter,
           "With --local: look for devices of Bluetooth LE, through BlueZ, instead; hci0 or "
           "another adapter, or any")
        ->envname("SOTTO_BLE")
        ->type_name("ADAPTER");
    app.add_flag("--local", settings.is_local, "Talk to the device directly, without the cloud");
    app.add_flag("--json", settings.is_json, "Print JSON, one value a line; errors too");
    app.add_flag("--insecure",
                 settings.allow_clear,
                 "Let the token cross a network in the clear (http:// beyond this machine)");
    app.add_option_function<std::int64_t>(
           "--timeout",
           [&settings](const std::int64_t& limit) { settings.patience = seconds(limit); },
           "Seconds after which nobody is waited for any more (default 20)")
        ->check(CLI::Range(1, 3'600))
        ->type_name("SECONDS");
}

// Declares a subcommand whose options fill `command`; it counts if the subcommand is given.
template <class T>
CLI::App& declare(CLI::App& app,
                  std::optional<Command>& chosen,
                  const std::string& name,
                  const std::string& help,
                  void (*add_options)(CLI::App&, T&)) {
    const auto command = std::make_shared<T>();
    CLI::App& subcommand = *app.add_subcommand(name, help);
    add_options(subcommand, *command);
    subcommand.final_callback([command, &chosen] { chosen = *command; });
    return subcommand;
}

void add_pair(CLI::App& app, PairCommand& command) {
    app.add_option("CODE", command.code, "The code on the device's screen or label (SOTTO:1...)")
        ->required();
    app.add_option("--name", command.name, "What to call the device")->type_name("NAME");
}

void add_call(CLI::App& app, CallCommand& command) {
    app.add_option("DEVICE", command.device)->required();
    app.add_option("FUNCTION", command.function)->required();
    auto* argument =
        app.add_option("ARG", command.argument, "The argument; empty if there is none");
    app.add_option("--file", command.file, "File with the argument, up to 65536 bytes; - is stdin")
        ->type_name("FILE")
        ->excludes(argument);
    app.add_flag("--raw", command.is_raw, "Print the result byte for byte, without a line end");
    app.add_option_function<std::string>(
           "--within",
           [&command](const std::string& text) {
               command.within = parse_duration(text, kWithinMax);
           },
           "If the device is away, let the cloud keep the call for so long (30s, 10m, 12h, 7d)")
        ->check([](const std::string& text) {
            return parse_duration(text, kWithinMax)
                       ? std::string{}
                       : "a number and s, m, h or d, up to 7d, as in 10m";
        })
        ->type_name("DURATION");
}

void add_outbox(CLI::App& app, OutboxCommand& command) {
    app.add_option("DEVICE", command.device, "Without it: of all devices");
}

void add_get(CLI::App& app, GetCommand& command) {
    app.add_option("DEVICE", command.device)->required();
    auto* variable =
        app.add_option("VARIABLE", command.variable, "Without it: what the device offers");
    app.add_flag("--raw", command.is_raw, "Print the value byte for byte, without a line end")
        ->needs(variable);
}

void add_watch(CLI::App& app, WatchCommand& command) {
    app.add_option("DEVICE", command.device)->required();
    app.add_option("EVENT", command.event, "Without it: every event of the device");
    app.add_option("--count", command.count, "Leave after so many events")
        ->check(CLI::Range(1, 1'000'000'000));
}

void add_pin(CLI::App& app, LoginCommand& command) {
    app.add_option("--pin",
                   command.pin,
                   "The cloud is known by this fingerprint, as sotto-cloud certificate prints it, "
                   "instead of by its name")
        ->type_name("FINGERPRINT");
}

void add_login(CLI::App& app, LoginCommand& command) {
    app.add_option("URL", command.url, "The cloud, as https://cloud.example.org")->required();
    app.add_option("--token-file",
                   command.token_file,
                   "File with the token; otherwise SOTTO_TOKEN, or it is asked for")
        ->type_name("FILE");
    add_pin(app, command);
}

void add_move(CLI::App& app, MoveCommand& command) {
    app.add_option("DEVICE", command.device)->required();
    app.add_option("--to", command.login.url, "The cloud, as https://cloud.example.org")
        ->required()
        ->type_name("URL");
    app.add_option("--token-file",
                   command.login.token_file,
                   "File with the token there; otherwise SOTTO_TOKEN, or it is asked for")
        ->type_name("FILE");
    add_pin(app, command.login);
}

template <class T>
void add_backup(CLI::App& app, T& command) {
    app.add_option("FILE", command.file, "The backup")->required();
    app.add_option("--passphrase-file",
                   command.passphrase_file,
                   "File with the passphrase; otherwise SOTTO_PASSPHRASE, or it is asked for")
        ->type_name("FILE");
}

void add_takeover(CLI::App& app, TakeoverCommand& command) {
    app.add_option("DEVICE", command.device, "Without it: all devices known here");
}

void add_lifetime(CLI::App& app, std::optional<Duration>& lifetime) {
    app.add_option_function<std::string>(
           "--for",
           [&lifetime](const std::string& text) { lifetime = parse_duration(text, kLifetimeMax); },
           "For so long (12h, 7d, 365d); without it until it is taken back")
        ->check([](const std::string& text) {
            return parse_duration(text, kLifetimeMax) ? std::string{}
                                                      : "a number and s, m, h or d, as in 7d";
        })
        ->type_name("DURATION");
}

void add_share(CLI::App& app, ShareCommand& command) {
    app.add_option("DEVICE", command.device)->required();
    app.add_option("KEY", command.key, "The guest's key, as his `sotto key` prints it")->required();
    app.add_option("--name", command.name, "What to call the guest")->type_name("NAME");
    app.add_option("--only", command.scope, "What he may use, as in f/lamp,v/lamp,e/button")
        ->type_name("LIST");
    add_lifetime(app, command.lifetime);
}

void add_accept(CLI::App& app, AcceptCommand& command) {
    app.add_option("INVITATION", command.invitation, "The text from its owner (SOTTO:I...)")
        ->required();
    app.add_option("--name", command.name, "What to call the device")->type_name("NAME");
}

void add_revoke(CLI::App& app, RevokeCommand& command) {
    app.add_option("DEVICE", command.device)->required();
    auto* guest = app.add_option("GUEST", command.guest, "His name or number: sotto guests");
    auto* all = app.add_flag(
        "--all", command.is_all, "Everybody's, by a new key of the owner: sotto takeover");
    guest->excludes(all);
}

void add_open(CLI::App& app, OpenCommand& command) {
    app.add_option("DEVICE", command.device)->required();
    app.add_option("LIST", command.scope, "What the cloud may use, as in f/lamp,v/lamp,e/button")
        ->required();
    add_lifetime(app, command.lifetime);
}

template <class DeviceCommand>
void add_device(CLI::App& app, DeviceCommand& command) {
    app.add_option("DEVICE", command.device)->required();
}

void add_update(CLI::App& app, UpdateCommand& command) {
    app.add_option("DEVICE", command.device, "Name, id, or the beginning of an id")->required();
    app.add_option("FILE", command.file, "The update, from the publisher of its firmware")
        ->required();
}

void add_keys_flash(CLI::App& app, KeysFlashCommand& command) {
    app.add_option("--serial", command.serial, "The board's serial line, as /dev/ttyUSB0")
        ->type_name("PORT")
        ->required();
    app.add_option("--device-key", command.device_key_file, "The device's private key, DER")
        ->type_name("FILE");
    app.add_option("--server-key", command.server_key_file, "The public key of its cloud, DER")
        ->type_name("FILE");
}

template <CoapMethod kMethod>
void add_coap(CLI::App& app, CoapCommand& command) {
    command.method = kMethod;
    app.add_option("URL", command.url, "coap://HOST:PORT/PATH")->required();
    app.add_option("--payload", command.payload, "The payload, as text, or as hex with --cbor");
    app.add_flag("--cbor", command.is_cbor, "Speak CBOR (60) instead of text: printed as hex");
    auto* identity = app.add_option("--identity", command.identity_file, "Our private key, PEM");
    auto* own = app.add_option("--cred", command.credential_file, "Our credential, a CCS in CBOR");
    auto* peer = app.add_option("--peer", command.peer_file, "The server's credential, a CCS");
    identity->needs(own)->needs(peer)->type_name("FILE");
    own->needs(identity)->type_name("FILE");
    peer->needs(identity)->type_name("FILE");
    auto* oscore = app.add_option("--oscore", command.oscore_file, "An OSCORE context, TOML");
    oscore->excludes(identity)->type_name("FILE");
    app.add_flag(
           "--new-context", command.is_new_context, "The OSCORE context was never used by anybody")
        ->needs(oscore);
    if (kMethod == CoapMethod::Observe)
        app.add_option("--count", command.count, "Leave after so many notifications")
            ->check(CLI::Range(1, 1'000'000'000));
}

void add_commands(CLI::App& app, std::optional<Command>& chosen) {
    declare<PairCommand>(app, chosen, "pair", "Become the owner of a device", add_pair);
    declare<DevicesCommand>(
        app, chosen, "devices", "List the devices known here", [](CLI::App&, DevicesCommand&) {});
    declare<CallCommand>(app, chosen, "call", "Call a function of a device", add_call);
    declare<OutboxCommand>(
        app, chosen, "outbox", "What became of calls that wait for a device", add_outbox);
    declare<GetCommand>(app, chosen, "get", "Read a variable of a device", add_get);
    declare<WatchCommand>(
        app, chosen, "watch", "Print events of a device as they happen", add_watch);
    declare<LoginCommand>(app, chosen, "login", "Sign in at a cloud", add_login);
    declare<MoveCommand>(app, chosen, "move", "Take a device to another cloud", add_move);
    declare<ExportCommand>(app,
                           chosen,
                           "export",
                           "Write devices and their keys to a file, under a passphrase",
                           add_backup<ExportCommand>);
    declare<ImportCommand>(app,
                           chosen,
                           "import",
                           "Take devices and their keys from such a file",
                           add_backup<ImportCommand>);
    declare<TakeoverCommand>(app,
                             chosen,
                             "takeover",
                             "Give devices new keys, so that nobody else has them",
                             add_takeover);
    declare<KeyCommand>(app,
                        chosen,
                        "key",
                        "Print your key, for an owner who wants to share with you",
                        [](CLI::App&, KeyCommand&) {});
    declare<ShareCommand>(app, chosen, "share", "Let somebody else use a device", add_share);
    declare<AcceptCommand>(app, chosen, "accept", "Take the device of an invitation", add_accept);
    declare<GuestsCommand>(
        app, chosen, "guests", "List who was let in to a device", add_device<GuestsCommand>);
    declare<RevokeCommand>(app, chosen, "revoke", "Take access back", add_revoke);
    declare<OpenCommand>(
        app, chosen, "open", "Let the cloud use something of a device, for its REST API", add_open);
    declare<CloseCommand>(app, chosen, "close", "Seal a device again", add_device<CloseCommand>);
    declare<TagCommand>(app,
                        chosen,
                        "tag",
                        "Let the gateways of the cloud recognise a device on the air",
                        add_device<TagCommand>);
    declare<UntagCommand>(app, chosen, "untag", "Take that back", add_device<UntagCommand>);
    declare<UpdateCommand>(app,
                           chosen,
                           "update",
                           "Give a device another firmware, signed by its publisher",
                           add_update);
    CLI::App& keys = *app.add_subcommand("keys", "The keys of a bluz board, by its serial line");
    keys.require_subcommand(1);
    keys.fallthrough();
    declare<KeysFlashCommand>(
        keys, chosen, "flash", "Put keys on a board that is in setup mode", add_keys_flash);
    CLI::App& coap = *app.add_subcommand("coap", "Talk to any CoAP server, with EDHOC or OSCORE");
    coap.require_subcommand(1);
    coap.fallthrough();
    declare<CoapCommand>(coap, chosen, "get", "GET", add_coap<CoapMethod::Get>);
    declare<CoapCommand>(coap, chosen, "post", "POST", add_coap<CoapMethod::Post>);
    declare<CoapCommand>(
        coap, chosen, "observe", "GET, and print what changes", add_coap<CoapMethod::Observe>);
}

}  // namespace

std::variant<CommandLine, Leave> parse_command_line(std::vector<std::string> arguments) {
    CLI::App app{"Private commands and events between you and your devices.", "sotto"};
    Settings settings;
    std::optional<Command> chosen;
    app.set_version_flag("--version", "sotto " SOTTO_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    app.footer(footer());
    add_settings(app, settings);
    add_commands(app, chosen);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    try {
        app.parse(arguments);
    } catch (const CLI::ParseError& error) {
        std::ostringstream output;
        std::ostringstream complaint;
        const int code = app.exit(error, output, complaint);
        return Leave{output.str(),
                     complaint.str(),
                     static_cast<int>(code == 0 ? ExitCode::Done : ExitCode::Usage)};
    }
    return CommandLine{settings, *chosen};
}

}  // namespace sotto::app
