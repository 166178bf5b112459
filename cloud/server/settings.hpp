// SPDX-License-Identifier: Apache-2.0
// What sotto-cloud was asked to do, on its command line and in its file of settings.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/time.hpp"
#include "ports/linux/failure.hpp"
#include "ports/service/settings_file.hpp"

namespace sotto::cloud::server {

struct InitCommand {
    std::string state{};
    std::string address{};  // HOST:PORT for gateways and devices; empty: where `run` listens
    std::vector<std::string> hosts{};  // that the certificate is for, beside loopback
};

// Shows the certificate of the own authority, or makes another one.
struct CertificateCommand {
    std::string state{};
    std::vector<std::string> hosts{};
};

// The table of them is in settings.cpp.
struct Settings {
    std::string http = "127.0.0.1:8080";
    std::string devices = "127.0.0.1:5684";
    std::string address{};   // as InitCommand's; empty: that one
    std::string particle{};  // where; empty: nowhere
    bool particle_enrol = false;
    std::string particle_parts{};      // a folder; empty: none
    std::string update_spread = "60";  // seconds
    std::vector<std::string> webhook_allow{};
    bool tls = false;
    std::string certificate_file{};
    std::string key_file{};
    bool insecure = false;
    std::string ports_file{};
    std::string capture_file{};
    std::string metrics{};  // where; empty: nowhere
    std::string log_level = "info";
    std::string log_format = "text";
};

struct RunCommand {
    std::string state{};
    Settings settings{};
};

struct StatusCommand {
    std::string state{};
    bool json = false;
};

struct BackupCommand {
    std::string state{};
    std::string file{};
    std::string passphrase_file{};  // empty: not sealed
};

struct RestoreCommand {
    std::string state{};
    std::string file{};
    std::string passphrase_file{};
};

struct DoctorCommand {
    std::string state{};
    Settings settings{};
    bool json = false;
};

struct PrintSettingsCommand {
    Settings settings{};
};

struct AddCommand {
    enum class Kind : std::uint8_t { Account, Gateway };
    Kind kind = Kind::Account;
    std::string state{};
    std::string name{};
    std::string account{};  // of a gateway
};

// The keys of legacy devices, and the one by which they know the cloud.
struct KeysCommand {
    enum class What : std::uint8_t {
        New,
        Set,
        List,
        Remove,
        Pending,
        Approve,
        Import,
        Server,
        Rotate,
        Retire
    };
    What what = What::List;
    std::string state{};
    std::string device{};
    std::string path{};         // a file, or a folder
    std::string fingerprint{};  // or its beginning; empty: of the only one
    std::string platform{};     // empty: the key alone
    std::string address{};      // HOST:PORT; empty: the one that the device knows
};

// Takes what another server has.
struct ImportCommand {
    std::string state{};
    std::string folder{};
    std::vector<std::string> names{};  // THERE=HERE
    bool is_trial = false;
};

// Gives a user a password to log in with.
struct PasswordCommand {
    std::string state{};
    std::string name{};
    std::string password_file{};
    bool forgets_second_factor = false;  // who lost his telephone logs in without
};

// What the operator does with accounts that are there.
struct AccountCommand {
    enum class What : std::uint8_t { List, Promote, Demote, Disable, Enable, Remove };
    What what = What::List;
    std::string state{};
    std::string name{};
};

// What was done with the accounts of late.
struct AuditCommand {
    std::string state{};
    std::string account{};  // empty: of all
    std::size_t count = 100;
};

// An exit code: everything was said already (help, version, a mistake on the command line).
using Command = std::variant<InitCommand,
                             CertificateCommand,
                             RunCommand,
                             AddCommand,
                             PasswordCommand,
                             AccountCommand,
                             AuditCommand,
                             StatusCommand,
                             BackupCommand,
                             RestoreCommand,
                             DoctorCommand,
                             PrintSettingsCommand,
                             KeysCommand,
                             ImportCommand,
                             int>;
Command read_command_line(int argc, char** argv);

// Every setting, by the name that it has in the file and as an option of `run`.
std::vector<ports::Setting> table_of(Settings& settings);

// The file that is read if no other is named, in the state folder.
inline constexpr const char* kSettingsFileName = "sotto-cloud.toml";

// All settings as a file, with what they mean.
std::string print(Settings settings);
ports::Outcome<Duration> parse_update_spread(const Settings& settings);

}  // namespace sotto::cloud::server
