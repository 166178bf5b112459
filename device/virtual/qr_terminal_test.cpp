// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/qr_terminal.hpp"

#include <gtest/gtest.h>

namespace sotto::device {
namespace {

constexpr std::string_view kCode = "SOTTO:1777777777777777777777777777777777777777777777777777Q";

// The modules that were drawn; true is dark.
std::vector<std::vector<bool>> modules_of(const std::vector<std::string>& lines) {
    std::vector<std::vector<bool>> rows;
    for (const std::string& line : lines) {
        std::vector<bool> upper;
        std::vector<bool> lower;
        for (std::size_t i = 0; i < line.size();) {
            const std::string block = line[i] == ' ' ? " " : line.substr(i, 3);
            upper.push_back(block == " " || block == "\xe2\x96\x84");
            lower.push_back(block == " " || block == "\xe2\x96\x80");
            i += block.size();
        }
        rows.push_back(upper);
        rows.push_back(lower);
    }
    return rows;
}

// The square that stands in three corners of every code.
bool has_finder(const std::vector<std::vector<bool>>& rows, std::size_t left, std::size_t top) {
    for (std::size_t y = 0; y < 7; ++y) {
        for (std::size_t x = 0; x < 7; ++x) {
            const std::size_t ring = std::min({x, y, 6 - x, 6 - y});
            if (rows[top + y][left + x] != (ring != 1)) return false;
        }
    }
    return true;
}

TEST(QrTerminal, DrawsACodeOfVersion3WithItsQuietZone) {
    const auto lines = qr_lines(kCode, QrStyle::Plain);
    ASSERT_TRUE(lines);
    const auto rows = modules_of(*lines);
    constexpr std::size_t kWidth = 29;  // version 3: the alphanumeric mode was taken
    for (const auto& row : rows) ASSERT_EQ(row.size(), kWidth + 8);
    EXPECT_TRUE(has_finder(rows, 4, 4));
    EXPECT_TRUE(has_finder(rows, 4 + kWidth - 7, 4));
    EXPECT_TRUE(has_finder(rows, 4, 4 + kWidth - 7));
    for (std::size_t i = 8; i + 8 < kWidth; ++i) {  // the timing patterns
        EXPECT_EQ(rows[4 + 6][4 + i], i % 2 == 0);
        EXPECT_EQ(rows[4 + i][4 + 6], i % 2 == 0);
    }
    for (std::size_t i = 0; i < kWidth + 8; ++i) {
        EXPECT_FALSE(rows[3][i]);
        EXPECT_FALSE(rows[4 + kWidth][i]);
        EXPECT_FALSE(rows[i][3]);
        EXPECT_FALSE(rows[i][4 + kWidth]);
    }
}

TEST(QrTerminal, ColourSurroundsEachLine) {
    const auto plain = qr_lines(kCode, QrStyle::Plain);
    const auto colour = qr_lines(kCode, QrStyle::Colour);
    ASSERT_TRUE(plain && colour);
    ASSERT_EQ(plain->size(), colour->size());
    for (std::size_t i = 0; i < plain->size(); ++i)
        EXPECT_EQ((*colour)[i], "\x1b[97;40m" + (*plain)[i] + "\x1b[0m");
}

TEST(QrTerminal, RefusesWhatNoCodeHolds) {
    EXPECT_EQ(qr_lines(std::string(5'000, 'A'), QrStyle::Plain).error(), Error::TooLarge);
}

}  // namespace
}  // namespace sotto::device
