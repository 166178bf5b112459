// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <gtest/gtest.h>

#include "core/framing/cobs.hpp"
#include "core/framing/crc16.hpp"
#include "core/framing/text.hpp"
#include "testing/vectors.hpp"

namespace sotto::framing {
namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

TEST(Crc16, AgreesWithPublishedValues) {
    for (const auto& vector : testing::load_vectors("framing/crc16.txt")) {
        const Buffer expected = vector.bytes("crc");
        EXPECT_EQ(crc16(vector.bytes("bytes")), expected[0] << 8 | expected[1]);
    }
}

TEST(Cobs, AgreesWithPublishedValues) {
    for (const auto& vector : testing::load_vectors("framing/cobs.txt")) {
        const Buffer bytes = vector.bytes("bytes");
        const Buffer code = vector.bytes("code");
        Buffer out(cobs_size_max(bytes.size()));
        EXPECT_EQ(copy(*cobs_encode(out, bytes)), code);
        EXPECT_EQ(copy(*cobs_decode(out, code)), bytes);
    }
}

TEST(Cobs, OfNothingIsOneByte) {
    Buffer out(1);
    EXPECT_EQ(copy(*cobs_encode(out, {})), Buffer{1});
    EXPECT_EQ(copy(*cobs_decode(out, Buffer{1})), Buffer{});
}

TEST(Cobs, EverySizeFitsTheStatedMaximumExactly) {
    for (std::size_t size = 0; size < 1'100; ++size) {
        const Buffer bytes(size, 7);
        Buffer out(cobs_size_max(size));
        const auto code = cobs_encode(out, bytes);
        ASSERT_TRUE(code) << size;
        Buffer small(code->size() - 1);
        EXPECT_EQ(cobs_encode(small, bytes).error(), Error::NoSpace) << size;
        Buffer back(size);
        EXPECT_EQ(copy(*cobs_decode(back, *code)), bytes) << size;
    }
}

TEST(Cobs, DecodesInPlace) {
    Buffer memory{3, 0x11, 0x22, 2, 0x33};
    EXPECT_EQ(copy(*cobs_decode(memory, memory)), (Buffer{0x11, 0x22, 0, 0x33}));
}

TEST(Cobs, RefusesWhatIsNoCode) {
    Buffer out(16);
    const Buffer bad[] = {{}, {0}, {2}, {3, 1}, {3, 1, 0}, {1, 0, 1}, {5, 1, 2, 3}, {0xff, 1}};
    for (const Buffer& code : bad) EXPECT_EQ(cobs_decode(out, code).error(), Error::Malformed);
    EXPECT_EQ(cobs_decode(MutBytes{out}.first(2), Buffer{4, 1, 2, 3}).error(), Error::NoSpace);
    EXPECT_EQ(cobs_decode(MutBytes{out}.first(2), Buffer{3, 1, 2, 1}).error(), Error::NoSpace);
}

TEST(Text, VisibleAsciiHasNoSpacesOrControls) {
    EXPECT_TRUE(is_visible_ascii(""));
    EXPECT_TRUE(is_visible_ascii("!cloud.example:5684~"));
    for (const char* text : {"a b", "a\n", "\x7f", "\x1b[0m", "caf\xc3\xa9"})
        EXPECT_FALSE(is_visible_ascii(text)) << text;
}

TEST(Text, Utf8IsStrictAndWithoutControls) {
    for (const char* text : {"",
                             "Lamp 1",
                             "caf\xc3\xa9",
                             "\xc2\xa0",
                             "\xe2\x82\xac",
                             "\xed\x9f\xbf",
                             "\xee\x80\x80",
                             "\xf0\x90\x80\x80",
                             "\xf4\x8f\xbf\xbf"})
        EXPECT_TRUE(is_printable_utf8(text)) << text;
    for (const char* text : {"\x1b[2J",
                             "\x7f",
                             "\xc2\x80",
                             "\xc2\x9f",
                             "\x80",
                             "\xc1\xbf",
                             "\xc3",
                             "\xc3(",
                             "\xe0\x9f\xbf",
                             "\xed\xa0\x80",
                             "\xed\xbf\xbf",
                             "\xf0\x8f\xbf\xbf",
                             "\xf4\x90\x80\x80",
                             "\xf5\x80\x80\x80",
                             "\xe2\x82",
                             "\xff"})
        EXPECT_FALSE(is_printable_utf8(text)) << text;
}

}  // namespace
}  // namespace sotto::framing
