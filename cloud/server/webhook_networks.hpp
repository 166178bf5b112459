// SPDX-License-Identifier: Apache-2.0
// Which addresses webhooks may call: public ones, and those that the operator allows. What users
// write must lead neither into this machine nor into the networks that it alone can reach.
// Allocates; does not block.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "ports/linux/failure.hpp"

namespace sotto::cloud::server {

class WebhookNetworks {
  public:
    // Each an address or a network, as 192.168.1.0/24 or fd00::/8.
    static ports::Outcome<WebhookNetworks> parse(const std::vector<std::string>& allowed);

    bool may_call(const boost::asio::ip::address& address) const;
    // Whether it may be that a host is called: false for localhost, and for what is an address
    // already, however it is written, and no address that may be called.
    bool may_name(const std::string& host) const;

  private:
    bool is_allowed(const boost::asio::ip::address_v4& address) const;
    bool is_allowed(const boost::asio::ip::address_v6& address) const;

    std::vector<boost::asio::ip::network_v4> allowed_v4_;
    std::vector<boost::asio::ip::network_v6> allowed_v6_;
};

}  // namespace sotto::cloud::server
