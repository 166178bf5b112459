// SPDX-License-Identifier: Apache-2.0
#include "gateway/relay/hold_offs.hpp"

#include <gtest/gtest.h>

namespace sotto::gateway::relay {
namespace {

TEST(Backoff, DoublesUpToTheMaximumAndIsSpreadByChance) {
    Backoff backoff{milliseconds(100), milliseconds(350)};
    EXPECT_EQ(backoff.next(Jitter{0}), milliseconds(100));
    EXPECT_EQ(backoff.next(Jitter{0xffff}), milliseconds(100));
    EXPECT_EQ(backoff.next(Jitter{0x8000}), milliseconds(263));
    EXPECT_EQ(backoff.next(Jitter{0}), milliseconds(350));
    backoff.reset();
    EXPECT_EQ(backoff.next(Jitter{0xffff}), milliseconds(50));
    backoff.raise();
    EXPECT_EQ(backoff.next(Jitter{0}), milliseconds(350));
}

TEST(HoldOffs, HoldAPlaceForItsTimeAndNotLongerThanTheMaximum) {
    HoldOffs holds;
    EXPECT_FALSE(holds.is_held("a", Instant{0}));
    holds.hold("a", seconds(10), Instant{0});
    EXPECT_TRUE(holds.is_held("a", Instant{9'999}));
    EXPECT_FALSE(holds.is_held("a", Instant{10'000}));
    EXPECT_FALSE(holds.is_held("b", Instant{0}));
    holds.hold("a", days(1), Instant{0});
    EXPECT_FALSE(holds.is_held("a", Instant{0} + kStayAwayMax));
}

TEST(HoldOffs, FailuresAddUpUntilASuccess) {
    HoldOffs holds;
    holds.on_failed("a", Instant{0}, Jitter{0});
    EXPECT_FALSE(holds.is_held("a", Instant{500}));
    holds.on_failed("a", Instant{0}, Jitter{0});
    EXPECT_TRUE(holds.is_held("a", Instant{999}));
    holds.on_connected("a");
    EXPECT_FALSE(holds.is_held("a", Instant{0}));
    EXPECT_EQ(holds.size(), 0U);
}

TEST(HoldOffs, ForgetTheNearestWhenFull) {
    HoldOffs holds;
    for (std::size_t i = 0; i < kHoldsMax; ++i)
        holds.hold(std::to_string(i), milliseconds(1'000 + static_cast<std::int64_t>(i)), {});
    holds.hold("new", seconds(60), {});
    EXPECT_EQ(holds.size(), kHoldsMax);
    EXPECT_FALSE(holds.is_held("0", {}));
    EXPECT_TRUE(holds.is_held("1", {}));
    EXPECT_TRUE(holds.is_held("new", {}));
}

}  // namespace
}  // namespace sotto::gateway::relay
