// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "bench/figure.hpp"

namespace sotto::bench {

Figures read_figures(const std::string& file) {
    std::ifstream in{file};
    const auto list = nlohmann::json::parse(in, nullptr, false);
    if (!list.is_array()) throw std::runtime_error{"no list of figures in " + file};
    Figures figures;
    for (const auto& item : list) {
        Figure figure{.name = item.at("name").get<std::string>(),
                      .value = item.at("value").get<double>(),
                      .unit = item.at("unit").get<std::string>(),
                      .aim = std::nullopt,
                      .against = item.value("against", std::string{})};
        if (!item.at("aim").is_null()) {
            figure.aim = Aim{.bound = Bound::AtMost, .value = item.at("aim").get<double>()};
        }
        figures.push_back(std::move(figure));
    }
    return figures;
}

}  // namespace sotto::bench
