// SPDX-License-Identifier: Apache-2.0
// sotto-bench [--line|--cloud|--fleet] [--json FILE] [--with FILE] [NAME...]: measures, and prints
// the table, with the figures that another tool has recorded. A missed aim is marked, and no
// failure of the program: how busy the machine is shows in every figure.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include "bench/figure.hpp"

namespace sotto::bench {
namespace {

// Those of Line, Cloud and Fleet only with the option of that name, or if they are named.
enum class Kind : std::uint8_t { Usual, Line, Cloud, Fleet };

struct Measurement {
    std::string_view name;
    Figures (*measure)();
    Kind kind = Kind::Usual;
};

constexpr Measurement kMeasurements[] = {
    {"oscore", measure_oscore},
    {"edhoc", measure_edhoc},
    {"relay", measure_relay},
    {"mailbox", measure_mailbox, Kind::Line},
    {"attached", measure_attached, Kind::Line},
    {"sessions", measure_sessions, Kind::Cloud},
    {"crowd", measure_crowd, Kind::Cloud},
    {"handshakes", measure_handshakes, Kind::Cloud},
    {"storm", measure_storm, Kind::Cloud},
    {"pings", measure_pings, Kind::Cloud},
    {"rest", measure_rest, Kind::Cloud},
    {"updates", measure_updates, Kind::Fleet},
    {"webhooks", measure_webhooks, Kind::Fleet},
};

struct Arguments {
    std::string json_file;
    std::string recorded_file;
    std::vector<std::string_view> names;  // empty: all of their kind
    Kind kind = Kind::Usual;
    bool is_valid = true;
};

bool is_known(std::string_view name) {
    return std::ranges::any_of(kMeasurements,
                               [&](const Measurement& known) { return known.name == name; });
}

Arguments parse(std::span<char*> arguments) {
    Arguments parsed;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        const std::string_view argument = arguments[i];
        if (argument == "--json" && i + 1 < arguments.size()) {
            parsed.json_file = arguments[++i];
        } else if (argument == "--with" && i + 1 < arguments.size()) {
            parsed.recorded_file = arguments[++i];
        } else if (argument == "--line") {
            parsed.kind = Kind::Line;
        } else if (argument == "--cloud") {
            parsed.kind = Kind::Cloud;
        } else if (argument == "--fleet") {
            parsed.kind = Kind::Fleet;
        } else if (is_known(argument)) {
            parsed.names.push_back(argument);
        } else {
            parsed.is_valid = false;
        }
    }
    return parsed;
}

void print_usage() {
    std::fputs(
        "usage: sotto-bench [--line|--cloud|--fleet] [--json FILE] [--with FILE] [NAME...]\nnames:",
        stderr);
    for (const Measurement& known : kMeasurements) {
        std::fprintf(stderr, " %.*s", static_cast<int>(known.name.size()), known.name.data());
    }
    std::fputs("\n", stderr);
}

std::string aim_text(const Figure& figure) {
    if (!figure.aim) return "";
    std::array<char, 32> text{};
    const char* bound = figure.aim->bound == Bound::AtMost ? "<=" : ">=";
    std::snprintf(text.data(), text.size(), "%s %g", bound, figure.aim->value);
    return text.data();
}

void print(const Figure& figure) {
    std::printf("%-34s %12.2f %-8s %-10s %-7s %s\n",
                figure.name.c_str(),
                figure.value,
                figure.unit.c_str(),
                aim_text(figure).c_str(),
                is_met(figure) ? "" : "MISSED",
                figure.against.c_str());
    std::fflush(stdout);
}

void write_json(const std::string& file, const Figures& figures) {
    auto list = nlohmann::ordered_json::array();
    for (const Figure& figure : figures) {
        nlohmann::ordered_json item;
        item["name"] = figure.name;
        item["value"] = figure.value;
        item["unit"] = figure.unit;
        item["aim"] = figure.aim ? nlohmann::ordered_json(figure.aim->value) : nullptr;
        item["against"] = figure.against;
        list.push_back(std::move(item));
    }
    std::ofstream out{file};
    out << list.dump(2) << '\n';
    if (!out.flush()) throw std::runtime_error{"cannot write " + file};
}

int run(const Arguments& arguments) {
    std::printf("%-34s %12s %-8s %-10s %-7s %s\n", "figure", "value", "unit", "aim", "", "against");
    Figures all;
    if (!arguments.recorded_file.empty() && arguments.kind == Kind::Usual) {
        all = read_figures(arguments.recorded_file);
        for (const Figure& figure : all) print(figure);
    }
    for (const Measurement& measurement : kMeasurements) {
        const auto& names = arguments.names;
        const bool is_wanted = names.empty()
                                   ? measurement.kind == arguments.kind
                                   : std::ranges::find(names, measurement.name) != names.end();
        if (!is_wanted) continue;
        for (Figure& figure : measurement.measure()) {
            print(figure);
            all.push_back(std::move(figure));
        }
    }
    if (!arguments.json_file.empty()) write_json(arguments.json_file, all);
    return EXIT_SUCCESS;
}

}  // namespace
}  // namespace sotto::bench

int main(int argc, char** argv) {
    using namespace sotto::bench;
    try {
        const std::span<char*> words{argv, static_cast<std::size_t>(argc)};
        if (argc > 1 && std::string_view{argv[1]} == "ble" && run_ble(words.subspan(2))) return 0;
        const Arguments arguments = parse(words);
        if (arguments.is_valid) return run(arguments);
        print_usage();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sotto-bench: %s\n", error.what());
    }
    return 2;
}
