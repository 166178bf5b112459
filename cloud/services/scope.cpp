// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/scope.hpp"

#include <algorithm>

#include "cloud/services/limits.hpp"

namespace sotto::cloud::services {
namespace {

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

std::vector<std::string>* names_of(Scope& scope, char letter) {
    if (letter == 'f') return &scope.functions;
    if (letter == 'v') return &scope.variables;
    return letter == 'e' ? &scope.events : nullptr;
}

bool add(Scope& scope, std::string_view part) {
    if (part.size() < 3 || part[1] != '/') return false;
    std::vector<std::string>* const names = names_of(scope, part[0]);
    part.remove_prefix(2);
    if (names == nullptr || part.size() > kMemberNameSizeMax ||
        !std::ranges::all_of(part, is_name_character) || std::ranges::count(*names, part) > 0)
        return false;
    names->emplace_back(part);
    return true;
}

}  // namespace

std::optional<Scope> parse_scope(std::string_view text) {
    if (text.size() > kScopeSizeMax) return std::nullopt;
    Scope scope;
    while (true) {
        const std::size_t end = std::min(text.find(','), text.size());
        if (!add(scope, text.substr(0, end))) return std::nullopt;
        if (end == text.size()) return scope;
        text.remove_prefix(end + 1);
    }
}

}  // namespace sotto::cloud::services
