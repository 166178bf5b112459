// SPDX-License-Identifier: Apache-2.0
// Mustache (mustache.5), as templates of webhooks use it: {{x}} escaped for HTML, {{{x}}} and
// {{&x}} as it is, {{#x}} {{^x}} {{/x}}, {{.}}, {{! comments}}, names with dots, also into arrays
// (a.0.b). No partials, no other delimiters. Whoever writes a template or its data is a stranger:
// depth, work and size are bounded. Allocates; pure.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "core/base/result.hpp"

namespace sotto::cloud::hooks {

// What is wrong, in words for who wrote it.
struct Complaint {
    std::string text;
};

// Whether the template can be rendered at all.
Result<void, Complaint> check_template(std::string_view text);

Result<std::string, Complaint> render(std::string_view text,
                                      const nlohmann::json& data,
                                      std::size_t size_max);

// Keys and texts of an object or array are templates; what is made stays an object or array. The
// size is of all texts together.
Result<void, Complaint> check_json(const nlohmann::json& value);
Result<nlohmann::json, Complaint> render_json(const nlohmann::json& value,
                                              const nlohmann::json& data,
                                              std::size_t size_max);

// The value that the text is as JSON, or null: also where it is deeper than anybody needs.
nlohmann::json parse_data(std::string_view text);

}  // namespace sotto::cloud::hooks
