// SPDX-License-Identifier: Apache-2.0
#include "cloud/http/environment.hpp"

#include <algorithm>
#include <utility>

#include "cloud/http/limits.hpp"
#include "cloud/services/text.hpp"

namespace sotto::cloud::http {

using nlohmann::json;

namespace {

constexpr const char* kLevels[] = {"Owner", "Product", "Device"};

// As a shell has them.
bool is_key(std::string_view key) {
    const auto is_letter = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    };
    return !key.empty() && key.size() <= kVariableKeySizeMax && is_letter(key.front()) &&
           std::ranges::all_of(key, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

std::string text_in(const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Environment::Variables variables_in(const json& definition, const char* name) {
    Environment::Variables variables;
    const json given = definition.value(name, json::object());
    if (!given.is_object()) return variables;
    for (const auto& [key, value] : given.items()) {
        if (value.is_string()) variables.emplace(key, value.get<std::string>());
    }
    return variables;
}

json own(const Environment::Variables& variables) {
    json object = json::object();
    for (const auto& [key, value] : variables) object[key] = {{"value", value}};
    return object;
}

json time_or_none(Instant at) { return at == Instant{} ? json() : json(services::to_iso(at.ms)); }

json text_or_none(const std::string& text) { return text.empty() ? json() : json(text); }

}  // namespace

json Environment::to_json(const Stamp& stamp) {
    return {{"user", stamp.user}, {"at_ms", stamp.at.ms}};
}

Environment::Stamp Environment::stamp_in(const json& definition, const char* name) {
    const json given = definition.value(name, json::object());
    if (!given.is_object()) return {};
    const json at = given.value("at_ms", json());
    return {text_in(given, "user"), Instant{at.is_number_integer() ? at.get<std::int64_t>() : 0}};
}

Environment Environment::parse(Level level, std::string_view definition) {
    Environment result{level};
    const json given = json::parse(definition, nullptr, false);
    if (!given.is_object()) return result;
    result.latest_ = variables_in(given, "latest");
    result.snapshot_ = variables_in(given, "snapshot");
    result.created_ = stamp_in(given, "created");
    result.updated_ = stamp_in(given, "updated");
    result.rolled_out_ = stamp_in(given, "rolled_out");
    return result;
}

std::string Environment::definition() const {
    return json{{"latest", latest_},
                {"snapshot", snapshot_},
                {"created", to_json(created_)},
                {"updated", to_json(updated_)},
                {"rolled_out", to_json(rolled_out_)}}
        .dump(-1, ' ', true, json::error_handler_t::replace);
}

Result<void, std::string> Environment::apply(const json& ops,
                                             const std::string& user,
                                             Instant now) {
    if (!ops.is_array() || ops.empty()) return std::string{"ops: it must be a list of operations"};
    Variables changed = latest_;
    for (const json& op : ops) {
        const std::string key = op.is_object() ? text_in(op, "key") : "";
        if (!is_key(key))
            return std::string{
                "key: it must have 1 to 128 letters, digits and _, and begin with no digit"};
        const std::string what = text_in(op, "op");
        if (what == "Unset") {
            changed.erase(key);
            continue;
        }
        const auto value = op.find("value");
        if (what != "Set" || value == op.end() || !value->is_string())
            return std::string{"op: it must be Set, with a text as value, or Unset"};
        changed[key] = value->get<std::string>();
        if (changed[key].size() > kVariableValueSizeMax)
            return std::string{"value: it must have 4,096 bytes at most"};
    }
    if (changed.size() > kVariablesMax) return std::string{"There are 100 variables at most"};
    latest_ = std::move(changed);
    updated_ = {user, now};
    if (created_.at == Instant{}) created_ = updated_;
    return {};
}

void Environment::roll_out(const std::string& user, Instant now) {
    snapshot_ = latest_;
    rolled_out_ = {user, now};
}

Environment::Variables Environment::flatten(const Chain& chain, Variables Environment::* which) {
    Variables all;
    for (const Environment& each : chain) {
        for (const auto& [key, value] : each.*which) all[key] = value;
    }
    return all;
}

// Of what is above the last one: each variable from the nearest that sets it.
json Environment::inherited(const Chain& chain, Variables Environment::* which) {
    json object = json::object();
    for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
        for (const auto& [key, value] : chain[i].*which)
            object[key] = {{"from", kLevels[static_cast<std::size_t>(chain[i].level_)]},
                           {"value", value}};
    }
    return object;
}

json Environment::show(const Chain& chain) {
    const Environment& last = chain.back();
    json body{{"last_snapshot",
               {{"own", own(last.snapshot_)},
                {"inherited", inherited(chain, &Environment::snapshot_)},
                {"rollout_at", time_or_none(last.rolled_out_.at)},
                {"rollout_by", text_or_none(last.rolled_out_.user)}}},
              {"latest",
               {{"own", own(last.latest_)},
                {"inherited", inherited(chain, &Environment::latest_)},
                {"created_at", time_or_none(last.created_.at)},
                {"updated_at", time_or_none(last.updated_.at)},
                {"created_by", text_or_none(last.created_.user)},
                {"updated_by", text_or_none(last.updated_.user)}}}};
    // No legacy firmware asks for any.
    if (last.level_ == Level::Device) body["on_device"] = nullptr;
    return body;
}

json Environment::render(const Chain& chain) {
    const Environment& last = chain.back();
    return {{"env", json(flatten(chain, &Environment::snapshot_))},
            {"last_updated_at", time_or_none(last.updated_.at)},
            {"rollout_at", time_or_none(last.rolled_out_.at)},
            {"rollout_by", text_or_none(last.rolled_out_.user)}};
}

json Environment::diff(const Chain& chain) {
    const Variables before = flatten(chain, &Environment::snapshot_);
    // What is above is rolled out where it is.
    Chain rolled_out{chain};
    rolled_out.back().snapshot_ = chain.back().latest_;
    const Variables after = flatten(rolled_out, &Environment::snapshot_);
    json changes = json::array();
    json unchanged = json::object();
    for (const auto& [key, value] : after) {
        const auto old = before.find(key);
        if (old == before.end()) {
            changes.push_back({{"op", "Added"}, {"key", key}, {"after", value}});
        } else if (old->second != value) {
            changes.push_back(
                {{"op", "Changed"}, {"key", key}, {"before", old->second}, {"after", value}});
        } else {
            unchanged[key] = value;
        }
    }
    for (const auto& [key, value] : before) {
        if (!after.contains(key))
            changes.push_back({{"op", "Removed"}, {"key", key}, {"before", value}});
    }
    return {{"from_snapshot", {{"changes", changes}, {"unchanged", unchanged}}}};
}

}  // namespace sotto::cloud::http
