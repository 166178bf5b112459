// SPDX-License-Identifier: Apache-2.0
#include "core/session/excerpt.hpp"

#include <string>

#include <gtest/gtest.h>

#include "core/base/bytes.hpp"

namespace sotto::session {
namespace {

const std::string kText = "abcdefghijklmnopqrstuvwxyz";

// The part of `kText`, written in three pieces, that a window shows.
std::string part(std::size_t offset, std::size_t size) {
    std::array<std::uint8_t, 64> out{};
    PlainExcerpt excerpt{MutBytes{out}.first(size), offset};
    excerpt.text(kText.substr(0, 5));
    excerpt.bytes_behind(as_bytes(kText.substr(5, 3)), as_bytes(kText.substr(8, 10)));
    excerpt.text(kText.substr(18));
    EXPECT_EQ(excerpt.size(), kText.size());
    EXPECT_EQ(excerpt.is_whole(), offset == 0 && size >= kText.size());
    return std::string{as_text(excerpt.part())};
}

TEST(ExcerptTest, ShowsEveryPart) {
    for (std::size_t offset = 0; offset <= kText.size() + 1; ++offset) {
        for (std::size_t size = 1; size <= kText.size() + 1; ++size) {
            const std::string expected = offset < kText.size() ? kText.substr(offset, size) : "";
            EXPECT_EQ(part(offset, size), expected) << offset << " " << size;
        }
    }
}

TEST(ExcerptTest, TagIsOfTheWholeAndNotOfThePart) {
    std::array<std::uint8_t, 4> out{};
    TaggedExcerpt first{out};
    TaggedExcerpt last{out, 20};
    TaggedExcerpt other{out, 20};
    first.text(kText);
    last.text("").bytes_behind(as_bytes(kText.substr(0, 2)), as_bytes(kText.substr(2)));
    other.text(kText.substr(0, 25) + "y");
    const EntityTag tag = first.tag();
    EXPECT_EQ(tag, last.tag());
    EXPECT_NE(tag, other.tag());
}

TEST(ExcerptTest, TakesWhatLiesInItsOwnRoom) {
    std::array<std::uint8_t, 16> room{};
    std::ranges::copy(as_bytes("argument"), room.begin());
    PlainExcerpt excerpt{room};
    excerpt.bytes_behind(as_bytes("h:"), Bytes{room}.first(8));
    EXPECT_EQ(as_text(excerpt.part()), "h:argument");
}

}  // namespace
}  // namespace sotto::session
