// SPDX-License-Identifier: Apache-2.0
#include "app/transport/url.hpp"

#include <algorithm>
#include <optional>

#include "core/base/hex.hpp"

namespace sotto::app {
namespace {

Failure bad_url(std::string_view text, const std::string& why, const std::string& example) {
    return {Trouble::Usage, "\"" + std::string{text} + "\" " + why, "Write it like " + example};
}

bool is_port(std::string_view text) {
    if (text.empty() || text.size() > 5) return false;
    if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return false;
    const int port = std::stoi(std::string{text});
    return port >= 1 && port <= 65'535;
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

bool is_host(std::string_view text, bool in_brackets) {
    return !text.empty() && text.size() <= 253 &&
           std::all_of(text.begin(), text.end(), [in_brackets](char c) {
               return is_host_character(c) || (in_brackets && c == ':');
           });
}

// "host", "host:port", "[v6]", "[v6]:port".
std::optional<Endpoint> parse_endpoint(std::string_view text, std::string_view default_port) {
    std::string_view host = text;
    std::string_view rest;
    const bool in_brackets = text.starts_with('[');
    if (in_brackets) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        host = text.substr(1, end - 1);
        rest = text.substr(end + 1);
    } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
        host = text.substr(0, colon);
        rest = text.substr(colon);
    }
    if (!is_host(host, in_brackets)) return std::nullopt;
    if (rest.empty()) return Endpoint{std::string{host}, std::string{default_port}};
    if (rest.front() != ':' || !is_port(rest.substr(1))) return std::nullopt;
    return Endpoint{std::string{host}, std::string{rest.substr(1)}};
}

// Nothing if a percent sign is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded.push_back(text[i]);
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const int high = hex_value(text[i + 1]);
        const int low = hex_value(text[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        decoded.push_back(static_cast<char>(high << 4 | low));
        i += 2;
    }
    return decoded;
}

// The parts between separators, decoded one by one: a part may hold an encoded separator.
std::optional<std::vector<std::string>> decode_parts(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        auto part = percent_decode(text.substr(0, end));
        if (!part) return std::nullopt;
        parts.push_back(*std::move(part));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

}  // namespace

bool Endpoint::is_loopback() const {
    return host == "localhost" || host == "::1" ||
           (host.starts_with("127.") && std::all_of(host.begin(), host.end(), [](char c) {
                return (c >= '0' && c <= '9') || c == '.';
            }));
}

std::string Endpoint::to_string() const {
    if (host.find(':') != std::string::npos) return "[" + host + "]:" + port;
    return host + ":" + port;
}

std::string CloudUrl::to_string() const {
    return (is_tls ? "https://" : "http://") + endpoint.to_string();
}

Outcome<CloudUrl> parse_cloud_url(std::string_view text) {
    constexpr std::string_view kPlain = "http://";
    constexpr std::string_view kTls = "https://";
    const std::string example = "https://cloud.example.org or http://127.0.0.1:8080";
    CloudUrl url;
    url.is_tls = text.starts_with(kTls);
    if (!url.is_tls && !text.starts_with(kPlain))
        return bad_url(
            text, "is not the address of a cloud: it has no http:// or https://", example);
    std::string_view rest = text.substr(url.is_tls ? kTls.size() : kPlain.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    const auto endpoint = parse_endpoint(rest, url.is_tls ? "443" : "80");
    if (!endpoint) return bad_url(text, "does not name a host and a port", example);
    url.endpoint = *endpoint;
    return url;
}

Outcome<CoapUrl> parse_coap_url(std::string_view text) {
    constexpr std::string_view kScheme = "coap://";
    constexpr std::string_view kDefaultPort = "5683";
    const std::string example = "coap://127.0.0.1:5683/v/lamp";
    if (!text.starts_with(kScheme)) return bad_url(text, "does not begin with coap://", example);
    const std::string_view rest = text.substr(kScheme.size());
    if (rest.find('#') != std::string_view::npos)
        return bad_url(text, "has a fragment, which CoAP does not carry", example);
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    const auto endpoint = parse_endpoint(rest.substr(0, end), kDefaultPort);
    if (!endpoint) return bad_url(text, "does not name a host and a port", example);
    const std::size_t mark = std::min(rest.find('?'), rest.size());
    const std::size_t slash = end < mark ? end + 1 : end;
    const auto path = decode_parts(rest.substr(slash, mark - slash), '/');
    const auto query = decode_parts(rest.substr(std::min(mark + 1, rest.size())), '&');
    if (!path || !query) return bad_url(text, "has a % without two hex digits", example);
    return CoapUrl{*endpoint, *path, *query};
}

}  // namespace sotto::app
