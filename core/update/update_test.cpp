// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/update/file.hpp"
#include "testing/vectors.hpp"

namespace sotto::update {
namespace {

using testing::load_vectors;
using testing::to_hex;
using testing::Vector;
using Buffer = std::vector<std::uint8_t>;

Buffer copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

crypto::DhPublicKey publisher_of(const Vector& v) {
    const Buffer x = v.bytes("x");
    const Buffer y = v.bytes("y");
    return *crypto::dh_import(BytesN<32>{x.data(), 32}, BytesN<32>{y.data(), 32});
}

Manifest example() {
    return {.hardware = "sotto-microbit",
            .version = 7,
            .images = {Image{.size = 4, .hash = crypto::sha256(as_bytes("aaaa"))},
                       Image{.size = 8, .hash = crypto::sha256(as_bytes("bbbbbbbb"))}}};
}

// Signed by nobody: for what is said of the form alone.
Buffer unsigned_of(const Manifest& manifest) {
    Buffer payload(kManifestSizeMax);
    const auto encoded = encode_manifest(manifest, payload);
    EXPECT_TRUE(encoded.has_value());
    Buffer out(kManifestSizeMax);
    return copy(*encode_signed(*encoded, {}, out));
}

TEST(Manifest, OfAnotherImplementationIsOpened) {
    for (const Vector& v : load_vectors("update/manifest.txt")) {
        const Buffer bytes = v.bytes("signed");
        const auto manifest = open_manifest(bytes, publisher_of(v));
        if (v.text("result") != "valid") {
            ASSERT_FALSE(manifest.has_value()) << v.text("id");
            EXPECT_EQ(to_string(manifest.error()), v.text("result")) << v.text("id");
            continue;
        }
        ASSERT_TRUE(manifest.has_value()) << v.text("id");
        EXPECT_EQ(manifest->hardware, v.text("hardware"));
        EXPECT_EQ(manifest->version, v.number("version"));
        EXPECT_EQ(manifest->images[0].size, v.number("size_a"));
        EXPECT_EQ(to_hex(copy(manifest->images[1].hash)), v.text("hash_b"));
        Buffer again(kManifestSizeMax);
        EXPECT_TRUE(equal(*encode_manifest(*manifest, again), v.bytes("payload")));
    }
}

TEST(Manifest, EveryFlippedBitIsRefused) {
    const Vector v = load_vectors("update/manifest.txt").front();
    Buffer bytes = v.bytes("signed");
    const crypto::DhPublicKey publisher = publisher_of(v);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(open_manifest(bytes, publisher).has_value()) << bit;
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
    EXPECT_TRUE(open_manifest(bytes, publisher).has_value());
}

TEST(Manifest, EveryTruncationIsRefused) {
    const Buffer bytes = unsigned_of(example());
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(parse_manifest(Bytes{bytes}.first(size)).has_value()) << size;
    EXPECT_EQ(*parse_manifest(bytes), example());
}

TEST(Manifest, WhatBreaksItsRulesIsNotMade) {
    Buffer out(kManifestSizeMax);
    const std::string long_name(kHardwareSizeMax + 1, 'h');
    for (const std::string_view name : {"", "with space", "\n", long_name.c_str()}) {
        Manifest manifest = example();
        manifest.hardware = name;
        EXPECT_EQ(encode_manifest(manifest, out).error(), Error::InvalidArgument) << name;
    }
    for (const std::uint32_t size : {0U, 1U, 6U}) {
        Manifest manifest = example();
        manifest.images[1].size = size;
        EXPECT_EQ(encode_manifest(manifest, out).error(), Error::InvalidArgument) << size;
    }
    Manifest manifest = example();
    manifest.version = 0;
    EXPECT_EQ(encode_manifest(manifest, out).error(), Error::InvalidArgument);
}

TEST(Manifest, TheLargestFitsItsLimit) {
    const std::string name(kHardwareSizeMax, 'h');
    Manifest manifest = example();
    manifest.hardware = name;
    manifest.version = 0xffff'ffff;
    for (Image& image : manifest.images) image.size = 0xffff'fffc;
    EXPECT_EQ(*parse_manifest(unsigned_of(manifest)), manifest);
    EXPECT_EQ(parse_manifest(Buffer(kManifestSizeMax + 1)).error(), Error::TooLarge);
}

TEST(File, GivesBackWhatWasPutIn) {
    const Buffer bytes = unsigned_of(example());
    Buffer out(1'024);
    const auto file = encode_file(bytes, {as_bytes("aaaa"), as_bytes("bbbbbbbb")}, out);
    ASSERT_TRUE(file.has_value());
    const auto parsed = parse_file(*file);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->manifest, example());
    EXPECT_TRUE(equal(parsed->signed_manifest, bytes));
    EXPECT_EQ(as_text(parsed->images[0]), "aaaa");
    EXPECT_EQ(as_text(parsed->images[1]), "bbbbbbbb");
    for (std::size_t size = 0; size < file->size(); ++size)
        EXPECT_FALSE(parse_file(file->first(size)).has_value()) << size;
}

TEST(File, WithOtherImagesThanItsManifestNamesIsRefused) {
    const Buffer bytes = unsigned_of(example());
    Buffer out(1'024);
    for (const auto& [a, b] :
         {std::pair{"aaab", "bbbbbbbb"}, {"aaaa", "bbbb"}, {"bbbbbbbb", "aaaa"}}) {
        const auto file = encode_file(bytes, {as_bytes(a), as_bytes(b)}, out);
        EXPECT_EQ(parse_file(*file).error(), Error::Malformed) << a << b;
    }
}

}  // namespace
}  // namespace sotto::update
