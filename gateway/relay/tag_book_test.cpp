// SPDX-License-Identifier: Apache-2.0
#include "gateway/relay/tag_book.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace sotto::gateway::relay {
namespace {

using framing::uplink::Tags;

constexpr std::uint32_t kTime = 1'796'000'500;  // at the cloud; 100 s into a period
constexpr framing::TagPeriod kPeriod = framing::tag_period_at(kTime);
constexpr Instant kNow{5'000};  // here
constexpr framing::Tag kOne{1, 1};
constexpr framing::Tag kTwo{2, 2};

static_assert(kTime % framing::kTagPeriodSeconds == 100);

void give(TagBook& book,
          framing::TagPeriod period,
          const framing::Tag& tag,
          bool is_first = false) {
    book.take({.is_first = is_first, .unix_seconds = kTime, .period = period, .tags = tag}, kNow);
}

TEST(TagBook, ATagEndsOnePeriodAfterItsOwn) {
    TagBook book;
    give(book, kPeriod, kOne);
    EXPECT_TRUE(book.knows(kOne, kNow));
    EXPECT_FALSE(book.knows(kTwo, kNow));
    EXPECT_TRUE(book.knows(kOne, kNow + seconds(1'699)));
    EXPECT_FALSE(book.knows(kOne, kNow + seconds(1'700)));
    book.forget_ended(kNow + seconds(1'700));
    EXPECT_EQ(book.size(), 0U);
}

TEST(TagBook, WhatIsOverAndWhatIsFarAwayIsNotTaken) {
    TagBook book;
    give(book, kPeriod - 2, kOne);
    EXPECT_EQ(book.size(), 0U);
    give(book, kPeriod - 1, kOne);
    EXPECT_TRUE(book.knows(kOne, kNow + seconds(799)));
    give(book, 0xffff'ffff, kTwo);
    give(book, kPeriod + 100, kTwo);
    EXPECT_EQ(book.size(), 1U);
    book.take({.unix_seconds = 0xffff'ffff, .period = kPeriod, .tags = kTwo}, kNow);
    EXPECT_EQ(book.size(), 1U);
}

TEST(TagBook, TheFirstOfAllTakesThePlaceOfTheOthers) {
    TagBook book;
    give(book, kPeriod, kOne);
    give(book, kPeriod, kTwo, true);
    EXPECT_FALSE(book.knows(kOne, kNow));
    EXPECT_TRUE(book.knows(kTwo, kNow));
    book.take({.is_first = true, .unix_seconds = kTime, .period = kPeriod}, kNow);
    EXPECT_EQ(book.size(), 0U) << "everything was taken back";
}

TEST(TagBook, TakesSoManyAndNoMore) {
    TagBook book;
    std::vector<std::uint8_t> tags(framing::kTagsPerRecordMax * framing::kDeviceTagSize);
    std::uint32_t number = 0;
    for (std::size_t record = 0; record < kTagsMax / framing::kTagsPerRecordMax + 2; ++record) {
        for (std::size_t i = 0; i < tags.size(); i += framing::kDeviceTagSize) {
            ++number;
            for (std::size_t byte = 0; byte < 4; ++byte)
                tags[i + byte] = static_cast<std::uint8_t>(number >> (8 * byte));
        }
        book.take({.unix_seconds = kTime, .period = kPeriod, .tags = tags}, kNow);
    }
    EXPECT_EQ(book.size(), kTagsMax);
}

}  // namespace
}  // namespace sotto::gateway::relay
