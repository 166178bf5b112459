// SPDX-License-Identifier: Apache-2.0
#include "ports/tls/fingerprint.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace sotto::ports {
namespace {

const std::string kText =
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
    "0F:1E:2D:3C:4B:5A:69:78:87:96:A5:B4:C3:D2:E1:F0";

TEST(Fingerprint, IsReadAsItIsWritten) {
    const auto fingerprint = parse_fingerprint(kText);
    ASSERT_TRUE(fingerprint);
    EXPECT_EQ(to_string(*fingerprint), kText);
    EXPECT_EQ(fingerprint->bytes[1], 0x11);
    EXPECT_EQ(fingerprint->bytes[31], 0xf0);
}

TEST(Fingerprint, MayBeWrittenAsSha256sumDoes) {
    std::string text = kText;
    std::erase(text, ':');
    EXPECT_EQ(*parse_fingerprint(text), *parse_fingerprint(kText));
    std::ranges::transform(text, text.begin(), [](char c) { return std::tolower(c); });
    EXPECT_EQ(*parse_fingerprint(text), *parse_fingerprint(kText));
}

TEST(Fingerprint, AnythingElseIsNone) {
    std::string digits = kText;
    std::erase(digits, ':');
    std::string other_separator = kText;
    other_separator[50] = '-';
    std::string one_colon = digits;
    one_colon[2] = ':';
    std::string no_digit = kText;
    no_digit[0] = 'G';
    for (const std::string& text : {std::string{},
                                    digits + "0",
                                    digits.substr(1),
                                    " " + digits,
                                    kText + ":",
                                    kText.substr(3),
                                    other_separator,
                                    one_colon,
                                    no_digit})
        EXPECT_EQ(parse_fingerprint(text).error(), Error::InvalidArgument) << text;
}

}  // namespace
}  // namespace sotto::ports
