// SPDX-License-Identifier: Apache-2.0
#include "device/sdk/catalog.hpp"

#include <optional>

#include "core/session/limits.hpp"

namespace sotto::device {
namespace {

using session::Content;
using session::Excerpt;
using session::Format;
using session::ResourceKind;
using session::Traits;

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

template <class Items>
bool find_in(const Items& items, std::string_view name, std::uint8_t& index) {
    for (index = 0; index < items.size(); ++index) {
        if (items[index].name == name) return true;
    }
    return false;
}

template <class Items, class Item>
Status add(Items& items, const Item& item) {
    if (item.name.empty() || item.name.size() > kNameSizeMax) return Error::InvalidArgument;
    if (!std::all_of(item.name.begin(), item.name.end(), is_name_character)) {
        return Error::InvalidArgument;
    }
    std::uint8_t index = 0;
    if (find_in(items, item.name, index)) return Error::AlreadyExists;
    return items.try_push_back(item);
}

template <class Items>
void describe_items(session::Excerpt& out,
                    const Items& items,
                    std::string_view prefix,
                    std::string_view suffix) {
    for (const auto& item : items) {
        if (out.size() > 0) out.text(",");
        out.text("<").text(prefix).text(item.name).text(">").text(suffix);
    }
}

}  // namespace

Status Catalog::add_function(Function function) {
    if (function.room.size() > session::kBodySizeMax) return Error::InvalidArgument;
    return add(functions_, function);
}
Status Catalog::add_variable(Variable variable) { return add(variables_, variable); }
Status Catalog::event(std::string_view name) { return add(events_, Event{name}); }

bool Catalog::find(ResourceKind kind, std::string_view name, Traits& traits) const {
    if (kind == ResourceKind::Variable) return find_in(variables_, name, traits.index);
    if (kind == ResourceKind::Event) return find_in(events_, name, traits.index);
    if (!find_in(functions_, name, traits.index)) return false;
    const Function& function = functions_[traits.index];
    traits.is_idempotent = function.repetition == Repetition::Harmless;
    traits.room = function.room;
    return true;
}

Status Catalog::call(std::uint8_t function, const Content& argument, Format wanted, Excerpt& out) {
    std::array<std::uint8_t, kNumberTextSizeMax> scratch;
    SOTTO_TRY_ASSIGN(const std::string_view text, decode_argument(argument, scratch));
    const Function& called = functions_[function];
    SOTTO_TRY_ASSIGN(const Value value, called.invoke(called.object, text));
    return encode(value, wanted, out);
}

Status Catalog::read(std::uint8_t variable, Format wanted, Excerpt& out) {
    return encode(variables_[variable].read(variables_[variable].object), wanted, out);
}

Status Catalog::describe(Excerpt& out) const {
    describe_items(out, functions_, "/f/", ";rt=\"sotto.f\"");
    describe_items(out, variables_, "/v/", ";rt=\"sotto.v\";ct=\"0 60\"");
    describe_items(out, events_, "/e/", ";rt=\"sotto.e\";obs");
    return {};
}

}  // namespace sotto::device
