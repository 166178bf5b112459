// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "gateway/daemon/settings.hpp"

namespace sotto::gateway {

SettingsOrExit read_command_line(int argc, char** argv) {
    Settings settings;
    CLI::App app{"Carries sealed messages between devices on the air and clouds. Holds no keys.",
                 "sotto-gateway"};
    app.add_option("--air", settings.air_folder, "folder of the virtual air")
        ->type_name("DIR")
        ->required();
    app.add_option("--cloud",
                   settings.clouds,
                   "a cloud that is served; repeat for more. The first one is the default: devices "
                   "without owner go there")
        ->type_name("HOST:PORT")
        ->required()
        ->expected(1)
        ->take_all();
    app.add_option("--token-file", settings.token_file, "file with this gateway's token")
        ->type_name("FILE");
    app.add_option("--token", settings.tokens, "a token for one cloud; repeat for more")
        ->type_name("HOST:PORT=FILE")
        ->expected(1)
        ->take_all();
    app.add_flag("--insecure",
                 settings.insecure,
                 "also connect to clouds that are not on this machine, without encryption");
    app.add_option("--mtu", settings.value_size_max, "largest value on the air, in bytes")
        ->type_name("SIZE")
        ->check(CLI::Range(framing::kValueSizeDefault, framing::kValueSizeMax))
        ->capture_default_str();
    app.add_option("--capture",
                   settings.capture_file,
                   "record what passes, in lines of: direction device label hex")
        ->type_name("FILE");
    app.set_config("--settings", "", "TOML file with the same names as these options");
    app.allow_config_extras(CLI::config_extras_mode::error);
    app.set_version_flag("--version", "sotto-gateway 0.1.0");
    app.footer("Exit codes: 0 stopped by SIGTERM or SIGINT, 1 cannot run, 2 wrong usage.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    return settings;
}

}  // namespace sotto::gateway
