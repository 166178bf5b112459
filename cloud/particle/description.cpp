// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/description.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace sotto::cloud::particle {

namespace {

using Json = nlohmann::json;

bool is_name(std::string_view name) { return !name.empty() && name.size() <= kMemberNameSizeMax; }

void read_functions(const Json& functions, Description& out) {
    for (const Json& function : functions) {
        if (out.functions.size() == kFunctionCountMax) return;
        const auto* name = function.get_ptr<const std::string*>();
        if (name != nullptr && is_name(*name)) out.functions.push_back(*name);
    }
}

void read_variables(const Json& variables, Description& out) {
    for (const auto& [name, type] : variables.items()) {
        if (out.variables.size() == kVariableCountMax) return;
        if (is_name(name) && type.is_number_unsigned() && type.get<std::uint64_t>() <= 0xff)
            out.variables.push_back({name, static_cast<VariableType>(type.get<std::uint8_t>())});
    }
}

}  // namespace

bool Description::has_function(std::string_view name) const {
    return std::find(functions.begin(), functions.end(), name) != functions.end();
}

const Variable* Description::find_variable(std::string_view name) const {
    const auto found = std::find_if(variables.begin(), variables.end(), [name](const auto& known) {
        return known.name == name;
    });
    return found == variables.end() ? nullptr : &*found;
}

Result<DescriptionPart> parse_description(Bytes json) {
    if (json.size() > kDescriptionSizeMax) return Error::TooLarge;
    const Json root = Json::parse(json.begin(), json.end(), nullptr, false);
    if (!root.is_object()) return Error::Malformed;
    DescriptionPart part;
    const auto functions = root.find("f");
    const auto variables = root.find("v");
    if (functions != root.end() && functions->is_array()) {
        part.has_members = true;
        read_functions(*functions, part.description);
    }
    if (variables != root.end() && variables->is_object()) {
        part.has_members = true;
        read_variables(*variables, part.description);
    }
    return part;
}

}  // namespace sotto::cloud::particle
