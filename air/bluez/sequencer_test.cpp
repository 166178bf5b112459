// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/sequencer.hpp"

#include <gtest/gtest.h>

#include "air/bluez/limits.hpp"

namespace sotto::air::bluez {
namespace {

constexpr Instant kNow{1'000};

// A value with this counter, and a byte that says which it is.
std::vector<std::uint8_t> value(unsigned number) {
    return {static_cast<std::uint8_t>(0xc0 | (number % 64)), static_cast<std::uint8_t>(number)};
}

// What comes out, by number.
std::vector<unsigned> take(Sequencer& sequencer, Instant now = kNow) {
    std::vector<unsigned> numbers;
    while (const auto next = sequencer.next(now)) numbers.push_back((*next)[1]);
    return numbers;
}

TEST(Sequencer, PassesWhatIsInOrder) {
    Sequencer sequencer;
    for (unsigned number = 0; number < 200; ++number) {
        sequencer.receive(value(number), kNow);
        EXPECT_EQ(take(sequencer), std::vector<unsigned>{number});
    }
    EXPECT_FALSE(sequencer.has_gap());
}

TEST(Sequencer, PutsThreeBearersInOrder) {
    Sequencer sequencer;
    std::vector<unsigned> numbers;
    for (unsigned base = 0; base < 192; base += 3) {
        for (const unsigned number : {base + 2, base, base + 1}) {
            sequencer.receive(value(number), kNow);
            const auto more = take(sequencer);
            numbers.insert(numbers.end(), more.begin(), more.end());
        }
    }
    ASSERT_EQ(numbers.size(), 192U);
    for (unsigned number = 0; number < 192; ++number) EXPECT_EQ(numbers[number], number);
    EXPECT_FALSE(sequencer.has_gap());
}

TEST(Sequencer, DropsWhatComesTwiceOrLate) {
    Sequencer sequencer;
    sequencer.receive(value(0), kNow);
    EXPECT_EQ(take(sequencer), std::vector<unsigned>{0});
    sequencer.receive(value(0), kNow);
    sequencer.receive(value(2), kNow);
    sequencer.receive(value(2), kNow);
    EXPECT_EQ(take(sequencer), std::vector<unsigned>{});
    sequencer.receive(value(1), kNow);
    EXPECT_EQ(take(sequencer), (std::vector<unsigned>{1, 2}));
}

TEST(Sequencer, GoesOnWithoutWhatIsMissingForTooLong) {
    Sequencer sequencer;
    sequencer.receive(value(1), kNow);
    sequencer.receive(value(3), kNow);
    EXPECT_EQ(take(sequencer), std::vector<unsigned>{});
    EXPECT_TRUE(sequencer.has_gap());
    EXPECT_EQ(take(sequencer, kNow + kGapTimeMax), std::vector<unsigned>{1});
    // The next one that is missing gets its own time.
    EXPECT_EQ(take(sequencer, kNow + kGapTimeMax + kGapTimeMax), std::vector<unsigned>{3});
    EXPECT_FALSE(sequencer.has_gap());
    sequencer.receive(value(4), kNow);
    EXPECT_EQ(take(sequencer), std::vector<unsigned>{4});
}

TEST(Sequencer, GoesOnWhenTooManyWait) {
    Sequencer sequencer;
    std::vector<unsigned> numbers;
    for (unsigned number = 1; number <= kEarlyValuesMax; ++number) {
        EXPECT_EQ(take(sequencer), std::vector<unsigned>{});
        sequencer.receive(value(number), kNow);
    }
    EXPECT_EQ(take(sequencer).size(), kEarlyValuesMax);
}

TEST(Sequencer, HoldsLittleWhateverComes) {
    Sequencer sequencer;
    for (unsigned number = 1; number < 10'000; ++number)
        sequencer.receive(value(number * 7 % 64), kNow);
    sequencer.receive({}, kNow);
    EXPECT_LE(take(sequencer).size(), kEarlyValuesMax + 1);
}

}  // namespace
}  // namespace sotto::air::bluez
