// SPDX-License-Identifier: Apache-2.0
#include "gateway/uplink/address.hpp"

#include <gtest/gtest.h>

namespace sotto::gateway::uplink {
namespace {

TEST(Address, TakesNamesAndAddressesWithAPort) {
    EXPECT_EQ(parse_address("cloud.example:5684")->host, "cloud.example");
    EXPECT_EQ(parse_address("127.0.0.1:65535")->port, "65535");
    EXPECT_EQ(parse_address("[::1]:1")->host, "::1");
}

TEST(Address, RefusesAnythingElse) {
    for (const char* text : {"",
                             ":",
                             "host",
                             "host:",
                             ":1",
                             "host:0",
                             "host:65536",
                             "host:1x",
                             "host: 1",
                             "::1:5684",
                             "[]:1",
                             "[::1]",
                             "http://host:1",
                             "user@host:1",
                             "ho st:1",
                             "host:-1",
                             "host:+1"})
        EXPECT_EQ(parse_address(text).error(), Error::InvalidArgument) << text;
    EXPECT_EQ(parse_address(std::string(256, 'a')).error(), Error::TooLarge);
}

}  // namespace
}  // namespace sotto::gateway::uplink
