// SPDX-License-Identifier: Apache-2.0
// What a device offers, from its /.well-known/core (RFC 6690). Allocates.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sotto::app {

struct Offer {
    std::string kind;  // function, variable or event
    std::string name;
};

// Links of other kinds, and what is no link, are left out: it is for people.
std::vector<Offer> parse_offers(std::string_view links);

}  // namespace sotto::app
