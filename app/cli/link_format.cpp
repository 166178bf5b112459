// SPDX-License-Identifier: Apache-2.0
#include "app/cli/link_format.hpp"

#include <algorithm>

namespace sotto::app {
namespace {

constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
    {"/f/", "function"}, {"/v/", "variable"}, {"/e/", "event"}};

}  // namespace

std::vector<Offer> parse_offers(std::string_view links) {
    std::vector<Offer> offers;
    for (std::size_t begin = links.find('<'); begin != std::string_view::npos;
         begin = links.find('<', begin + 1)) {
        const std::size_t end = links.find('>', begin);
        if (end == std::string_view::npos) break;
        const std::string_view path = links.substr(begin + 1, end - begin - 1);
        for (const auto& [prefix, kind] : kKinds) {
            if (path.starts_with(prefix) && path.size() > prefix.size())
                offers.push_back({std::string{kind}, std::string{path.substr(prefix.size())}});
        }
    }
    return offers;
}

}  // namespace sotto::app
