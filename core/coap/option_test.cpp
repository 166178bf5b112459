// SPDX-License-Identifier: Apache-2.0
#include "core/coap/option.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/coap/message.hpp"
#include "testing/vectors.hpp"

namespace sotto::coap {
namespace {

using Buffer = std::vector<std::uint8_t>;
using testing::from_hex;
using testing::to_hex;

std::string hex(Bytes bytes) { return to_hex({bytes.begin(), bytes.end()}); }

template <class Write>
std::string written(Write&& write) {
    Buffer buffer(2'048);
    Writer out{buffer};
    OptionWriter options{out};
    write(options);
    return hex(*out.finish());
}

TEST(Option, ClassesAreInTheNumber) {  // RFC 7252 §5.10, Table 4
    for (const auto number : {kIfMatch,
                              kUriHost,
                              kIfNoneMatch,
                              kUriPort,
                              kUriPath,
                              kUriQuery,
                              kAccept,
                              kProxyUri,
                              kProxyScheme,
                              kOscore,
                              kBlock1,
                              kBlock2})
        EXPECT_TRUE(is_critical(number)) << value_of(number);
    for (const auto number : {kETag,
                              kObserve,
                              kLocationPath,
                              kContentFormat,
                              kMaxAge,
                              kSize1,
                              kEcho,
                              kNoResponse,
                              kRequestTag,
                              kHopLimit})
        EXPECT_FALSE(is_critical(number)) << value_of(number);
    for (const auto number : {kUriHost,
                              kUriPort,
                              kUriPath,
                              kMaxAge,
                              kUriQuery,
                              kProxyUri,
                              kProxyScheme,
                              kObserve,
                              kBlock1,
                              kBlock2,
                              kNoResponse})
        EXPECT_TRUE(is_unsafe(number)) << value_of(number);
    for (const auto number : {kIfMatch, kETag, kOscore, kAccept, kSize1, kEcho, kRequestTag})
        EXPECT_FALSE(is_unsafe(number)) << value_of(number);
    for (const auto number : {kSize1, kSize2, kEcho})
        EXPECT_TRUE(is_no_cache_key(number)) << value_of(number);
    EXPECT_FALSE(is_no_cache_key(kETag));
    EXPECT_FALSE(is_no_cache_key(kRequestTag));
}

TEST(Option, DeltasAndSizesTakeTheShortestForm) {
    const auto at = [](std::uint16_t number, std::size_t size) {
        return written([&](OptionWriter& out) { out.add(OptionNumber{number}, Buffer(size)); })
            .substr(0, 10);
    };
    EXPECT_EQ(at(12, 0), "c0");
    EXPECT_EQ(at(13, 0), "d000");
    EXPECT_EQ(at(268, 0), "d0ff");
    EXPECT_EQ(at(269, 0), "e00000");
    EXPECT_EQ(at(65'535, 0), "e0fef2");
    EXPECT_EQ(at(0, 12), "0c00000000");
    EXPECT_EQ(at(0, 13), "0d00000000");
    EXPECT_EQ(at(0, 268), "0dff000000");
    EXPECT_EQ(at(0, 269), "0e00000000");
    EXPECT_EQ(at(269, 269), "ee00000000");
}

TEST(Option, UintsTakeTheFewestBytes) {
    const auto value = [](std::uint32_t number) {
        return written([&](OptionWriter& out) { out.add_uint(kMaxAge, number); });
    };
    EXPECT_EQ(value(0), "d001");
    EXPECT_EQ(value(1), "d10101");
    EXPECT_EQ(value(255), "d101ff");
    EXPECT_EQ(value(256), "d2010100");
    EXPECT_EQ(value(0xffffffff), "d401ffffffff");
    EXPECT_EQ(decode_uint({}), 0U);
    EXPECT_EQ(decode_uint(from_hex("0001")), 1U);
    EXPECT_EQ(decode_uint(from_hex("ffffffff")), 0xffffffffU);
}

TEST(Option, PathsAreSegments) {
    const auto path = [](std::string_view text) {
        return written([&](OptionWriter& out) { out.add_path(text); });
    };
    EXPECT_EQ(path("/"), "");
    EXPECT_EQ(path("/a"), "b161");
    EXPECT_EQ(path("/a/bc"), "b161026263");
    EXPECT_EQ(path("/a/"), "b16100");
    for (const std::string text : {"/", "/a", "/a/bc", "/a/", "//", "/.well-known/core"}) {
        const Buffer bytes = from_hex(path(text));
        const Options options = *Options::parse(bytes);
        EXPECT_TRUE(options.path_is(text)) << text;
        EXPECT_FALSE(options.path_is(text + "x")) << text;
        EXPECT_FALSE(options.path_is(text + "/x")) << text;
        EXPECT_FALSE(options.path_is(std::string_view{text}.substr(1))) << text;
        EXPECT_FALSE(options.path_is(std::string_view{text}.substr(0, text.size() - 1))) << text;
    }
    const Buffer slash = from_hex("b3612f62");  // one segment "a/b"
    EXPECT_FALSE(Options::parse(slash)->path_is("/a/b"));
}

TEST(Option, OverflowIsSticky) {
    Buffer buffer(3);
    Writer out{buffer};
    OptionWriter{out}.add_text(kUriPath, "abc").add_uint(kMaxAge, 0);
    EXPECT_EQ(out.finish().error(), Error::NoSpace);

    Buffer large(70'000);
    Writer wide{large};
    OptionWriter{wide}.add(kUriPath, Bytes{large}.first(65'804));
    EXPECT_TRUE(wide.finish());
    OptionWriter{wide}.add(kUriPath, Bytes{large}.first(65'805));
    EXPECT_EQ(wide.finish().error(), Error::NoSpace);
}

TEST(OptionDeathTest, OrderIsThePreconditionOfTheWriter) {
    Buffer buffer(8);
    Writer out{buffer};
    OptionWriter options{out};
    options.add_uint(kMaxAge, 1);
    EXPECT_DEATH(options.add_uint(kObserve, 1), "");
}

TEST(Option, SizesAndRepetitionFollowTheTables) {
    const auto fits = [](OptionNumber number, std::size_t size) {
        const Buffer value(size);
        return has_valid_size({.number = number, .value = value});
    };
    struct Row {
        OptionNumber number;
        std::size_t size_min;
        std::size_t size_max;
        bool repeats;
    };
    const Row table[] = {
        {kIfMatch, 0, 8, true},
        {kUriHost, 1, 255, false},
        {kETag, 1, 8, true},
        {kIfNoneMatch, 0, 0, false},
        {kObserve, 0, 3, false},
        {kUriPort, 0, 2, false},
        {kLocationPath, 0, 255, true},
        {kOscore, 0, 255, false},
        {kUriPath, 0, 255, true},
        {kContentFormat, 0, 2, false},
        {kMaxAge, 0, 4, false},
        {kUriQuery, 0, 255, true},
        {kHopLimit, 1, 1, false},
        {kAccept, 0, 2, false},
        {kLocationQuery, 0, 255, true},
        {kBlock2, 0, 3, false},
        {kBlock1, 0, 3, false},
        {kSize2, 0, 4, false},
        {kProxyUri, 1, 1'034, false},
        {kProxyScheme, 1, 255, false},
        {kSize1, 0, 4, false},
        {kEcho, 1, 40, false},
        {kNoResponse, 0, 1, false},
        {kRequestTag, 0, 8, true},
    };
    for (const Row& row : table) {
        EXPECT_TRUE(fits(row.number, row.size_min)) << value_of(row.number);
        EXPECT_TRUE(fits(row.number, row.size_max)) << value_of(row.number);
        EXPECT_FALSE(fits(row.number, row.size_max + 1)) << value_of(row.number);
        EXPECT_EQ(fits(row.number, 0), row.size_min == 0) << value_of(row.number);
        EXPECT_EQ(is_repeatable(row.number), row.repeats) << value_of(row.number);
    }
    EXPECT_TRUE(fits(OptionNumber{2'049}, 5'000));
    EXPECT_TRUE(is_repeatable(OptionNumber{2'049}));
}

TEST(Block, ValuesOfTheTable) {  // RFC 7959 §2.2 and the examples of §3
    struct Row {
        std::string hex;
        Block block;
    };
    const Row table[] = {
        {"", {.number = 0, .has_more = false, .size_exponent = 0}},
        {"06", {.number = 0, .has_more = false, .size_exponent = 6}},
        {"0b", {.number = 0, .has_more = true, .size_exponent = 3}},
        {"34", {.number = 3, .has_more = false, .size_exponent = 4}},
        {"0100", {.number = 16, .has_more = false, .size_exponent = 0}},
        {"fffffe", {.number = (1U << 20) - 1, .has_more = true, .size_exponent = 6}},
    };
    for (const auto& [hex, block] : table) {
        const auto parsed = parse_block(from_hex(hex));
        ASSERT_TRUE(parsed) << hex;
        EXPECT_EQ(*parsed, block) << hex;
        EXPECT_EQ(block_value(block), hex.empty() ? 0 : std::stoul(hex, nullptr, 16));
    }
    EXPECT_EQ(parse_block(from_hex("07")).error(), Error::Malformed);
    EXPECT_EQ(parse_block(from_hex("0f")).error(), Error::Malformed);
    EXPECT_EQ(parse_block(from_hex("00000006")).error(), Error::Malformed);
    const Block block{.number = 5, .has_more = false, .size_exponent = 4};
    EXPECT_EQ(block.size(), 256U);
    EXPECT_EQ(block.offset(), 1'280U);
}

}  // namespace
}  // namespace sotto::coap
