// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/webhook_networks.hpp"

#include <algorithm>
#include <arpa/inet.h>

namespace sotto::cloud::server {

namespace ip = boost::asio::ip;
using boost::system::error_code;

namespace {

// The registries of special-purpose addresses (RFC 6890) where they are not global, and multicast.
constexpr const char* kSpecialV4[] = {"0.0.0.0/8",
                                      "10.0.0.0/8",
                                      "100.64.0.0/10",
                                      "127.0.0.0/8",
                                      "169.254.0.0/16",
                                      "172.16.0.0/12",
                                      "192.0.0.0/24",
                                      "192.0.2.0/24",
                                      "192.88.99.0/24",
                                      "192.168.0.0/16",
                                      "198.18.0.0/15",
                                      "198.51.100.0/24",
                                      "203.0.113.0/24",
                                      "224.0.0.0/4",
                                      "240.0.0.0/4"};
// Of what is global unicast at all (RFC 4291 §2.4): also what leads to an IPv4 address elsewhere.
constexpr const char* kGlobalV6 = "2000::/3";
constexpr const char* kSpecialV6[] = {"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"};
// RFC 6052 §2.1: an IPv4 address in its last four bytes.
constexpr const char* kTranslatedV6 = "64:ff9b::/96";

bool holds(const ip::network_v4& network, const ip::address_v4& address) {
    return ip::network_v4{address, network.prefix_length()}.canonical() == network.canonical();
}
bool holds(const ip::network_v6& network, const ip::address_v6& address) {
    return ip::network_v6{address, network.prefix_length()}.canonical() == network.canonical();
}

bool is_public(const ip::address_v4& address) {
    return std::ranges::none_of(kSpecialV4, [&](const char* network) {
        return holds(ip::make_network_v4(network), address);
    });
}

bool is_public(const ip::address_v6& address) {
    return holds(ip::make_network_v6(kGlobalV6), address) &&
           std::ranges::none_of(kSpecialV6, [&](const char* network) {
               return holds(ip::make_network_v6(network), address);
           });
}

ip::address_v4 last_four(const ip::address_v6& address) {
    const auto bytes = address.to_bytes();
    return ip::address_v4{{bytes[12], bytes[13], bytes[14], bytes[15]}};
}

}  // namespace

ports::Outcome<WebhookNetworks> WebhookNetworks::parse(const std::vector<std::string>& allowed) {
    WebhookNetworks networks;
    for (const std::string& text : allowed) {
        const bool is_network = text.find('/') != std::string::npos;
        error_code not_v4;
        error_code not_v6;
        const auto v4 = ip::make_network_v4(is_network ? text : text + "/32", not_v4);
        const auto v6 = ip::make_network_v6(is_network ? text : text + "/128", not_v6);
        if (!not_v4) {
            networks.allowed_v4_.push_back(v4);
        } else if (!not_v6) {
            networks.allowed_v6_.push_back(v6);
        } else {
            return ports::Failure{Error::InvalidArgument,
                                  "--webhook-allow " + text +
                                      ": it must be an address or a network, such as "
                                      "192.168.1.0/24"};
        }
    }
    return networks;
}

bool WebhookNetworks::is_allowed(const ip::address_v4& address) const {
    return std::ranges::any_of(allowed_v4_,
                               [&](const auto& network) { return holds(network, address); });
}

bool WebhookNetworks::is_allowed(const ip::address_v6& address) const {
    return std::ranges::any_of(allowed_v6_,
                               [&](const auto& network) { return holds(network, address); });
}

bool WebhookNetworks::may_call(const ip::address& address) const {
    if (address.is_v4()) return is_public(address.to_v4()) || is_allowed(address.to_v4());
    const ip::address_v6 v6 = address.to_v6();
    if (v6.is_v4_mapped() || holds(ip::make_network_v6(kTranslatedV6), v6))
        return may_call(last_four(v6));
    return v6.scope_id() == 0 && (is_public(v6) || is_allowed(v6));
}

bool WebhookNetworks::may_name(const std::string& host) const {
    const bool is_local = host == "localhost" || host.ends_with(".localhost");
    if (is_local)
        return may_call(ip::address_v4::loopback()) || may_call(ip::address_v6::loopback());
    error_code error;
    const auto address = ip::make_address(host, error);
    if (!error) return may_call(address);
    // As the system reads them, too: 127.1, 0x7f000001, 2130706433.
    in_addr loose{};
    if (::inet_aton(host.c_str(), &loose) == 1)
        return may_call(ip::address_v4{ntohl(loose.s_addr)});
    return true;
}

}  // namespace sotto::cloud::server
