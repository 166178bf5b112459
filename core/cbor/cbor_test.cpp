// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "core/cbor/float.hpp"
#include "core/cbor/reader.hpp"
#include "core/cbor/utf8.hpp"
#include "core/cbor/writer.hpp"
#include "testing/vectors.hpp"

namespace sotto::cbor {
namespace {

using testing::from_hex;
using testing::to_hex;

std::string hex(Bytes bytes) { return to_hex({bytes.begin(), bytes.end()}); }

std::string quote(std::string_view text) {
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x80) {
            if (byte == '"' || byte == '\\') out += '\\';
            out += text[i];
            continue;
        }
        const std::size_t more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
        unsigned point = byte & (0x3fU >> more);
        for (std::size_t k = 0; k < more; ++k)
            point = point << 6 | (static_cast<unsigned char>(text[++i]) & 0x3fU);
        char escaped[16];
        if (point > 0xffff) {
            std::snprintf(escaped,
                          sizeof escaped,
                          "\\u%04x\\u%04x",
                          0xd7c0 + (point >> 10),
                          0xdc00 + (point & 0x3ff));
        } else {
            std::snprintf(escaped, sizeof escaped, "\\u%04x", point);
        }
        out += escaped;
    }
    return out + '"';
}

// What comes of a read, which takes a copy of the reader.
template <class T>
Status try_read(Reader in, T (Reader::*read)()) {
    (in.*read)();
    return in.status();
}
Status try_skip(Reader in) {
    in.skip();
    return in.status();
}

std::string describe(Reader& in);

std::string describe_string(Reader& in, Kind kind) {
    if (kind == Kind::Text) return quote(in.text());
    return "h'" + hex(in.bytes()) + "'";
}

std::string describe_children(Reader& in, const Head& head) {
    const bool is_map = head.kind == Kind::Map;
    std::string out = is_map ? "{" : "[";
    if (head.is_indefinite()) out += "_ ";
    for (std::uint64_t i = 0; head.is_indefinite() ? !in.take_break() : i < head.argument; ++i) {
        if (i > 0) out += ", ";
        out += describe(in);
        if (is_map) out += ": " + describe(in);
    }
    return out + (is_map ? "}" : "]");
}

std::string describe_simple(Reader& in) {
    if (try_read(in, &Reader::floating)) {
        char text[32];
        std::snprintf(text, sizeof text, "%.15g", in.floating());
        return text;
    }
    const std::uint8_t value = in.simple();
    switch (value) {
        case 20:
            return "false";
        case 21:
            return "true";
        case 22:
            return "null";
        case 23:
            return "undefined";
        default:
            return "simple(" + std::to_string(value) + ")";
    }
}

// RFC 8949 §8, as far as Appendix A goes.
std::string describe(Reader& in) {
    Reader ahead = in;
    const Head head = ahead.head();
    const Kind kind = head.kind;
    if (kind == Kind::Simple) return describe_simple(in);
    if ((kind == Kind::Bytes || kind == Kind::Text) && !head.is_indefinite())
        return describe_string(in, kind);
    in = ahead;
    if (kind == Kind::Unsigned) return std::to_string(head.argument);
    if (kind == Kind::Negative) {
        if (head.argument == ~std::uint64_t{0}) return "-18446744073709551616";
        return "-" + std::to_string(head.argument + 1);
    }
    if (kind == Kind::Tag) return std::to_string(head.argument) + "(" + describe(in) + ")";
    if (kind == Kind::Array || kind == Kind::Map) return describe_children(in, head);
    std::string out = "(_ ";
    for (bool first = true; !in.take_break(); first = false)
        out += (first ? "" : ", ") + describe_string(in, kind);
    return out + ")";
}

// Writes again what it reads.
void copy(Reader& in, Writer& out) {
    const Head head = Reader{in}.head();
    const Kind kind = head.kind;
    if (kind == Kind::Bytes) {
        out.bytes(in.bytes());
    } else if (kind == Kind::Text) {
        out.text(in.text());
    } else if (head.is_float()) {
        out.floating(in.floating());
    } else if (kind == Kind::Simple) {
        out.simple(in.simple());
    } else {
        in.head();
        out.head(kind, head.argument);
        std::uint64_t items = kind == Kind::Array ? head.argument
                              : kind == Kind::Map ? 2 * head.argument
                              : kind == Kind::Tag ? 1
                                                  : 0;
        for (; items > 0; --items) copy(in, out);
    }
}

TEST(Vectors, AppendixADecodesToItsDiagnosticNotation) {
    for (const auto& vector : testing::load_vectors("cbor/rfc8949_appendix_a.txt")) {
        const auto encoded = vector.bytes("encoded");
        SCOPED_TRACE(vector.text("encoded"));
        Reader in{encoded, Rules::WellFormed};
        if (vector.has("float")) {
            const double expected = std::strtod(vector.text("float").c_str(), nullptr);
            const double value = in.floating();
            EXPECT_TRUE(std::isnan(expected) ? std::isnan(value) : value == expected);
            EXPECT_EQ(std::signbit(value), std::signbit(expected));
        } else {
            EXPECT_EQ(describe(in), vector.text("diagnostic"));
        }
        EXPECT_TRUE(in.finish());
    }
}

TEST(Vectors, AppendixAEncodesWhereItIsDeterministic) {
    for (const auto& vector : testing::load_vectors("cbor/rfc8949_appendix_a.txt")) {
        const auto encoded = vector.bytes("encoded");
        SCOPED_TRACE(vector.text("encoded"));
        const Reader strict{encoded};
        const Status taken =
            vector.has("float") ? try_read(strict, &Reader::floating) : try_skip(strict);
        EXPECT_EQ(taken.has_value(), vector.number("deterministic") == 1);
        if (vector.number("deterministic") == 0) continue;
        std::array<std::uint8_t, 128> buffer{};
        Writer out{buffer};
        Reader in{encoded};
        copy(in, out);
        EXPECT_EQ(hex(*out.finish()), vector.text("encoded"));
    }
}

TEST(Vectors, EveryPrefixOfAppendixAIsTruncated) {
    for (const auto& vector : testing::load_vectors("cbor/rfc8949_appendix_a.txt")) {
        const auto encoded = vector.bytes("encoded");
        for (std::size_t size = 0; size < encoded.size(); ++size) {
            const Reader in{Bytes{encoded}.first(size), Rules::WellFormed};
            EXPECT_EQ(try_skip(in).error(), Error::Truncated) << vector.text("encoded") << size;
        }
    }
}

TEST(Vectors, WhatIsNotWellFormedIsRefused) {
    for (const auto& vector : testing::load_vectors("cbor/not_well_formed.txt")) {
        const auto encoded = vector.bytes("encoded");
        for (const Rules rules : {Rules::WellFormed, Rules::Deterministic}) {
            Reader in{encoded, rules};
            EXPECT_TRUE(in.skip().empty());
            EXPECT_FALSE(in.status()) << vector.text("encoded") << ": " << vector.text("why");
        }
    }
}

TEST(Reader, RefusesWhatIsNotDeterministic) {
    for (const char* text : {"1800",
                             "1817",
                             "190000",
                             "1900ff",
                             "1a0000ffff",
                             "1b00000000ffffffff",
                             "3817",
                             "5800",
                             "7800",
                             "980100",
                             "b8010000",
                             "d80100",
                             "a2010001 00",
                             "a202000100",
                             "a2410000 0100"}) {
        const auto bytes = from_hex(text);
        EXPECT_EQ(try_skip(Reader{bytes}).error(), Error::Malformed) << text;
        EXPECT_TRUE(try_skip(Reader{bytes, Rules::WellFormed})) << text;
    }
}

TEST(Reader, RefusesFloatsThatCouldBeShorter) {
    for (const char* text :
         {"fa3fc00000", "fb3ff8000000000000", "fb36a0000000000000", "fa33800000"}) {
        const auto bytes = from_hex(text);
        const Reader lenient{bytes, Rules::WellFormed};
        EXPECT_EQ(try_read(Reader{bytes}, &Reader::floating).error(), Error::Malformed) << text;
        EXPECT_TRUE(try_read(lenient, &Reader::floating)) << text;
    }
}

TEST(Reader, TakesMapKeysInBytewiseOrder) {
    const auto sorted = from_hex("a80a00186400200018ff006161006261610081186400f400");
    EXPECT_FALSE(try_skip(Reader{sorted}));  // 20 before 18ff
    const auto rfc = from_hex("a70a0018640020006 17a0062616100811864008120 00");
    EXPECT_EQ(Reader{rfc}.skip().size(), rfc.size());
}

TEST(Reader, TakesNoOtherKind) {
    const auto bytes = from_hex("1b80000000000000004161");
    Reader in{bytes};
    EXPECT_EQ(try_read(in, &Reader::integer).error(), Error::TooLarge);
    EXPECT_EQ(try_read(in, &Reader::bytes).error(), Error::Malformed);
    EXPECT_EQ(try_read(in, &Reader::text).error(), Error::Malformed);
    EXPECT_EQ(try_read(in, &Reader::boolean).error(), Error::Malformed);
    EXPECT_EQ(try_read(in, &Reader::null).error(), Error::Malformed);
    EXPECT_EQ(try_read(in, &Reader::simple).error(), Error::Malformed);
    EXPECT_EQ(try_read(in, &Reader::floating).error(), Error::Malformed);
    EXPECT_EQ(try_read(in, &Reader::array).error(), Error::Malformed);
    EXPECT_EQ(try_read(in, &Reader::map).error(), Error::Malformed);
    EXPECT_EQ(try_read(in, &Reader::tag).error(), Error::Malformed);
    EXPECT_FALSE(in.take_break());
    EXPECT_TRUE(in.next_is(Kind::Unsigned));
    EXPECT_EQ(in.uint(), 1ULL << 63);
    EXPECT_EQ(hex(in.bytes()), "61");
    EXPECT_TRUE(in.finish());
    EXPECT_EQ(try_read(in, &Reader::uint).error(), Error::Truncated);
}

TEST(Reader, KeepsItsFirstFailure) {
    const auto bytes = from_hex("0102416105");
    Reader in{bytes};
    EXPECT_EQ(in.uint(), 1U);
    in.require(true);
    EXPECT_TRUE(in.status());
    EXPECT_EQ(in.finish().error(), Error::Malformed);  // as bytes are left
    EXPECT_TRUE(in.text().empty());
    EXPECT_TRUE(in.empty());
    in.require(false, Error::Unsupported);
    EXPECT_EQ(in.integer(), 0);
    EXPECT_TRUE(in.bytes().empty());
    EXPECT_EQ(in.status().error(), Error::Malformed);
    EXPECT_EQ(in.finish().error(), Error::Malformed);
}

TEST(Reader, TakesTheDemandsOfItsCaller) {
    const auto bytes = from_hex("0102");
    Reader in{bytes};
    in.require(in.uint() == 2, Error::Unsupported);
    EXPECT_EQ(in.uint(), 0U);
    EXPECT_EQ(in.finish().error(), Error::Unsupported);
}

TEST(Reader, TrustsNoCount) {
    const auto error = [](const char* text, auto read) {
        const auto bytes = from_hex(text);
        return try_read(Reader{bytes}, read).error();
    };
    EXPECT_EQ(error("8200", &Reader::array), Error::Truncated);
    EXPECT_EQ(error("a20000", &Reader::map), Error::Truncated);
    EXPECT_EQ(error("9bffffffffffffffff00", &Reader::array), Error::Truncated);
    EXPECT_EQ(error("bb800000000000000000", &Reader::map), Error::Truncated);
    EXPECT_EQ(error("5bffffffffffffffff00", &Reader::bytes), Error::Truncated);
}

TEST(Reader, SkipsByOtherRulesOnce) {
    const auto bytes = from_hex("1800 1800");
    Reader in{bytes};
    EXPECT_EQ(in.skip(Rules::WellFormed).size(), 2U);
    EXPECT_TRUE(in.skip().empty());
    EXPECT_EQ(in.status().error(), Error::Malformed);
}

TEST(Reader, FollowsNestingToItsLimit) {
    const std::vector<std::uint8_t> deep(kNestingMax, 0x81);
    for (const std::uint8_t extra : std::to_array<std::uint8_t>({0x80, 0xa0})) {
        auto bytes = deep;
        bytes.back() = extra;
        EXPECT_TRUE(try_skip(Reader{bytes}));
    }
    auto bytes = deep;
    bytes.push_back(0x80);
    EXPECT_EQ(try_skip(Reader{bytes}).error(), Error::TooLarge);
    const std::vector<std::uint8_t> tags(1000, 0xc6);
    EXPECT_EQ(try_skip(Reader{tags}).error(), Error::TooLarge);
}

TEST(Reader, IntegersReachTheirLimits) {
    EXPECT_EQ(Reader{from_hex("1b7fffffffffffffff")}.integer(),
              std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(Reader{from_hex("3b7fffffffffffffff")}.integer(),
              std::numeric_limits<std::int64_t>::min());
    const auto below = from_hex("3b8000000000000000");
    EXPECT_EQ(try_read(Reader{below}, &Reader::integer).error(), Error::TooLarge);
}

TEST(Writer, WritesTheShortestHead) {
    for (const std::uint64_t value : {0ULL,
                                      23ULL,
                                      24ULL,
                                      255ULL,
                                      256ULL,
                                      65535ULL,
                                      65536ULL,
                                      0xffffffffULL,
                                      0x100000000ULL,
                                      ~0ULL}) {
        std::array<std::uint8_t, 9> buffer{};
        const Bytes written = *Writer{buffer}.uint(value).finish();
        Reader in{written};
        EXPECT_EQ(in.uint(), value);
        EXPECT_TRUE(in.finish());
    }
}

TEST(Writer, OverflowIsSticky) {
    std::array<std::uint8_t, 3> buffer{};
    Writer out{buffer};
    out.bytes(from_hex("010203")).uint(0);
    EXPECT_EQ(out.finish().error(), Error::NoSpace);
}

TEST(Float, EveryHalfSurvivesAllWidths) {
    for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
        const double value = widen_float(bits, kInfoHalf);
        const auto again = shortest_float(value);
        EXPECT_EQ(again.info, kInfoHalf);
        if (std::isnan(value)) continue;
        EXPECT_EQ(again.bits, bits);
        const auto single = static_cast<float>(value);
        EXPECT_FALSE(is_shortest_float(std::bit_cast<std::uint32_t>(single), kInfoSingle));
        EXPECT_FALSE(is_shortest_float(std::bit_cast<std::uint64_t>(value), kInfoDouble));
    }
}

TEST(Float, SinglesWidenAsTheCompilerWidensThem) {
    for (std::uint64_t bits = 0; bits <= 0xffffffff; bits += 9'973) {
        const auto single = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
        if (std::isnan(single)) continue;
        const double value = widen_float(bits, kInfoSingle);
        EXPECT_EQ(value, static_cast<double>(single));
        EXPECT_NE(shortest_float(value).info, kInfoDouble);
        EXPECT_EQ(widen_float(shortest_float(value).bits, shortest_float(value).info), value);
    }
    for (const double value : {1e-310, 5e-324, 1.0000000001, 1e39, 1e-46}) {
        EXPECT_EQ(shortest_float(value).info, kInfoDouble) << value;
        EXPECT_TRUE(is_shortest_float(std::bit_cast<std::uint64_t>(value), kInfoDouble));
    }
}

TEST(Utf8, AcceptsExactlyRfc3629) {
    for (const char* good : {"",
                             "00",
                             "7f",
                             "c280",
                             "dfbf",
                             "e0a080",
                             "ed9fbf",
                             "ee8080",
                             "efbfbf",
                             "f0908080",
                             "f48fbfbf"})
        EXPECT_TRUE(is_utf8(from_hex(good))) << good;
    for (const char* bad : {"80",
                            "bf",
                            "c0",
                            "c080",
                            "c1bf",
                            "c2",
                            "c2c2",
                            "e08080",
                            "e09fbf",
                            "e0a0",
                            "eda080",
                            "edbfbf",
                            "f08080 80",
                            "f08fbfbf",
                            "f4908080",
                            "f5808080",
                            "f8",
                            "ff",
                            "61c2"})
        EXPECT_FALSE(is_utf8(from_hex(bad))) << bad;
    const auto bytes = from_hex("61ff");
    EXPECT_EQ(try_read(Reader{bytes}, &Reader::text).error(), Error::Malformed);
}

}  // namespace
}  // namespace sotto::cbor
