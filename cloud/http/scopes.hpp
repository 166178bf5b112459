// SPDX-License-Identifier: Apache-2.0
// What tokens are good for, by the names that clients use. Allocates.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/model/accounts.hpp"

namespace sotto::cloud::http {

// Names with spaces between; none, or "*:*", is everything. Nothing for a name that is unknown.
std::optional<model::Scopes> parse_scopes(std::string_view text);
std::vector<std::string> names_of(model::Scopes scopes);

}  // namespace sotto::cloud::http
