// SPDX-License-Identifier: Apache-2.0
// "host:port" of a cloud. Allocates; asks no name server.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace sotto::gateway::uplink {

struct Address {
    std::string host;  // a name, an IPv4 address, or an IPv6 address without its brackets
    std::string port;  // 1 to 65535
};

// Takes "host:port" and "[v6]:port". Error::InvalidArgument for anything else, Error::TooLarge over
// kAddressSizeMax.
Result<Address> parse_address(std::string_view text);

}  // namespace sotto::gateway::uplink
