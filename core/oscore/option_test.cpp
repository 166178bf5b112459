// SPDX-License-Identifier: Apache-2.0
#include "core/oscore/option.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/vectors.hpp"

namespace sotto::oscore {
namespace {

using Buffer = std::vector<std::uint8_t>;
using testing::from_hex;

struct BadOption {
    std::string hex;
    Error error;
};

TEST(Option, ParserIsStrict) {
    const BadOption table[] = {
        {"00", Error::Malformed},  // no flags are no bytes
        {"0000", Error::Malformed},
        {"0614", Error::Malformed},  // reserved sizes of the Partial IV
        {"06010203040506", Error::Malformed},
        {"0701020304050607", Error::Malformed},
        {"2114", Error::Malformed},  // reserved bits
        {"4114", Error::Malformed},
        {"8114", Error::Malformed},
        {"e0", Error::Malformed},
        {"01", Error::Truncated},  // Partial IV
        {"05010203", Error::Truncated},
        {"020001", Error::Malformed},  // leading zeros of the Partial IV
        {"050000000001", Error::Malformed},
        {"0114ff", Error::Malformed},    // bytes left over
        {"1914", Error::Truncated},      // size of the kid context
        {"19140301", Error::Truncated},  // kid context
        {"11140101ff", Error::Malformed},
    };
    for (const auto& [hex, error] : table) {
        const Buffer value = from_hex(hex);
        const auto option = parse_option(value);
        ASSERT_FALSE(option) << hex;
        EXPECT_EQ(option.error(), error) << hex;
    }
}

TEST(Option, EveryFirstByteIsTakenOrRefusedByItsBits) {
    for (int flags = 1; flags < 256; ++flags) {
        const int piv_size = flags & 7;
        Buffer value(static_cast<std::size_t>(1 + piv_size), 0x11);
        value[0] = static_cast<std::uint8_t>(flags);
        if ((flags & 0x10) != 0) value.push_back(0);
        const bool is_valid = (flags & 0xe0) == 0 && piv_size <= 5;
        const auto option = parse_option(value);
        ASSERT_EQ(option.has_value(), is_valid) << flags;
        if (!is_valid) continue;
        EXPECT_EQ(option->piv.size(), static_cast<std::size_t>(piv_size));
        EXPECT_EQ(option->kid.has_value(), (flags & 8) != 0);
        EXPECT_EQ(option->kid_context.has_value(), (flags & 0x10) != 0);
    }
}

TEST(Option, EncodingTakesNoMoreThanItsMaximum) {
    const Buffer piv(kPivSizeMax, 1);
    const Buffer kid(kIdSizeMax, 2);
    const Buffer kid_context(kIdContextSizeMax, 3);
    const OptionValue option{.piv = piv, .kid = kid, .kid_context = kid_context};
    Buffer out(kOptionSizeMax);
    const auto encoded = encode_option(option, out);
    ASSERT_TRUE(encoded);
    EXPECT_EQ(encoded->size(), kOptionSizeMax);
    out.resize(kOptionSizeMax - 1);
    EXPECT_EQ(encode_option(option, out).error(), Error::NoSpace);
}

TEST(Option, PartialIvsTakeTheFewestBytes) {
    const auto size = [](std::uint64_t piv) { return encode_piv(Piv{piv}).size(); };
    EXPECT_EQ(size(0), 1U);
    EXPECT_EQ(size(0xff), 1U);
    EXPECT_EQ(size(0x100), 2U);
    EXPECT_EQ(size(0xffff), 2U);
    EXPECT_EQ(size(0x10000), 3U);
    EXPECT_EQ(size(0xffffff), 3U);
    EXPECT_EQ(size(0x1000000), 4U);
    EXPECT_EQ(size(0xffffffff), 4U);
    EXPECT_EQ(size(0x100000000), 5U);
    EXPECT_EQ(size(kPivMax), 5U);
}

}  // namespace
}  // namespace sotto::oscore
