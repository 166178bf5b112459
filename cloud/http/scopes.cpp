// SPDX-License-Identifier: Apache-2.0
#include "cloud/http/scopes.hpp"

#include <algorithm>
#include <iterator>

namespace sotto::cloud::http {

namespace {

using model::Scope;

struct Named {
    std::string_view name;
    Scope scope;
};

// Of several names for one the first is told.
constexpr Named kNames[] = {{"devices:list", Scope::DevicesRead},
                            {"devices:get", Scope::DevicesRead},
                            {"devices.variable:get", Scope::VariablesRead},
                            {"devices.function:call", Scope::FunctionsCall},
                            {"devices:update", Scope::DevicesUpdate},
                            {"devices:ping", Scope::DevicesUpdate},
                            {"devices:claim", Scope::DevicesClaim},
                            {"devices:release", Scope::DevicesClaim},
                            {"events:get", Scope::EventsRead},
                            {"events:send", Scope::EventsSend},
                            {"user:update", Scope::User},
                            {"integrations:list", Scope::Integrations},
                            {"integrations:get", Scope::Integrations},
                            {"integrations:create", Scope::Integrations},
                            {"integrations:update", Scope::Integrations},
                            {"integrations:delete", Scope::Integrations},
                            {"firmware:list", Scope::Firmware},
                            {"firmware:get", Scope::Firmware},
                            {"firmware:create", Scope::Firmware},
                            {"firmware:update", Scope::Firmware},
                            {"firmware:release", Scope::Firmware},
                            {"firmware:delete", Scope::Firmware},
                            {"products:list", Scope::Products},
                            {"products:get", Scope::Products},
                            {"products:create", Scope::Products},
                            {"products:update", Scope::Products},
                            {"products:delete", Scope::Products},
                            {"devices:import", Scope::Products},
                            {"devices:remove", Scope::Products},
                            {"groups:list", Scope::Products},
                            {"groups:get", Scope::Products},
                            {"groups:create", Scope::Products},
                            {"groups:update", Scope::Products},
                            {"groups:delete", Scope::Products},
                            {"clients:list", Scope::User},
                            {"clients:create", Scope::User},
                            {"clients:update", Scope::User},
                            {"clients:delete", Scope::User},
                            {"users:list", Scope::Users},
                            {"users:create", Scope::Users},
                            {"users:update", Scope::Users},
                            {"users:delete", Scope::Users},
                            {"env:list", Scope::Environment},
                            {"env:get", Scope::Environment},
                            {"env:update", Scope::Environment},
                            {"devices.diagnostics:get", Scope::DevicesRead},
                            {"devices.diagnostics:update", Scope::DevicesUpdate}};

}  // namespace

std::optional<model::Scopes> parse_scopes(std::string_view text) {
    model::Scopes scopes = 0;
    while (!text.empty()) {
        const std::string_view name = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(name.size() + 1, text.size()));
        if (name.empty()) continue;
        if (name == "*:*") {
            scopes = model::kAllScopes;
            continue;
        }
        const auto* const found = std::ranges::find(kNames, name, &Named::name);
        if (found == std::end(kNames)) return std::nullopt;
        scopes |= static_cast<model::Scopes>(found->scope);
    }
    return scopes == 0 ? model::kAllScopes : scopes;
}

std::vector<std::string> names_of(model::Scopes scopes) {
    if (scopes == model::kAllScopes) return {"*:*"};
    std::vector<std::string> names;
    model::Scopes told = 0;
    for (const Named& named : kNames) {
        if (!has_scope(scopes, named.scope) || has_scope(told, named.scope)) continue;
        told |= static_cast<model::Scopes>(named.scope);
        names.emplace_back(named.name);
    }
    return names;
}

}  // namespace sotto::cloud::http
