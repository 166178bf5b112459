// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/sketch.hpp"

#include "core/base/hex.hpp"
#include "core/crypto/hash.hpp"
#include "device/virtual/log.hpp"

namespace sotto::device {
namespace {

struct NameAndValue {
    std::string name;
    std::string value;
};

NameAndValue split(const std::string& text) {
    const auto sign = text.find('=');
    if (sign == std::string::npos) return {.name = text, .value = {}};
    return {.name = text.substr(0, sign), .value = text.substr(sign + 1)};
}

}  // namespace

Result<void, std::string> Sketch::declare(const SketchOptions& options) {
    SOTTO_ASSERT(lamp_.declare(catalog_).has_value() && declare_note().has_value());
    for (const std::string& text : options.functions) {
        if (!declare_function(text)) return text;
    }
    for (const std::string& text : options.variables) {
        if (!declare_variable(text)) return text;
    }
    for (const std::string& text : options.events) {
        if (!declare_event(text)) return text;
    }
    return {};
}

Status Sketch::declare_note() {
    SOTTO_TRY(catalog_.function("note", write_note_, note_room_));
    return catalog_.variable("note", note_text_);
}

Status Sketch::declare_function(const std::string& text) {
    auto [name, value] = split(text);
    Extra& extra = functions_.emplace_back(
        Extra{.sketch = *this, .name = std::move(name), .value = std::move(value), .answer = {}});
    return catalog_.function(extra.name, extra);
}

Status Sketch::declare_variable(const std::string& text) {
    auto [name, value] = split(text);
    Variable& variable = variables_.emplace_back(
        Variable{.name = std::move(name), .value = std::move(value), .view = {}});
    variable.view = variable.value;
    return catalog_.variable(variable.name, variable.view);
}

Status Sketch::declare_event(const std::string& text) {
    auto [name, payload] = split(text);
    const Event& event =
        events_.emplace_back(Event{.name = std::move(name), .payload = std::move(payload)});
    return catalog_.event(event.name);
}

Result<Value> Sketch::Note::operator()(std::string_view argument) {
    sketch.world_.on_call("note", argument);
    sketch.note_ = argument;
    sketch.note_text_ = sketch.note_;
    sketch.note_digest_ = to_hex<std::string>(crypto::sha256(as_bytes(argument)));
    return Value{std::string_view{sketch.note_digest_}};
}

Result<Value> Sketch::Extra::operator()(std::string_view argument) {
    sketch.world_.on_call(name, argument);
    answer = value.empty() ? std::string{argument} : value;
    for (const Event& event : sketch.events_) sketch.world_.publish(event.name, event.payload);
    return Value{std::string_view{answer}};
}

}  // namespace sotto::device
