// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/one_time_password.hpp"

#include <gtest/gtest.h>

namespace sotto::cloud::server {
namespace {

// source: RFC 6238 appendix B, the rows of SHA-1: time in seconds, and the last 6 of 8 digits.
struct Vector {
    std::int64_t time;
    std::string_view password;
};
constexpr std::string_view kSecret = "12345678901234567890";
constexpr Vector kVectors[] = {{59, "287082"},
                               {1'111'111'109, "081804"},
                               {1'111'111'111, "050471"},
                               {1'234'567'890, "005924"},
                               {2'000'000'000, "279037"},
                               {20'000'000'000, "353130"}};

TEST(OneTimePassword, IsThatOfTheRfc) {
    for (const Vector& vector : kVectors) {
        const auto step = check_one_time_password(
            as_bytes(kSecret), vector.password, Instant{vector.time * 1'000});
        ASSERT_TRUE(step) << vector.time;
        EXPECT_EQ(*step, vector.time / 30);
    }
}

TEST(OneTimePassword, IsGoodOneStepBeforeAndAfterItsOwn) {
    const auto step_at = [](std::int64_t time) {
        return check_one_time_password(as_bytes(kSecret), "287082", Instant{time * 1'000});
    };
    for (const std::int64_t time : {0, 30, 59, 60, 89}) {
        EXPECT_EQ(step_at(time), time < 90 ? std::optional<std::int64_t>{1} : std::nullopt) << time;
    }
    EXPECT_FALSE(step_at(90));
}

TEST(OneTimePassword, IsNothingElse) {
    for (const std::string_view text : {"", "28708", "2870820", "94287082", "287083", "28708a"})
        EXPECT_FALSE(check_one_time_password(as_bytes(kSecret), text, Instant{59'000})) << text;
    EXPECT_FALSE(
        check_one_time_password(as_bytes("12345678901234567891"), "287082", Instant{59'000}));
}

}  // namespace
}  // namespace sotto::cloud::server
