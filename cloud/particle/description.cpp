// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/description.hpp"

#include <algorithm>
#include <charconv>

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

// Of the letters for functions, in the order of their numbers.
std::optional<Module> read_module(const Json& json) {
    constexpr std::string_view kLetters = "nrbmsu";
    const auto text_of = [&json](const char* name) {
        const auto found = json.is_object() ? json.find(name) : json.end();
        const bool is_text = json.is_object() && found != json.end() && found->is_string();
        return is_text ? found->get_ref<const std::string&>() : std::string{};
    };
    const std::string letter = text_of("f");
    const std::string index = text_of("n");
    const std::size_t function = letter.size() == 1 ? kLetters.find(letter[0]) : std::string::npos;
    if (function == std::string::npos || !json.contains("v") || !json["v"].is_number_unsigned())
        return std::nullopt;
    Module module{.function = static_cast<ModuleFunction>(function)};
    const auto version = json["v"].get<std::uint64_t>();
    const char* const end = index.data() + index.size();
    const auto parsed = std::from_chars(index.data(), end, module.index);
    if (version > 0xffff || parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    module.version = static_cast<std::uint16_t>(version);
    return module;
}

// Those that run: copies elsewhere, for a factory reset, do not count.
void read_modules(const Json& modules, Description& out) {
    for (const Json& json : modules) {
        const auto module = read_module(json);
        const bool is_main = !json.is_object() || !json.contains("l") || json["l"] == "m";
        if (!module || !is_main) continue;
        if (out.modules.size() == kModuleCountMax) return;
        Installed installed{.module = *module};
        if (json.contains("d") && json["d"].is_array()) {
            for (const Json& need : json["d"]) {
                const auto needed = read_module(need);
                if (needed && needed->function != ModuleFunction::None &&
                    installed.needs.size() < kModuleNeedsMax)
                    installed.needs.push_back(*needed);
            }
        }
        out.modules.push_back(std::move(installed));
    }
}

}  // namespace

bool Description::has(const Module& module) const {
    return std::any_of(modules.begin(), modules.end(), [&module](const Installed& known) {
        return known.module.function == module.function && known.module.index == module.index &&
               known.module.version >= module.version;
    });
}

std::vector<Module> Description::missing() const {
    std::vector<Module> found;
    for (const Installed& installed : modules)
        for (const Module& need : installed.needs)
            if (!has(need) && std::find(found.begin(), found.end(), need) == found.end())
                found.push_back(need);
    return found;
}

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
    const auto modules = root.find("m");
    if (modules != root.end() && modules->is_array()) read_modules(*modules, part.description);
    return part;
}

}  // namespace sotto::cloud::particle
