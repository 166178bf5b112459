// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>

#include <CLI/CLI.hpp>

#include "cloud/particle/key_files.hpp"
#include "cloud/server/settings.hpp"
#include "cloud/server/state.hpp"
#include "cloud/server/status.hpp"
#include "ports/service/options.hpp"

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

void add_hosts(CLI::App& command, std::vector<std::string>& hosts) {
    command
        .add_option("--host",
                    hosts,
                    "a name or address of this machine that the certificate is to be for; repeat "
                    "for more")
        ->type_name("HOST")
        ->expected(1)
        ->take_all();
}

CLI::App* add_init(CLI::App& app, InitCommand& init) {
    CLI::App* command = add_command(app,
                                    "init",
                                    "make a cloud: its key, its database, the first account and "
                                    "the first gateway, with a token for each",
                                    init.state);
    command->add_option("--address", init.address, kAddressHelp)->type_name("HOST:PORT");
    add_hosts(*command, init.hosts);
    return command;
}

CLI::App* add_certificate(CLI::App& app, CertificateCommand& certificate) {
    CLI::App* command = add_command(app,
                                    "certificate",
                                    "show the fingerprint for apps and gateways; with --host make "
                                    "another certificate, which a running cloud takes up",
                                    certificate.state);
    add_hosts(*command, certificate.hosts);
    return command;
}

// A command that wants to know the settings.
class SettingsReader {
  public:
    explicit SettingsReader(Settings& settings) : table_(table_of(settings)) {}

    void add_options(CLI::App& command) {
        options_.emplace(command, table_);
        add_file_option(command);
    }
    void add_file_option(CLI::App& command) {
        command
            .add_option("--settings",
                        file_,
                        std::string{"file of settings; without it DIR/"} + kSettingsFileName +
                            ", if it is there")
            ->envname("SOTTO_CLOUD_SETTINGS")
            ->type_name("FILE");
    }
    // Once the command line is parsed: reads the file. Says what is wrong with it, and is false.
    bool read(const std::string& state) {
        if (options_) options_->mark_given();
        const std::string usual = state + "/" + kSettingsFileName;
        if (file_.empty() && !std::filesystem::exists(usual)) return true;
        const auto done = ports::read_settings_file(file_.empty() ? usual : file_, table_);
        if (!done) std::cerr << "sotto-cloud: " << done.error().text << std::endl;
        return done.has_value();
    }

  private:
    std::vector<ports::Setting> table_;
    std::optional<ports::SettingOptions> options_;
    std::string file_;
};

CLI::App* add_add(CLI::App& app, const char* name, const char* help, AddCommand& add) {
    CLI::App* group = app.add_subcommand(name, help);
    group->require_subcommand(1);
    CLI::App* command =
        add_command(*group, "add", "add one; its token is printed, this once", add.state);
    command->add_option("name", add.name, "how it is called here")->required();
    return command;
}

// Keys of legacy devices. Every command writes what it was asked into the same place.
class KeysOptions {
  public:
    KeysOptions(CLI::App& app, KeysCommand& command) : command_(command) {
        group_ = app.add_subcommand("keys", "keys of legacy Particle devices");
        group_->require_subcommand(1);
        using What = KeysCommand::What;
        CLI::App* fresh = add("new", "make both halves of a key for a device", What::New);
        add_device(*fresh);
        fresh->add_option("folder", command_.path, "where to put its files")
            ->required()
            ->type_name("DIR");
        CLI::App* set = add("set", "know a device by this public key from now on", What::Set);
        add_device(*set);
        set->add_option("file", command_.path, "its public RSA key, in PEM or DER")
            ->required()
            ->type_name("FILE");
        add("list", "print the devices whose keys are known, with fingerprints", What::List);
        add_device(*add("remove", "forget the key of a device: it is refused", What::Remove));
        add("pending", "print the keys that unknown devices have shown", What::Pending);
        CLI::App* approve =
            add("approve", "know a device by a key that it has shown", What::Approve);
        add_device(*approve);
        approve
            ->add_option("--key",
                         command_.fingerprint,
                         "which one, by the beginning of its fingerprint; needed if it has shown "
                         "several")
            ->type_name("FINGERPRINT");
        add("import", "take the keys of a server before this one", What::Import)
            ->add_option("folder", command_.path, "its folder of keys")
            ->required()
            ->type_name("DIR");
        CLI::App* server =
            add("server", "say where the key is by which devices know this cloud", What::Server);
        server
            ->add_option(
                "--for",
                command_.platform,
                "write it as this kind of device keeps it (" + particle::platform_names() + ")")
            ->type_name("PLATFORM");
        server
            ->add_option("--address",
                         command_.address,
                         "with the cloud's address, for a device that has none or another")
            ->type_name("HOST:PORT")
            ->needs("--for");
        add("rotate", "make another one; devices still come by the former one", What::Rotate);
        add("retire", "the former one counts no more", What::Retire);
    }
    bool parsed() const { return group_->parsed(); }

  private:
    CLI::App* add(const char* name, const char* help, KeysCommand::What what) {
        CLI::App* command = add_command(*group_, name, help, command_.state);
        command->callback([this, what] { command_.what = what; });
        return command;
    }
    void add_device(CLI::App& command) {
        command.add_option("device", command_.device, "its id: 24 hexadecimal digits")
            ->required()
            ->type_name("ID");
    }

    KeysCommand& command_;
    CLI::App* group_ = nullptr;
};

CLI::App* add_password(CLI::App& accounts, PasswordCommand& password) {
    CLI::App* command = add_command(accounts,
                                    "password",
                                    "give the account a password, for programs that log in; the "
                                    "tokens of those that did so before end",
                                    password.state);
    command->add_option("name", password.name, "the account")->required();
    command
        ->add_option(
            "--password-file",
            password.password_file,
            "the password is the first line of this file; /dev/stdin for one that is typed")
        ->type_name("FILE")
        ->required();
    command->add_flag("--reset-mfa",
                      password.forgets_second_factor,
                      "no one-time passwords any more: for who lost what makes them");
    return command;
}

// What is done with accounts that are there. Every command writes into the same place.
class AccountOptions {
  public:
    AccountOptions(CLI::App& group, AccountCommand& command) : command_(command) {
        using What = AccountCommand::What;
        add(group, "list", "print the accounts: administrator, disabled, devices", What::List);
        add_named(group, "promote", "make it an administrator, who manages users", What::Promote);
        add_named(group, "demote", "and a user like others again", What::Demote);
        add_named(group,
                  "disable",
                  "nobody has access as this user; devices and webhooks go on",
                  What::Disable);
        add_named(group, "enable", "and again", What::Enable);
        add_named(group,
                  "remove",
                  "end it with everything that is its own, while the cloud is stopped; its devices "
                  "are nobody's",
                  What::Remove);
    }
    bool parsed() const {
        return std::ranges::any_of(commands_, [](const CLI::App* each) { return each->parsed(); });
    }

  private:
    CLI::App* add(CLI::App& group, const char* name, const char* help, AccountCommand::What what) {
        CLI::App* command = add_command(group, name, help, command_.state);
        command->callback([this, what] { command_.what = what; });
        commands_.push_back(command);
        return command;
    }
    void add_named(CLI::App& group, const char* name, const char* help, AccountCommand::What what) {
        add(group, name, help, what)->add_option("name", command_.name, "the account")->required();
    }

    AccountCommand& command_;
    std::vector<const CLI::App*> commands_;
};

CLI::App* add_audit(CLI::App& app, AuditCommand& audit) {
    CLI::App* command = add_command(app,
                                    "audit",
                                    "who logged in, and what was done with devices and tokens, the "
                                    "newest first",
                                    audit.state);
    command->add_option("--account", audit.account, "of this account only")->type_name("NAME");
    command->add_option("--count", audit.count, "how many lines")
        ->type_name("N")
        ->capture_default_str();
    return command;
}

CLI::App* add_import(CLI::App& app, ImportCommand& import) {
    CLI::App* command = add_command(app,
                                    "import",
                                    "take users, tokens, devices with their keys, webhooks and the "
                                    "server's key from the data folder of a spark-server",
                                    import.state);
    command->add_option("folder", import.folder, "its folder data, or the one that this is in")
        ->required()
        ->type_name("DIR");
    command
        ->add_option("--user",
                     import.names,
                     "how this user of that server is called here; also if the account is here "
                     "already; repeat for more")
        ->type_name("THERE=HERE")
        ->expected(1)
        ->take_all();
    command->add_flag("--dry-run", import.is_trial, "say what would be taken, and take nothing");
    return command;
}

// What the operator does with users, beside making them.
class UserCommands {
  public:
    explicit UserCommands(CLI::App& app)
        : password_command_(add_password(*app.get_subcommand("account"), password_)),
          account_options_(*app.get_subcommand("account"), account_),
          audit_command_(add_audit(app, audit_)),
          import_command_(add_import(app, import_)) {}
    UserCommands(const UserCommands&) = delete;
    UserCommands& operator=(const UserCommands&) = delete;

    std::optional<Command> chosen() const {
        if (password_command_->parsed()) return password_;
        if (account_options_.parsed()) return account_;
        if (audit_command_->parsed()) return audit_;
        if (import_command_->parsed()) return import_;
        return std::nullopt;
    }

  private:
    PasswordCommand password_;
    AccountCommand account_;
    AuditCommand audit_;
    ImportCommand import_;
    const CLI::App* password_command_;
    AccountOptions account_options_;
    const CLI::App* audit_command_;
    const CLI::App* import_command_;
};

constexpr const char* kPassphraseHelp =
    "seal it, or open it, under the passphrase in the first line of this file";

CLI::App* add_status(CLI::App& app, StatusCommand& status) {
    CLI::App* command =
        add_command(app, "status", "what the running cloud says of itself", status.state);
    command->add_flag("--json", status.json, "in JSON");
    return command;
}

CLI::App* add_backup(CLI::App& app, BackupCommand& backup) {
    CLI::App* command = add_command(
        app, "backup", "copy keys and database to a new file, also while it runs", backup.state);
    command->add_option("file", backup.file, "the file, which must not be there")->required();
    command->add_option("--passphrase-file", backup.passphrase_file, kPassphraseHelp)
        ->type_name("FILE");
    return command;
}

CLI::App* add_restore(CLI::App& app, RestoreCommand& restore) {
    CLI::App* command = add_command(
        app, "restore", "make a cloud from a backup, in an empty folder", restore.state);
    command->add_option("file", restore.file, "the backup")->required();
    command->add_option("--passphrase-file", restore.passphrase_file, kPassphraseHelp)
        ->type_name("FILE");
    return command;
}

CLI::App* add_doctor(CLI::App& app, DoctorCommand& doctor) {
    CLI::App* command = add_command(app,
                                    "doctor",
                                    "look whether all that the cloud needs is in order, and say "
                                    "what to do where it is not",
                                    doctor.state);
    command->add_flag("--json", doctor.json, "in JSON");
    return command;
}

}  // namespace

Command read_command_line(int argc, char** argv) {
    InitCommand init;
    RunCommand run;
    StatusCommand status;
    BackupCommand backup;
    RestoreCommand restore;
    DoctorCommand doctor;
    PrintSettingsCommand print;
    std::string print_state;
    AddCommand account{.kind = AddCommand::Kind::Account};
    AddCommand gateway{.kind = AddCommand::Kind::Gateway, .account = kFirstAccount};
    CLI::App app{"Routes sealed messages between apps and gateways. Cannot read them.",
                 "sotto-cloud"};
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string{"sotto-cloud "} + kVersion);
    app.footer(
        "Exit codes: 0 done, or stopped by SIGTERM or SIGINT; 1 cannot; 2 wrong usage or "
        "settings.");
    CertificateCommand certificate;
    const CLI::App* const init_command = add_init(app, init);
    const CLI::App* const certificate_command = add_certificate(app, certificate);
    CLI::App* const run_command =
        add_command(app, "run", "serve apps and gateways until SIGTERM", run.state);
    SettingsReader run_settings{run.settings};
    run_settings.add_options(*run_command);
    CLI::App* const print_command = add_command(
        app, "settings", "print all settings as a file, with what they mean", print_state);
    SettingsReader print_settings{print.settings};
    print_settings.add_file_option(*print_command);
    const CLI::App* const status_command = add_status(app, status);
    const CLI::App* const backup_command = add_backup(app, backup);
    const CLI::App* const restore_command = add_restore(app, restore);
    CLI::App* const doctor_command = add_doctor(app, doctor);
    SettingsReader doctor_settings{doctor.settings};
    doctor_settings.add_options(*doctor_command);
    const CLI::App* const account_command = add_add(app, "account", "accounts", account);
    const UserCommands users{app};
    CLI::App* gateway_command = add_add(app, "gateway", "gateways", gateway);
    gateway_command->add_option("--account", gateway.account, "whose gateway it is")
        ->type_name("NAME")
        ->capture_default_str();
    KeysCommand keys;
    const KeysOptions keys_options{app, keys};
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (init_command->parsed()) return init;
    if (certificate_command->parsed()) return certificate;
    if (run_command->parsed()) {
        if (!run_settings.read(run.state)) return 2;
        return run;
    }
    if (print_command->parsed()) {
        if (!print_settings.read(print_state)) return 2;
        return print;
    }
    if (keys_options.parsed()) return keys;
    if (status_command->parsed()) return status;
    if (backup_command->parsed()) return backup;
    if (restore_command->parsed()) return restore;
    if (doctor_command->parsed()) {
        if (!doctor_settings.read(doctor.state)) return 2;
        return doctor;
    }
    if (const auto command = users.chosen()) return *command;
    return account_command->parsed() ? account : gateway;
}

}  // namespace sotto::cloud::server
