// SPDX-License-Identifier: Apache-2.0
#include "core/framing/tag.hpp"

#include <gtest/gtest.h>

namespace sotto::framing {
namespace {

constexpr Tag kTag{0x00, 0x01, 0x7f, 0x80, 0xff, 0xab, 0xcd, 0xef};
constexpr std::string_view kName = "~00017f80ffabcdef";

TEST(Tag, IsWrittenAsAName) {
    const TagName name = name_of(kTag);
    EXPECT_EQ((std::string_view{name.data(), name.size()}), kName);
    EXPECT_EQ(tag_of(kName), kTag);
}

TEST(Tag, OtherNamesAreNone) {
    for (const std::string_view name : {"",
                                        "~",
                                        "lamp",
                                        "00017f80ffabcdef",
                                        "00017f80ffabcdef0",
                                        "~00017f80ffabcde",
                                        "~00017f80ffabcdef0",
                                        "~00017F80FFABCDEF",
                                        "~00017f80ffabcdeg",
                                        "~ 0017f80ffabcdef"})
        EXPECT_FALSE(tag_of(name)) << name;
}

TEST(Tag, PeriodsHaveFifteenMinutes) {
    EXPECT_EQ(tag_period_at(0), 0U);
    EXPECT_EQ(tag_period_at(899), 0U);
    EXPECT_EQ(tag_period_at(900), 1U);
    EXPECT_EQ(tag_period_at(0xffff'ffff), 4'772'185U);
}

}  // namespace
}  // namespace sotto::framing
