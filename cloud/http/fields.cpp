// SPDX-License-Identifier: Apache-2.0
#include "cloud/http/fields.hpp"

#include <array>
#include <chrono>

#include <nlohmann/json.hpp>

#include "core/base/hex.hpp"

namespace sotto::cloud::http {

using nlohmann::json;

namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

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

// One digit after the other, padded or not.
int base64_value(char c) {
    const std::size_t at = kBase64.find(c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
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

std::optional<std::string> base64_decode(std::string_view text) {
    while (!text.empty() && text.back() == '=') text.remove_suffix(1);
    if (text.size() % 4 == 1) return std::nullopt;
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const int value = base64_value(c);
        if (value < 0) return std::nullopt;
        bits = bits << 6U | static_cast<std::uint32_t>(value);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out.push_back(static_cast<char>(bits >> count & 0xffU));
    }
    return out;
}

std::string base64_encode(std::string_view bytes) {
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : bytes) {
        bits = bits << 8U | static_cast<std::uint8_t>(c);
        count += 8;
        while (count >= 6) {
            count -= 6;
            out.push_back(kBase64[bits >> count & 63U]);
        }
    }
    if (count > 0) out.push_back(kBase64[bits << (6 - count) & 63U]);
    while (out.size() % 4 != 0) out.push_back('=');
    return out;
}

std::optional<std::pair<std::string, std::string>> basic_of(std::string_view authorization) {
    constexpr std::string_view kBasic = "basic ";
    if (!starts_with_word(authorization, kBasic)) return std::nullopt;
    const auto text = base64_decode(authorization.substr(kBasic.size()));
    const std::size_t colon = text ? text->find(':') : std::string::npos;
    if (colon == std::string::npos) return std::nullopt;
    return std::pair{text->substr(0, colon), text->substr(colon + 1)};
}

std::string to_iso(std::int64_t ms) {
    using namespace std::chrono;  // NOLINT(google-build-using-namespace): dates only
    const sys_time<milliseconds> instant{milliseconds{ms}};
    const auto day = floor<days>(instant);
    const year_month_day date{day};
    const hh_mm_ss time{instant - day};
    std::array<char, 40> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                  static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()),
                  static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()),
                  static_cast<int>(time.subseconds().count()));
    return text.data();
}

}  // namespace sotto::cloud::http
