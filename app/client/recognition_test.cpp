// SPDX-License-Identifier: Apache-2.0
#include "app/client/recognition.hpp"

#include <gtest/gtest.h>

namespace sotto::app {
namespace {

constexpr std::uint32_t kNow = 1'796'000'500;

session::TagKey key_of(std::uint8_t number) {
    return session::TagKey{std::array<std::uint8_t, session::kTagKeySize>{number}};
}

framing::Tag tag_of(std::uint8_t number, std::uint32_t time = kNow) {
    return session::tag_of(key_of(number), framing::tag_period_at(time));
}

TEST(Recognition, OneDeviceIsKnownByItsTagAndTheRestWaits) {
    const Recognition recognition = Recognition::of_device(key_of(1));
    EXPECT_TRUE(recognition.is_welcome(tag_of(1), kNow, {}));
    EXPECT_TRUE(recognition.is_welcome(tag_of(1, kNow + 900), kNow, {}));
    EXPECT_FALSE(recognition.is_welcome(tag_of(1, kNow + 1'800), kNow, {}));
    EXPECT_FALSE(recognition.is_welcome(tag_of(2), kNow, {}));
    EXPECT_FALSE(recognition.is_welcome({}, kNow, {}));
    EXPECT_TRUE(recognition.is_welcome({}, kNow, Recognition::kRecogniseTime));
    EXPECT_FALSE(recognition.is_welcome(tag_of(2), kNow, Recognition::kRecogniseTime));
    EXPECT_TRUE(recognition.is_welcome(tag_of(2), kNow, Recognition::kStrangersTime));
}

TEST(Recognition, OneThatIsNotKnownMayBeAnybodyInTheEnd) {
    const Recognition recognition = Recognition::of_device({});
    EXPECT_TRUE(recognition.is_welcome({}, kNow, {}));
    EXPECT_FALSE(recognition.is_welcome(tag_of(1), kNow, {}));
    EXPECT_TRUE(recognition.is_welcome(tag_of(1), kNow, Recognition::kStrangersTime));
}

TEST(Recognition, WhoOnlyLooksAsksNoStranger) {
    std::vector<session::TagKey> keys;
    for (const std::uint8_t number : {1, 2, 3}) keys.push_back(key_of(number));
    const Recognition recognition{std::move(keys), {}};
    for (const std::uint8_t number : {1, 2, 3})
        EXPECT_TRUE(recognition.is_welcome(tag_of(number), kNow, {}));
    EXPECT_TRUE(recognition.is_welcome({}, kNow, {}));
    EXPECT_FALSE(recognition.is_welcome(tag_of(4), kNow, seconds(3'600)));
}

}  // namespace
}  // namespace sotto::app
