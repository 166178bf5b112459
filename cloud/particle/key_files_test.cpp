// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/key_files.hpp"

#include <gtest/gtest.h>

namespace sotto::cloud::particle {
namespace {

std::vector<std::uint8_t> server_key() {
    std::vector<std::uint8_t> key(kServerKeyDerSize);
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
    return key;
}

TEST(KeyFiles, ASegmentHasTheKeyInFrontAndTheAddressAtItsPlace) {
    const auto segment =
        make_server_segment(*find_platform("photon"), server_key(), ServerAddress{"192.168.1.7"});
    ASSERT_TRUE(segment);
    ASSERT_EQ(segment->size(), 512U);
    EXPECT_TRUE(equal(Bytes{*segment}.first(294), server_key()));
    EXPECT_EQ((*segment)[294], 0xff);
    EXPECT_TRUE(
        equal(Bytes{*segment}.subspan(384, 6), std::array<std::uint8_t, 6>{0, 4, 192, 168, 1, 7}));
    EXPECT_TRUE(equal(Bytes{*segment}.subspan(450, 2), std::array<std::uint8_t, 2>{0x16, 0x33}));
    EXPECT_EQ((*segment)[452], 0xff);
}

TEST(KeyFiles, ANameIsKeptAsOne) {
    const auto segment = make_server_segment(
        *find_platform("core"), server_key(), ServerAddress{"home.example", 9'000});
    ASSERT_TRUE(segment);
    EXPECT_EQ(segment->size(), 2'048U);
    EXPECT_EQ((*segment)[384], 1);
    EXPECT_EQ((*segment)[385], 12);
    EXPECT_EQ(as_text(Bytes{*segment}.subspan(386, 12)), "home.example");
    EXPECT_EQ((*segment)[398], 0xff);
    EXPECT_TRUE(equal(Bytes{*segment}.subspan(450, 2), std::array<std::uint8_t, 2>{0x23, 0x28}));
}

TEST(KeyFiles, WithoutAnAddressADeviceTakesTheOneItKnows) {
    const auto photon = make_server_segment(*find_platform("photon"), server_key(), {});
    ASSERT_TRUE(photon);
    EXPECT_EQ((*photon)[384], 0xff);
    const auto bluz = make_server_segment(*find_platform("bluz"), server_key(), {});
    ASSERT_TRUE(bluz);
    EXPECT_EQ(*bluz, server_key()) << "its gateway has the address";
}

TEST(KeyFiles, WhatCannotBeKeptIsRefused) {
    const Platform photon = *find_platform("photon");
    for (const std::string& host : {std::string{},
                                    std::string{"1.2.3"},
                                    std::string{"1.2.3.256"},
                                    std::string{"1.2.3.4.5"},
                                    std::string{"::1"},
                                    std::string{"a b"},
                                    std::string(64, 'a')})
        EXPECT_EQ(make_server_segment(photon, server_key(), ServerAddress{host}).error(),
                  Error::InvalidArgument)
            << host;
    EXPECT_TRUE(make_server_segment(photon, server_key(), ServerAddress{std::string(63, 'a')}));
    EXPECT_EQ(make_server_segment(photon, server_key(), ServerAddress{"a", 0}).error(),
              Error::InvalidArgument);
    EXPECT_EQ(make_server_segment(*find_platform("bluz"), server_key(), ServerAddress{"a"}).error(),
              Error::InvalidArgument);
    EXPECT_EQ(make_server_segment(photon, Bytes{server_key()}.first(293), {}).error(),
              Error::Malformed);
    EXPECT_FALSE(find_platform("argon"));
}

}  // namespace
}  // namespace sotto::cloud::particle
