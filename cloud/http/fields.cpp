// SPDX-License-Identifier: Apache-2.0
#include "cloud/http/fields.hpp"

#include <array>

#include <nlohmann/json.hpp>

#include "core/base/hex.hpp"

namespace sotto::cloud::http {

using nlohmann::json;

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool starts_with_word(std::string_view text, std::string_view word) {
    if (text.size() < word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (lower(text[i]) != word[i]) return false;
    }
    return true;
}

Status add(Fields& fields, std::string name, std::string value) {
    if (fields.size() >= kFieldsMax) return Error::TooLarge;
    fields.insert_or_assign(std::move(name), std::move(value));
    return {};
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, bool is_form) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_form && text[i] == '+') {
            out.push_back(' ');
        } else if (text[i] != '%') {
            out.push_back(text[i]);
        } else {
            std::array<std::uint8_t, 1> byte{};
            if (text.size() - i < 3 || !from_hex(text.substr(i + 1, 2), byte))
                return Error::Malformed;
            out.push_back(static_cast<char>(byte[0]));
            i += 2;
        }
    }
    return out;
}

Result<std::vector<std::string>> segments_of(std::string_view path) {
    std::vector<std::string> segments;
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/'), path.size());
        if (end > 0) {
            SOTTO_TRY_ASSIGN(std::string segment, percent_decode(path.substr(0, end), false));
            segments.push_back(std::move(segment));
        }
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return segments;
}

Result<Fields> parse_form(std::string_view text) {
    Fields fields;
    while (!text.empty()) {
        const std::string_view pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(pair.size() + 1, text.size()));
        if (pair.empty()) continue;
        const std::size_t equal = std::min(pair.find('='), pair.size());
        SOTTO_TRY_ASSIGN(std::string name, percent_decode(pair.substr(0, equal), true));
        SOTTO_TRY_ASSIGN(std::string value,
                         percent_decode(pair.substr(std::min(equal + 1, pair.size())), true));
        SOTTO_TRY(add(fields, std::move(name), std::move(value)));
    }
    return fields;
}

Result<Fields> parse_json(std::string_view text) {
    // Nobody needs more, and what writes JSON goes as deep as it is.
    constexpr int kDepthMax = 8;
    bool is_too_deep = false;
    const auto look = [&is_too_deep](int depth, json::parse_event_t, const json&) {
        is_too_deep = is_too_deep || depth > kDepthMax;
        return !is_too_deep;
    };
    const json object = json::parse(text, look, false);
    if (is_too_deep || !object.is_object()) return Error::Malformed;
    Fields fields;
    for (const auto& [name, value] : object.items()) {
        if (value.is_null()) continue;
        SOTTO_TRY(add(fields,
                      name,
                      value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', true)));
    }
    return fields;
}

Result<Fields> parse_body(std::string_view content_type, std::string_view body) {
    if (starts_with_word(content_type, "application/json"))
        return body.empty() ? Fields{} : parse_json(body);
    if (starts_with_word(content_type, "application/x-www-form-urlencoded"))
        return parse_form(body);
    if (body.empty()) return Fields{};
    return Error::Unsupported;
}

std::optional<std::pair<std::string, std::string>> basic_of(std::string_view authorization) {
    constexpr std::string_view kBasic = "basic ";
    if (!starts_with_word(authorization, kBasic)) return std::nullopt;
    const auto text = base64_decode(authorization.substr(kBasic.size()));
    const std::size_t colon = text ? text->find(':') : std::string::npos;
    if (colon == std::string::npos) return std::nullopt;
    return std::pair{text->substr(0, colon), text->substr(colon + 1)};
}

}  // namespace sotto::cloud::http
