// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/open_members.hpp"

#include <algorithm>

namespace sotto::device {

using session::ResourceKind;

namespace {

static_assert(std::is_same_v<Value, particle::Value>);
static_assert(kFunctionCountMax <= particle::kFunctionCountMax);
static_assert(kVariableCountMax <= particle::kVariableCountMax);

constexpr ResourceKind kKinds[] = {
    ResourceKind::Function, ResourceKind::Variable, ResourceKind::Event};

char letter_of(ResourceKind kind) {
    return static_cast<char>(session::kKindLetters[static_cast<std::size_t>(kind)]);
}

}  // namespace

OpenMembers::Kind& OpenMembers::kind_of(ResourceKind kind) {
    if (kind == ResourceKind::Function) return functions_;
    return kind == ResourceKind::Variable ? variables_ : events_;
}

bool OpenMembers::add(ResourceKind kind, std::string_view name) {
    session::Traits traits;
    if (!device_.catalog().find(kind, name, traits)) return false;
    Kind& open = kind_of(kind);
    if (std::find(open.names.begin(), open.names.end(), name) != open.names.end()) return true;
    open.names.push_back(name);
    open.indexes.push_back(traits.index);
    return true;
}

Outcome<> OpenMembers::open(std::string_view text) {
    const bool has_kind = text.size() > 2 && text[1] == '/';
    const std::string_view name = has_kind ? text.substr(2) : text;
    bool is_found = false;
    for (const ResourceKind kind : kKinds) {
        if (has_kind && text[0] != letter_of(kind)) continue;
        is_found = add(kind, name) || is_found;
    }
    if (!is_found)
        return quoted(text) + " cannot be opened: the sketch has no function, variable or event " +
               "of that name";
    const bool is_called =
        std::find(functions_.names.begin(), functions_.names.end(), name) !=
            functions_.names.end() ||
        std::find(variables_.names.begin(), variables_.names.end(), name) != variables_.names.end();
    if (is_called && name.size() > particle::kMemberNameSizeMax)
        return quoted(text) +
               " cannot be opened: bluz has functions and variables of at most 12 characters";
    return {};
}

std::string OpenMembers::list() const {
    std::string text;
    const auto append = [&text](ResourceKind kind, const Kind& open) {
        for (const std::string_view name : open.names)
            text +=
                (text.empty() ? "" : ", ") + std::string{letter_of(kind), '/'} + std::string{name};
    };
    append(ResourceKind::Function, functions_);
    append(ResourceKind::Variable, variables_);
    append(ResourceKind::Event, events_);
    return text;
}

bool OpenMembers::has_event(std::string_view name) const {
    return std::find(events_.names.begin(), events_.names.end(), name) != events_.names.end();
}

Result<particle::Value> OpenMembers::call(std::size_t function, std::string_view argument) {
    return device_.run_in_the_open(functions_.indexes[function], argument);
}

particle::Value OpenMembers::read(std::size_t variable) const {
    return device_.catalog().value(variables_.indexes[variable]);
}

void OpenMembers::on_signal(bool is_on) {
    log_.line(is_on ? "signal: somebody wants to see which device this is" : "signal: over");
}

}  // namespace sotto::device
