// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/advertised_name.hpp"

#include <gtest/gtest.h>

namespace sotto::device {
namespace {

constexpr std::uint32_t kBegin = 1'996'000 * 900U;  // of a period

TEST(AdvertisedName, IsItsOwnWithoutAnOwner) {
    EXPECT_EQ(advertised_name("lamp", nullptr, kBegin), "lamp");
    EXPECT_EQ(advertised_name("lamp", nullptr, {}), "lamp");
}

TEST(AdvertisedName, IsATagThatChangesWithThePeriod) {
    const keystore::TokenKey key{std::array<std::uint8_t, 32>{1, 2, 3}};
    const std::string first = advertised_name("lamp", &key, kBegin);
    const auto tag = framing::tag_of(first);
    ASSERT_TRUE(tag) << first;
    EXPECT_TRUE(session::is_tag_of(session::tag_key(key), kBegin, *tag));
    EXPECT_EQ(advertised_name("another", &key, kBegin + 899), first);
    EXPECT_NE(advertised_name("lamp", &key, kBegin + 900), first);
    EXPECT_NE(advertised_name("lamp", &key, kBegin - 1), first);
}

TEST(AdvertisedName, ChangesWithTheOwner) {
    const keystore::TokenKey key{std::array<std::uint8_t, 32>{1, 2, 3}};
    const keystore::TokenKey next{std::array<std::uint8_t, 32>{1, 2, 4}};
    EXPECT_NE(advertised_name("lamp", &key, kBegin), advertised_name("lamp", &next, kBegin));
}

TEST(AdvertisedName, SaysNothingWhileTheTimeIsNotKnown) {
    const keystore::TokenKey key{std::array<std::uint8_t, 32>{1, 2, 3}};
    EXPECT_EQ(advertised_name("lamp", &key, {}), framing::kNoTagName);
}

}  // namespace
}  // namespace sotto::device
