// SPDX-License-Identifier: Apache-2.0
#include "cloud/http/sse.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

#include "cloud/http/fields.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::http {

namespace {

// The name stands on a line of its own, and is not escaped there.
std::string line_of(std::string_view name) {
    std::string line;
    for (const char c : name) line.push_back(c >= ' ' && c <= '~' ? c : '?');
    return line;
}

std::string publisher_of(const services::Event& event) {
    if (event.publisher) return to_hex<std::string>(*event.publisher);
    return event.what.cause == services::Cause::OfHook ? "particle-internal" : "api";
}

}  // namespace

std::string render_event(const services::Event& event) {
    using nlohmann::json;
    json body;
    body["data"] = event.what.data ? json(*event.what.data) : json();
    body["ttl"] = event.what.ttl_s;
    body["published_at"] = to_iso(event.published_at.ms);
    body["coreid"] = publisher_of(event);
    return "id: " + std::to_string(event.id) + "\nevent: " + line_of(event.what.name) +
           "\ndata: " + body.dump(-1, ' ', true, json::error_handler_t::replace) + "\n\n";
}

std::optional<std::uint64_t> parse_event_id(std::string_view text) {
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return id;
}

}  // namespace sotto::cloud::http
