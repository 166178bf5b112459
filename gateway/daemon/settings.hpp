// SPDX-License-Identifier: Apache-2.0
// The settings of sotto-gateway: from its command line, or a TOML file with the same names.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/framing/limits.hpp"
#include "gateway/daemon/gateway.hpp"
#include "ports/service/settings_file.hpp"

namespace sotto::gateway {

inline constexpr const char* kServeAll = "all";
inline constexpr const char* kServeAccount = "account";

// What was given, as text.
struct Settings {
    std::string air_folder{};                // the virtual air; or
    std::vector<std::string> adapters{};     // of BlueZ, or kAllAdapters
    std::vector<std::string> clouds{};       // HOST:PORT, the first is the default
    std::string token_file{};                // for every cloud without a token of its own
    std::vector<std::string> tokens{};       // HOST:PORT=FILE
    std::vector<std::string> pins{};         // FINGERPRINT for every cloud, HOST:PORT=... for one
    std::vector<std::string> authorities{};  // FILE for every cloud, HOST:PORT=FILE for one
    bool insecure = false;
    std::string serve = kServeAll;
    std::vector<std::string> device_ids{};  // empty: all
    std::string legacy{};                   // HOST:PORT; empty: bluz devices get no stream
    std::vector<std::string> bluz_ids{};    // empty: all
    std::string local_folder{};             // empty: no custom data
    std::vector<std::string> connection_intervals{};  // [ID=]MIN-MAX/LATENCY
    std::uint32_t value_size_max = framing::kValueSizeMax;
    std::string capture_file{};
    std::string status_socket{};
    std::string log_level = "info";
    std::string log_format = "text";
};

// An exit code: everything was said already (help, version, a mistake on the command line).
using SettingsOrExit = std::variant<Settings, int>;
SettingsOrExit read_command_line(int argc, char** argv);

// Every setting, by the name that it has in the file and as an option.
std::vector<ports::Setting> table_of(Settings& settings);

// What cannot be used, in words for its user.
struct Complaint {
    std::string text;
};

// The clouds with their tokens and authorities, read from their files.
std::variant<std::vector<Uplink>, Complaint> load_uplinks(const Settings& settings);

// Which of Sotto's own devices are to be served.
std::variant<relay::Admission, Complaint> load_admission(const Settings& settings);

// How bluz devices are to be served.
std::variant<BluzService, Complaint> load_bluz(const Settings& settings);

std::variant<Paces, Complaint> load_paces(const Settings& settings);

inline constexpr const char* kAllAdapters = "all";

// Nothing, or what is wrong with the air that was chosen.
std::string check_air(const Settings& settings);
// The adapters as the air takes them: none named, all.
std::vector<std::string> adapters_of(const Settings& settings);

}  // namespace sotto::gateway
