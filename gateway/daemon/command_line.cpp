// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <iterator>

#include <CLI/CLI.hpp>

#include "gateway/daemon/settings.hpp"
#include "gateway/daemon/status_port.hpp"
#include "ports/service/options.hpp"

namespace sotto::gateway {

namespace {

int complain(const std::string& text) {
    std::cerr << "sotto-gateway: " << text << std::endl;
    return 2;
}

int print(Settings& settings) {
    Settings defaults;
    std::cout << ports::print_settings(table_of(settings), table_of(defaults)) << std::flush;
    return 0;
}

// The air and the clouds.
std::vector<ports::Setting> table_of_hops(Settings& settings) {
    return {
        {"air",
         "DIR",
         "folder of the virtual air; it or bluetooth must be named",
         &settings.air_folder},
        {"bluetooth",
         "ADAPTER",
         "adapters of BlueZ that look for devices of Bluetooth LE, such as hci0; all: every one",
         &settings.adapters},
        {"cloud",
         "HOST:PORT",
         "the clouds that are served, one at least. The first one is the default: devices without "
         "owner go there",
         &settings.clouds},
        {"token-file",
         "FILE",
         "file with this gateway's token, for every cloud without one of its own",
         &settings.token_file},
        {"token", "HOST:PORT=FILE", "files with tokens for single clouds", &settings.tokens},
        {"pin",
         "[HOST:PORT=]FINGERPRINT",
         "speak TLS with a cloud, and know it by what sotto-cloud certificate prints there; for "
         "one "
         "cloud or for all",
         &settings.pins},
        {"ca",
         "[HOST:PORT=]FILE",
         "speak TLS with a cloud, and know it by its name and the authorities in this file, in "
         "PEM; "
         "for one cloud or for all. Clouds with neither that are not on this machine must be known "
         "to an authority of the system",
         &settings.authorities},
        {"insecure",
         "",
         "speak in the clear with clouds beyond this machine that have neither pin nor ca: the "
         "token can be read in the network",
         &settings.insecure},
    };
}

// bluz devices, values, and what an operator looks at.
std::vector<ports::Setting> table_of_the_rest(Settings& settings) {
    return {
        {.name = "serve",
         .type = "WHOM",
         .help = "devices to connect to over Bluetooth: all, or account: of those with an owner "
                 "the ones whose tags a cloud has given, which are the ones that sotto tag named "
                 "there, of the account that this gateway's token is of; and those without a tag",
         .place = &settings.serve,
         .choices = {kServeAll, kServeAccount}},
        {"device",
         "ID",
         "devices that are served, by their ids of 24 hex digits; none named: all. The others are "
         "let go when they have said who they are",
         &settings.device_ids},
        {"legacy",
         "HOST:PORT",
         "the server of legacy devices, such as the port particle of a sotto-cloud: each bluz "
         "device "
         "in reach gets a TCP stream there, which is encrypted by that protocol; empty: none does",
         &settings.legacy},
        {"bluz-device",
         "ID",
         "bluz devices that are served, by their ids of 24 hex digits, which nothing proves; none "
         "named: all",
         &settings.bluz_ids},
        {"unencrypted-local",
         "DIR",
         "folder, of its own, for sockets by which apps on this machine exchange custom data with "
         "bluz devices, in the clear: whoever is near can read and forge it; empty: such data is "
         "dropped",
         &settings.local_folder},
        {"connection-interval",
         "[ID=]MIN-MAX[/LATENCY]",
         "how often the radio turns to a device over Bluetooth, in milliseconds, and how many of "
         "these turns it may skip: of one device, by its id, or of all others; none named: as the "
         "system has it. It takes CAP_NET_RAW; sotto-gateway status tells what a link has",
         &settings.connection_intervals},
        {.name = "mtu",
         .type = "BYTES",
         .help = "largest value on the air",
         .place = &settings.value_size_max,
         .least = framing::kValueSizeDefault,
         .most = framing::kValueSizeMax},
        {"capture",
         "FILE",
         "record what passes of Sotto's own devices, sealed as it is and without tokens, in lines "
         "of: direction device "
         "label hex; empty: do not",
         &settings.capture_file},
        {"status-socket",
         "PATH",
         "UNIX socket where sotto-gateway status asks how it stands, for its user and group; "
         "empty: "
         "none",
         &settings.status_socket},
    };
}

}  // namespace

std::vector<ports::Setting> table_of(Settings& settings) {
    std::vector<ports::Setting> table = table_of_hops(settings);
    const std::vector<ports::Setting> rest = table_of_the_rest(settings);
    table.insert(table.end(), rest.begin(), rest.end());
    const std::vector<ports::Setting> log = {
        {.name = "log-level",
         .type = "LEVEL",
         .help = "how much is told on standard error: debug, info, warn or error",
         .place = &settings.log_level,
         .choices = {std::begin(ports::kLogLevels), std::end(ports::kLogLevels)}},
        {.name = "log-format",
         .type = "FORMAT",
         .help = "how it is told: text, a line of words for each event, or json, an object",
         .place = &settings.log_format,
         .choices = {std::begin(ports::kLogFormats), std::end(ports::kLogFormats)}},
    };
    table.insert(table.end(), log.begin(), log.end());
    return table;
}

SettingsOrExit read_command_line(int argc, char** argv) {
    Settings settings;
    std::vector<ports::Setting> table = table_of(settings);
    std::string file;
    bool must_print = false;
    CLI::App app{"Carries sealed messages between devices on the air and clouds. Holds no keys.",
                 "sotto-gateway"};
    ports::SettingOptions options{app, table};
    app.add_option("--settings", file, "TOML file with the same names as these options")
        ->type_name("FILE");
    app.add_flag("--print-settings",
                 must_print,
                 "print all settings as a file, with what they mean, and end");
    bool is_json = false;
    bool is_metrics = false;
    CLI::App* status = app.add_subcommand(
        "status", "Print how the gateway stands that runs with this status-socket, and end");
    status->add_flag("--json", is_json, "as JSON");
    status->add_flag("--metrics", is_metrics, "as metrics for Prometheus")->excludes("--json");
    status->fallthrough();
    app.set_version_flag("--version", "sotto-gateway " SOTTO_VERSION);
    app.footer(
        "Exit codes: 0 stopped by SIGTERM or SIGINT, 1 cannot run, 2 wrong usage or settings.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    options.mark_given();
    if (!file.empty()) {
        const auto read = ports::read_settings_file(file, table);
        if (!read) return complain(read.error().text);
    }
    if (must_print) return print(settings);
    if (status->parsed()) {
        if (settings.status_socket.empty())
            return complain("--status-socket PATH is missing; see --help");
        return show_status(settings.status_socket,
                           is_json      ? "json"
                           : is_metrics ? "metrics"
                                        : "text");
    }
    if (settings.air_folder.empty() && settings.adapters.empty())
        return complain("--air DIR or --bluetooth ADAPTER is missing; see --help");
    if (settings.clouds.empty()) return complain("--cloud HOST:PORT is missing; see --help");
    return settings;
}

}  // namespace sotto::gateway
