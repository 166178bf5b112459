// SPDX-License-Identifier: Apache-2.0
#include "device/chip/settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>

#include <CLI/CLI.hpp>

namespace sotto::chip {
namespace {

std::string default_air() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");  // NOLINT(concurrency-mt-unsafe)
    const bool is_absolute = runtime != nullptr && *runtime == '/';
    return (is_absolute ? std::string{runtime} : "/tmp") + "/sotto/air";
}

void add_provision(CLI::App& app, ProvisionCommand& command) {
    app.add_option(
           "--firmware", command.firmware, "Image of the firmware, 256 KB (sotto-firmware.bin)")
        ->required()
        ->type_name("FILE");
    app.add_option("--out", command.out, "Where the image for this one chip goes")
        ->required()
        ->type_name("FILE");
    app.add_option("--subject", command.subject, "Model and serial number; otherwise a random one")
        ->type_name("TEXT");
    app.add_option("--code-file", command.code_file, "Also write the pairing code there")
        ->type_name("FILE");
    app.add_option(
           "--publisher",
           command.publisher,
           "Public key of the firmware's publisher, PEM: the chip takes updates signed with "
           "it. Without one it takes none")
        ->type_name("FILE");
}

void add_sign(CLI::App& app, SignCommand& command) {
    app.add_option("--key", command.key, "Private key of the firmware's publisher, PEM")
        ->required()
        ->type_name("FILE");
    app.add_option("--version", command.version, "Of the firmware: above that of every one before")
        ->required()
        ->check(CLI::Range(1U, 0xffff'ffffU))
        ->type_name("N");
    app.add_option("--hardware", command.hardware, "What it runs on (device/firmware/board.hpp)")
        ->required()
        ->type_name("NAME");
    app.add_option("--slot-a", command.slot_a, "Image for slot A (sotto-firmware-a.bin)")
        ->required()
        ->type_name("FILE");
    app.add_option("--slot-b", command.slot_b, "Image for slot B (sotto-firmware-b.bin)")
        ->required()
        ->type_name("FILE");
    app.add_option("--out", command.out, "Where the update goes, for sotto update")
        ->required()
        ->type_name("FILE");
}

void add_air(CLI::App& app, AirCommand& command) {
    command.air = default_air();
    app.add_option("--uart", command.uart, "Serial port of the chip, or a UNIX socket")
        ->required()
        ->type_name("PATH");
    app.add_option("--air", command.air, "Folder of the air: the chip is a socket in it")
        ->envname("SOTTO_AIR")
        ->type_name("DIR")
        ->capture_default_str();
}

}  // namespace

std::variant<Command, Leave> parse_command_line(std::vector<std::string> arguments) {
    CLI::App app{"Devices that run on a chip: their keys, and their air over a UART.",
                 "sotto-chip"};
    app.set_version_flag("--version", "sotto-chip " SOTTO_VERSION);
    app.require_subcommand(1);
    ProvisionCommand provision;
    SignCommand sign;
    AirCommand air;
    CLI::App& makes = *app.add_subcommand("provision", "Give a chip its key and its pairing code");
    add_provision(makes, provision);
    CLI::App& signs = *app.add_subcommand("sign", "Make an update of a firmware, as its publisher");
    add_sign(signs, sign);
    add_air(*app.add_subcommand("air", "Carry between a chip's UART and the virtual air"), air);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    try {
        app.parse(arguments);
    } catch (const CLI::ParseError& error) {
        std::ostringstream output;
        std::ostringstream complaint;
        const int code = app.exit(error, output, complaint);
        return Leave{output.str(), complaint.str(), code == 0 ? 0 : 2};
    }
    if (makes.parsed()) return Command{provision};
    if (signs.parsed()) return Command{sign};
    return Command{air};
}

}  // namespace sotto::chip
