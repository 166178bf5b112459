// SPDX-License-Identifier: Apache-2.0
#include "core/session/tag_key.hpp"

#include <gtest/gtest.h>

#include "testing/vectors.hpp"

namespace sotto::session {
namespace {

keystore::TokenKey token_key_of(const std::vector<std::uint8_t>& bytes) {
    keystore::TokenKey key;
    std::copy(bytes.begin(), bytes.end(), key.fill().begin());
    return key;
}

// Computed by tests/vectors/tags/compute.
TEST(TagKey, GivesTheTagsThatOthersCompute) {
    const auto vectors = testing::load_vectors("tags/tags.txt");
    ASSERT_GE(vectors.size(), 18U);
    for (const testing::Vector& vector : vectors) {
        const TagKey key = tag_key(token_key_of(vector.bytes("token_key")));
        EXPECT_TRUE(ct_equal(key.expose(), vector.bytes("key")));
        const auto seconds = static_cast<std::uint32_t>(vector.number("seconds"));
        const framing::Tag tag = tag_of(key, framing::tag_period_at(seconds));
        EXPECT_EQ((std::vector<std::uint8_t>{tag.begin(), tag.end()}), vector.bytes("tag"));
        const framing::TagName name = framing::name_of(tag);
        EXPECT_EQ((std::string{name.begin(), name.end()}), vector.text("name"));
    }
}

TEST(TagKey, IsRecognisedByClocksThatDifferByAPeriod) {
    const TagKey key = tag_key(keystore::TokenKey{std::array<std::uint8_t, 32>{1, 2, 3}});
    constexpr std::uint32_t kNow = 1'796'000'500;
    const framing::Tag tag = tag_of(key, framing::tag_period_at(kNow));
    EXPECT_TRUE(is_tag_of(key, kNow, tag));
    EXPECT_TRUE(is_tag_of(key, kNow + framing::kTagPeriodSeconds, tag));
    EXPECT_TRUE(is_tag_of(key, kNow - framing::kTagPeriodSeconds, tag));
    EXPECT_FALSE(is_tag_of(key, kNow + 2 * framing::kTagPeriodSeconds, tag));
    EXPECT_FALSE(is_tag_of(key, kNow - 2 * framing::kTagPeriodSeconds, tag));
    const TagKey other = tag_key(keystore::TokenKey{std::array<std::uint8_t, 32>{1, 2, 4}});
    EXPECT_FALSE(is_tag_of(other, kNow, tag));
}

}  // namespace
}  // namespace sotto::session
