// SPDX-License-Identifier: Apache-2.0
// What of a sealed device its owner has opened to the cloud, by name. Allocates; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sotto::cloud::services {

struct Scope {
    std::vector<std::string> functions{};
    std::vector<std::string> variables{};
    std::vector<std::string> events{};
};

// Of "f/NAME,v/NAME,e/NAME", as model::Opening has it: at least one, none twice, names as devices
// have them (docs/protocol/session.md). Nothing: it is something else.
std::optional<Scope> parse_scope(std::string_view text);

}  // namespace sotto::cloud::services
