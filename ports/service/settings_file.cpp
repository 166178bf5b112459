// SPDX-License-Identifier: Apache-2.0
#include "ports/service/settings_file.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <toml++/toml.h>

#include "ports/service/quote.hpp"

namespace sotto::ports {
namespace {

constexpr std::size_t kFileSizeMax = 65'536;
constexpr std::size_t kLineWidth = 96;

using Outcome = Result<void, SettingsComplaint>;

// What is wrong with one value, as the end of a sentence; nothing if nothing is.
using Trouble = std::string;

Trouble assign(std::string& place, const toml::node& node, const Setting& setting) {
    const auto text = node.value_exact<std::string>();
    if (!text) return "it must be a text in quotes";
    const auto& choices = setting.choices;
    if (!choices.empty() && std::ranges::find(choices, *text) == choices.end()) {
        std::string all;
        for (const std::string& choice : choices) all += (all.empty() ? "" : ", ") + choice;
        return "it must be one of: " + all;
    }
    place = *text;
    return {};
}

Trouble assign(bool& place, const toml::node& node, const Setting& /*setting*/) {
    const auto flag = node.value_exact<bool>();
    if (!flag) return "it must be true or false";
    place = *flag;
    return {};
}

Trouble assign(std::uint32_t& place, const toml::node& node, const Setting& setting) {
    const auto number = node.value_exact<std::int64_t>();
    if (!number || *number < std::int64_t{setting.least} || *number > std::int64_t{setting.most})
        return "it must be a number from " + std::to_string(setting.least) + " to " +
               std::to_string(setting.most);
    place = static_cast<std::uint32_t>(*number);
    return {};
}

Trouble assign(std::vector<std::string>& place, const toml::node& node, const Setting&) {
    const toml::array* array = node.as_array();
    std::vector<std::string> texts;
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
        const auto text = array->get(i)->value_exact<std::string>();
        if (!text) return "it must be a list of texts in quotes";
        texts.push_back(*text);
    }
    if (array == nullptr) return "it must be a list, in brackets";
    place = std::move(texts);
    return {};
}

std::string at_line(const std::string& file, toml::source_position position) {
    return file + ":" + std::to_string(position.line) + ": ";
}

// The key that is probably meant.
std::string guess(std::string_view key, std::span<const Setting> settings) {
    const auto plain = [](std::string_view name) {
        std::string letters;
        for (const char c : name)
            if (c != '-' && c != '_') letters += c;
        return letters;
    };
    for (const Setting& setting : settings) {
        if (plain(setting.name) == plain(key)) return "; do you mean " + setting.name + "?";
    }
    return "; docs/settings.md has all there are";
}

Outcome read_table(const toml::table& table,
                   const std::string& file,
                   std::span<const Setting> settings) {
    for (const auto& [key, node] : table) {
        const auto setting = std::ranges::find(settings, key.str(), &Setting::name);
        const std::string where = at_line(file, key.source().begin);
        if (setting == settings.end())
            return SettingsComplaint{where + "there is no setting " + std::string{key.str()} +
                                     guess(key.str(), settings)};
        if (setting->is_given) continue;
        const Trouble trouble =
            std::visit([&](auto* place) { return assign(*place, node, *setting); }, setting->place);
        if (!trouble.empty()) return SettingsComplaint{where + setting->name + ": " + trouble};
    }
    return {};
}

std::string print(const std::string& text) { return quote(text); }
std::string print(bool flag) { return flag ? "true" : "false"; }
std::string print(std::uint32_t number) { return std::to_string(number); }
std::string print(const std::vector<std::string>& texts) {
    std::string list;
    for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + quote(text);
    return "[" + list + "]";
}

std::string print(const SettingPlace& place) {
    return std::visit([](const auto* value) { return print(*value); }, place);
}

// As a comment, broken between words.
std::string comment(const std::string& text) {
    std::istringstream words{text};
    std::string lines;
    std::string line = "#";
    for (std::string word; words >> word; line += " " + word) {
        if (line.size() + 1 + word.size() <= kLineWidth) continue;
        lines += line + "\n";
        line = "#";
    }
    return lines + line + "\n";
}

std::string capitalized(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
        text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
}

}  // namespace

Outcome read_settings(std::string_view toml,
                      const std::string& file_name,
                      std::span<const Setting> settings) {
    try {
        const toml::table table = toml::parse(toml, file_name);
        return read_table(table, file_name, settings);
    } catch (const toml::parse_error& error) {
        return SettingsComplaint{at_line(file_name, error.source().begin) +
                                 "this is no TOML: " + std::string{error.description()}};
    }
}

Outcome read_settings_file(const std::string& path, std::span<const Setting> settings) {
    std::ifstream file{path, std::ios::binary};
    std::string text(kFileSizeMax + 1, '\0');
    if (!file.read(text.data(), static_cast<std::streamsize>(text.size())) && !file.eof())
        return SettingsComplaint{path + ": it cannot be read; check the name and its permissions"};
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > kFileSizeMax)
        return SettingsComplaint{path + ": this is too large for a file of settings"};
    return read_settings(text, path, settings);
}

std::string print_settings(std::span<const Setting> settings, std::span<const Setting> defaults) {
    std::string text;
    for (std::size_t i = 0; i < settings.size(); ++i) {
        const Setting& setting = settings[i];
        const std::string value = print(setting.place);
        const bool is_default = value == print(defaults[i].place);
        const std::string type = setting.type.empty() ? "" : setting.type + ": ";
        text += (i == 0 ? "" : "\n") + comment(type + capitalized(setting.help) + ".");
        text += (is_default ? "#" : "") + setting.name + " = " + value + "\n";
    }
    return text;
}

}  // namespace sotto::ports
