// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/base32.hpp"
#include "core/base/fixed_vector.hpp"
#include "core/base/hex.hpp"
#include "core/base/reader.hpp"
#include "core/base/secret.hpp"
#include "core/base/strong.hpp"
#include "core/base/time.hpp"
#include "core/base/token_bucket.hpp"
#include "core/base/writer.hpp"

namespace sotto {
namespace {

TEST(Reader, ShrinksAndReportsTruncationWithoutMoving) {
    const std::array<std::uint8_t, 5> bytes{1, 2, 3, 4, 5};
    Reader reader{bytes};
    EXPECT_EQ(*reader.u8(), 1);
    EXPECT_EQ(*reader.u16_be(), 0x0203);
    EXPECT_EQ(reader.u32_be().error(), Error::Truncated);
    EXPECT_EQ(reader.size(), 2U);
    EXPECT_EQ(reader.finish().error(), Error::Malformed);
    EXPECT_EQ(*reader.u16_be(), 0x0405);
    EXPECT_TRUE(reader.finish());
}

TEST(Writer, OverflowIsSticky) {
    std::array<std::uint8_t, 3> out{};
    Writer writer{out};
    writer.u16_be(0x0102).u16_be(0x0304).u8(5);
    EXPECT_EQ(writer.finish().error(), Error::NoSpace);
    EXPECT_TRUE(writer.written().empty());
}

TEST(Writer, WritesBigEndian) {
    std::array<std::uint8_t, 15> out{};
    const auto written =
        Writer{out}.u8(1).u16_be(0x0203).u32_be(0x04050607).u64_be(0x08090a0b0c0d0e0f).finish();
    ASSERT_TRUE(written);
    for (std::size_t i = 0; i < written->size(); ++i) EXPECT_EQ((*written)[i], i + 1);
}

TEST(Secret, IsWipedWhenMovedFrom) {
    const std::array<std::uint8_t, 4> bytes{1, 2, 3, 4};
    Secret<4, struct Tag> first{bytes};
    const Secret<4, struct Tag> second{std::move(first)};
    EXPECT_TRUE(equal(second.expose(), bytes));
    // NOLINTNEXTLINE(bugprone-use-after-move): that is the point
    EXPECT_TRUE(ct_equal(first.expose(), std::array<std::uint8_t, 4>{}));
}

TEST(Secret, IsWipedWhenItDies) {
    using Key = Secret<32, struct Tag>;
    alignas(Key) std::array<std::uint8_t, sizeof(Key)> place{};
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(0xa5);
    Key* key =
        std::construct_at(static_cast<Key*>(static_cast<void*>(place.data())), BytesN<32>{bytes});
    std::destroy_at(key);
    EXPECT_EQ(std::count(place.begin(), place.end(), 0xa5), 0);
}

TEST(CtEqual, ComparesContentAndSize) {
    const std::array<std::uint8_t, 3> a{1, 2, 3};
    const std::array<std::uint8_t, 3> b{1, 2, 4};
    EXPECT_TRUE(ct_equal(a, a));
    EXPECT_FALSE(ct_equal(a, b));
    EXPECT_FALSE(ct_equal(a, Bytes{a}.first(2)));
    EXPECT_TRUE(ct_equal({}, {}));
}

TEST(FixedVector, HoldsMoveOnlyItemsInOrder) {
    FixedVector<std::unique_ptr<int>, 3> items;
    for (int i = 0; i < 3; ++i) items.emplace_back(std::make_unique<int>(i));
    EXPECT_TRUE(items.full());
    EXPECT_EQ(items.try_push_back(nullptr).error(), Error::NoSpace);
    items.erase(items.begin() + 1);
    ASSERT_EQ(items.size(), 2U);
    EXPECT_EQ(*items[0], 0);
    EXPECT_EQ(*items[1], 2);
}

TEST(FixedBytes, RefusesWhatDoesNotFit) {
    EXPECT_EQ(FixedBytes<2>::from(as_bytes("abc")).error(), Error::TooLarge);
    EXPECT_EQ(as_text(*FixedBytes<3>::from(as_bytes("abc"))), "abc");
}

Result<int> half(int number) {
    if (number % 2 != 0) return Error::InvalidArgument;
    return number / 2;
}

Result<std::string> describe_quarter(int number) {
    SOTTO_TRY_ASSIGN(const int first, half(number));
    SOTTO_TRY_ASSIGN(const int second, half(first));
    return std::to_string(second);
}

TEST(Result, PropagatesTheFirstError) {
    EXPECT_EQ(*describe_quarter(8), "2");
    EXPECT_EQ(describe_quarter(6).error(), Error::InvalidArgument);
    Result<std::string> copy = describe_quarter(12);
    copy = describe_quarter(3);
    EXPECT_FALSE(copy);
    copy = describe_quarter(16);
    EXPECT_EQ(copy.value_or(""), "4");
}

TEST(Error, EveryCodeHasAName) {
    for (std::uint8_t code = 1; code <= kErrorCount; ++code)
        EXPECT_NE(to_string(static_cast<Error>(code)), "?");
}

TEST(Time, AddsUp) { EXPECT_EQ((Instant{5} + seconds(2)) - Instant{5}, milliseconds(2'000)); }

constexpr Instant kStart{5'000};

TEST(TokenBucket, AllowsABurstAndThenOneInEachInterval) {
    TokenBucket bucket{{.burst = 3, .refill = seconds(1)}, kStart};
    for (int i = 0; i < 3; i++) EXPECT_TRUE(bucket.take(kStart));
    EXPECT_FALSE(bucket.take(kStart));
    EXPECT_FALSE(bucket.take(kStart + milliseconds(999)));
    EXPECT_TRUE(bucket.take(kStart + seconds(1)));
    EXPECT_FALSE(bucket.take(kStart + milliseconds(1'999)));
    EXPECT_TRUE(bucket.take(kStart + seconds(2)));
}

TEST(TokenBucket, NeverHoldsMoreThanABurst) {
    TokenBucket bucket{{.burst = 2, .refill = seconds(1)}, kStart};
    const Instant late = kStart + days(3'650);
    EXPECT_TRUE(bucket.take(late));
    EXPECT_TRUE(bucket.take(late));
    EXPECT_FALSE(bucket.take(late));
}

TEST(TokenBucket, GainsNothingFromAClockThatGoesBack) {
    TokenBucket bucket{{.burst = 1, .refill = seconds(1)}, kStart};
    EXPECT_TRUE(bucket.take(kStart));
    EXPECT_FALSE(bucket.take(kStart - seconds(60)));
    EXPECT_FALSE(bucket.take(kStart));
}

TEST(TokenBucket, SavesUpNoTimeWhileItIsFull) {
    TokenBucket bucket{{.burst = 1, .refill = seconds(1)}, kStart};
    EXPECT_TRUE(bucket.take(kStart + milliseconds(1'900)));
    EXPECT_FALSE(bucket.take(kStart + milliseconds(2'899)));
    EXPECT_TRUE(bucket.take(kStart + milliseconds(2'900)));
}

TEST(Hex, GoesBothWaysAndTakesNothingElse) {
    const std::array<std::uint8_t, 3> bytes{0x00, 0x9a, 0xff};
    EXPECT_EQ(to_hex<std::string>(bytes), "009aff");
    EXPECT_EQ(to_hex<std::string>({}), "");
    std::array<std::uint8_t, 3> back{};
    EXPECT_TRUE(from_hex("009AfF", back));
    EXPECT_EQ(back, bytes);
    for (const char* text : {"", "009a", "009aff0", "009aff00", "00 9aff", "009afg"})
        EXPECT_FALSE(from_hex(text, back)) << text;
    EXPECT_EQ(from_hex<std::vector<std::uint8_t>>("0aff"), (std::vector<std::uint8_t>{0x0a, 0xff}));
    EXPECT_FALSE(from_hex<std::vector<std::uint8_t>>("0af").has_value());
}

// RFC 4648 §10, without the padding.
TEST(Base32, HasTheExamplesOfItsRfcAndTakesNothingElse) {
    constexpr std::pair<std::string_view, std::string_view> kExamples[] = {
        {"", ""},
        {"f", "MY"},
        {"fo", "MZXQ"},
        {"foo", "MZXW6"},
        {"foob", "MZXW6YQ"},
        {"fooba", "MZXW6YTB"},
        {"foobar", "MZXW6YTBOI"}};
    std::array<char, 16> text{};
    std::array<std::uint8_t, 6> room{};
    for (const auto& [bytes, digits] : kExamples) {
        EXPECT_EQ(encode_base32(as_bytes(bytes), text), digits);
        EXPECT_EQ(base32_size(bytes.size()), digits.size());
        const auto back = decode_base32(digits, room);
        ASSERT_TRUE(back);
        EXPECT_EQ(as_text(*back), bytes);
    }
    EXPECT_EQ(as_text(*decode_base32("mzxw6ytboi", room)), "foobar");
    EXPECT_EQ(decode_base32("MZ=", room).error(), Error::Malformed);
    EXPECT_EQ(decode_base32("M1", room).error(), Error::Malformed);
    EXPECT_EQ(decode_base32("M", room).error(), Error::Truncated);
    EXPECT_EQ(decode_base32("MZX", room).error(), Error::Truncated);
    EXPECT_EQ(decode_base32("MZXW6Y", room).error(), Error::Truncated);
    EXPECT_EQ(decode_base32("MZ", room).error(), Error::InvalidArgument);
    EXPECT_EQ(decode_base32("MZXW6YTBOJRA", room).error(), Error::NoSpace);
}

}  // namespace
}  // namespace sotto
