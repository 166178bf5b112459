// SPDX-License-Identifier: Apache-2.0
// Addresses that a user types. Strict. Allocates.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/client/failure.hpp"

namespace sotto::app {

struct Endpoint {
    std::string host;  // a name, an IPv4 address or an IPv6 address without brackets
    std::string port;

    bool is_loopback() const;
    std::string to_string() const;  // host:port, with brackets where they are needed
};

struct CloudUrl {
    bool is_tls = false;
    Endpoint endpoint;

    std::string to_string() const;
};

struct CoapUrl {
    Endpoint endpoint;
    std::vector<std::string> path;   // its segments, percent-decoded
    std::vector<std::string> query;  // its arguments, percent-decoded
};

// "http://HOST[:PORT]" or "https://HOST[:PORT]", nothing behind it but a slash. Trouble::Usage.
Outcome<CloudUrl> parse_cloud_url(std::string_view text);
// "coap://HOST[:PORT]/PATH[?QUERY]" (RFC 7252 §6.1). Trouble::Usage.
Outcome<CoapUrl> parse_coap_url(std::string_view text);

}  // namespace sotto::app
