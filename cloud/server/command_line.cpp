// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include <CLI/CLI.hpp>

#include "cloud/server/settings.hpp"
#include "cloud/server/state.hpp"

namespace sotto::cloud::server {
namespace {

constexpr const char* kAddressHelp =
    "what gateways and devices are told to connect to, if it is not where --devices listens";

std::string environment(const char* variable) {
    const char* value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): no thread yet
    return value == nullptr ? "" : value;
}

std::string default_state() {
    const std::string states = environment("XDG_STATE_HOME");
    if (states.starts_with('/')) return states + "/sotto-cloud";
    const std::string home = environment("HOME");
    return (home.empty() ? "." : home) + "/.local/state/sotto-cloud";
}

CLI::App* add_command(CLI::App& app, const char* name, const char* help, std::string& state) {
    CLI::App* command = app.add_subcommand(name, help);
    state = default_state();
    command->add_option("--state", state, "folder with keys and database")
        ->envname("SOTTO_CLOUD_STATE")
        ->type_name("DIR")
        ->capture_default_str();
    return command;
}

CLI::App* add_init(CLI::App& app, InitCommand& init) {
    CLI::App* command = add_command(app,
                                    "init",
                                    "make a cloud: its key, its database, the first account and "
                                    "the first gateway, with a token for each",
                                    init.state);
    command->add_option("--address", init.address, kAddressHelp)->type_name("HOST:PORT");
    return command;
}

CLI::App* add_run(CLI::App& app, RunCommand& run) {
    CLI::App* command = add_command(app, "run", "serve apps and gateways until SIGTERM", run.state);
    command->add_option("--http", run.http, "where apps connect")
        ->type_name("HOST:PORT")
        ->capture_default_str();
    command->add_option("--devices", run.devices, "where gateways connect")
        ->type_name("HOST:PORT")
        ->capture_default_str();
    command->add_option("--address", run.address, kAddressHelp)->type_name("HOST:PORT");
    command->add_flag(
        "--insecure",
        run.insecure,
        "also listen beyond this machine, where tokens cross the network in the clear");
    command
        ->add_option("--ports-file",
                     run.ports_file,
                     "write http=HOST:PORT and devices=HOST:PORT to this file once both listen")
        ->type_name("FILE");
    command
        ->add_option("--capture",
                     run.capture_file,
                     "record what passes, in lines of: direction device label hex")
        ->type_name("FILE");
    return command;
}

CLI::App* add_add(CLI::App& app, const char* name, const char* help, AddCommand& add) {
    CLI::App* group = app.add_subcommand(name, help);
    group->require_subcommand(1);
    CLI::App* command =
        add_command(*group, "add", "add one; its token is printed, this once", add.state);
    command->add_option("name", add.name, "how it is called here")->required();
    return command;
}

}  // namespace

Command read_command_line(int argc, char** argv) {
    InitCommand init;
    RunCommand run;
    AddCommand account{.kind = AddCommand::Kind::Account};
    AddCommand gateway{.kind = AddCommand::Kind::Gateway, .account = kFirstAccount};
    CLI::App app{"Routes sealed messages between apps and gateways. Cannot read them.",
                 "sotto-cloud"};
    app.require_subcommand(1);
    app.set_version_flag("--version", "sotto-cloud 0.1.0");
    app.footer("Exit codes: 0 done, or stopped by SIGTERM or SIGINT; 1 cannot; 2 wrong usage.");
    const CLI::App* const init_command = add_init(app, init);
    const CLI::App* const run_command = add_run(app, run);
    const CLI::App* const account_command = add_add(app, "account", "accounts", account);
    CLI::App* const gateway_command = add_add(app, "gateway", "gateways", gateway);
    gateway_command->add_option("--account", gateway.account, "whose gateway it is")
        ->type_name("NAME")
        ->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (init_command->parsed()) return init;
    if (run_command->parsed()) return run;
    return account_command->parsed() ? account : gateway;
}

}  // namespace sotto::cloud::server
