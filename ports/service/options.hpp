// SPDX-License-Identifier: Apache-2.0
// A table of settings as options of a command line. Allocates; does not block.
#pragma once

#include <vector>

#include <CLI/CLI.hpp>

#include "ports/service/settings_file.hpp"

namespace sotto::ports {

class SettingOptions {
  public:
    // `settings` and what they refer to must live until the command line is parsed.
    SettingOptions(CLI::App& app, std::span<Setting> settings) : settings_(settings) {
        for (Setting& setting : settings)
            options_.push_back(
                std::visit([&](auto* place) { return add(app, setting, *place); }, setting.place));
    }
    // Notes which were given. To be called once it is parsed.
    void mark_given() {
        for (std::size_t i = 0; i < settings_.size(); ++i)
            settings_[i].is_given = options_[i]->count() > 0;
    }

  private:
    static std::string option(const Setting& setting) { return "--" + setting.name; }

    static CLI::Option* add(CLI::App& app, const Setting& setting, std::string& place) {
        CLI::Option* option_of = app.add_option(option(setting), place, setting.help);
        if (!setting.choices.empty()) option_of->check(CLI::IsMember(setting.choices));
        option_of->type_name(setting.type);
        return place.empty() ? option_of : option_of->capture_default_str();
    }
    static CLI::Option* add(CLI::App& app, const Setting& setting, bool& place) {
        return app.add_flag(option(setting), place, setting.help);
    }
    static CLI::Option* add(CLI::App& app, const Setting& setting, std::uint32_t& place) {
        return app.add_option(option(setting), place, setting.help)
            ->check(CLI::Range(setting.least, setting.most))
            ->type_name(setting.type)
            ->capture_default_str();
    }
    static CLI::Option* add(CLI::App& app,
                            const Setting& setting,
                            std::vector<std::string>& place) {
        return app.add_option(option(setting), place, setting.help + "; repeat for more")
            ->expected(1)
            ->take_all()
            ->type_name(setting.type);
    }

    std::span<Setting> settings_;
    std::vector<CLI::Option*> options_;
};

}  // namespace sotto::ports
