// SPDX-License-Identifier: Apache-2.0
// The settings of a program that runs as a service: a table of them, read from a TOML file and
// printed as one (docs/settings.md). Allocates; reading blocks on the disk.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.hpp"

namespace sotto::ports {

// Where the value of a setting is; before anything is read, its default.
using SettingPlace = std::variant<std::string*, bool*, std::uint32_t*, std::vector<std::string>*>;

struct Setting {
    std::string name;  // the key in the file, and behind -- the option
    std::string type;  // what it wants, such as HOST:PORT; nothing for a flag
    std::string help;
    SettingPlace place;
    std::vector<std::string> choices{};  // a text must be one of them, if there are any
    std::uint32_t least = 0;             // a number's
    std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
    bool is_given = false;  // on the command line, which the file does not overrule
};

// What cannot be used, for people: the file, the line, the key and what to do.
struct SettingsComplaint {
    std::string text;
};

// Reads what the file sets, unless the command line did. After a complaint some may be read.
Result<void, SettingsComplaint> read_settings(std::string_view toml,
                                              const std::string& file_name,
                                              std::span<const Setting> settings);
Result<void, SettingsComplaint> read_settings_file(const std::string& path,
                                                   std::span<const Setting> settings);

// The whole as a file: each with its help, and commented out where it is as in `defaults`, which is
// the same table over untouched values.
std::string print_settings(std::span<const Setting> settings, std::span<const Setting> defaults);

}  // namespace sotto::ports
