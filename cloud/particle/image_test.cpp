// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/image.hpp"

#include <gtest/gtest.h>

namespace sotto::cloud::particle {
namespace {

void put_u32(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i)
        bytes[at + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value >> 8 * i);
}

// User part 1 of version 3 for platform 6, which needs system part 2, version 6: the header of
// Tinker 0.4.5 for the Photon, as particle-cli carries it.
std::vector<std::uint8_t> make_image(std::size_t offset, std::size_t size) {
    std::vector<std::uint8_t> image(size, 0xee);
    put_u32(image, offset, 0x080a0000);
    put_u32(image, offset + 4, 0x080a0000 + static_cast<std::uint32_t>(size - 4));
    const std::uint8_t rest[] = {0, 0, 3, 0, 6, 0, 5, 1, 4, 2, 6, 0, 0, 0, 0, 0};
    std::copy(
        std::begin(rest), std::end(rest), image.begin() + static_cast<std::ptrdiff_t>(offset + 8));
    const std::uint32_t crc = crc_of(Bytes{image}.first(size - 4));
    for (std::size_t i = 0; i < 4; ++i)
        image[size - 4 + i] = static_cast<std::uint8_t>(crc >> 8 * (3 - i));
    return image;
}

TEST(Image, SaysForWhatItIsAndWhatItNeedsWhereverItsHeaderIs) {
    for (const std::size_t offset : {0, 0x200, 0x184, 0xc0, 0x10c}) {
        const auto header = read_header(make_image(offset, 5'324));
        ASSERT_TRUE(header && *header) << offset;
        EXPECT_EQ((*header)->platform, 6);
        EXPECT_EQ((*header)->module,
                  (Module{.function = ModuleFunction::User, .index = 1, .version = 3}));
        ASSERT_EQ((*header)->needs.size(), 1U);
        EXPECT_EQ(to_string((*header)->needs[0]), "system part 2, version 6");
    }
}

TEST(Image, ThatIsDamagedIsAnError) {
    for (const std::size_t at : {std::size_t{30}, std::size_t{4'000}, std::size_t{5'322}}) {
        auto image = make_image(0, 5'324);
        image[at] ^= 1;
        EXPECT_EQ(read_header(image).error(), Error::Malformed) << at;
    }
}

TEST(Image, WhoseBuildComputedNoChecksumIsTaken) {
    auto image = make_image(0, 5'324);
    const std::uint8_t none[] = {0x78, 0x56, 0x34, 0x12};
    std::copy(std::begin(none), std::end(none), image.end() - 4);
    EXPECT_TRUE(*read_header(image));
}

TEST(Image, ThatIsCutOrSomethingElseHasNoHeader) {
    auto image = make_image(0, 5'324);
    image.pop_back();
    EXPECT_FALSE(*read_header(image));
    EXPECT_FALSE(*read_header(as_bytes("PK\3\4 and so on")));
    EXPECT_FALSE(*read_header(std::vector<std::uint8_t>(6'000)));
    for (std::size_t size = 1; size < 600; ++size)
        EXPECT_FALSE(*read_header(std::vector<std::uint8_t>(size, 0xff))) << size;
}

TEST(Image, OfNothingOrTooMuchIsAnError) {
    EXPECT_EQ(read_header({}).error(), Error::Truncated);
    EXPECT_EQ(read_header(std::vector<std::uint8_t>(kImageSizeMax + 1)).error(), Error::TooLarge);
    EXPECT_TRUE(read_header(make_image(0, kImageSizeMax)));
}

TEST(Image, ChecksumIsThatOfZlib) {
    EXPECT_EQ(crc_of(as_bytes("123456789")), 0xcbf43926U);  // the check value of CRC-32/ISO-HDLC
}

TEST(Image, SaysOfWhichProductItIsAndWhichVersion) {
    auto image = make_image(0, 300);
    EXPECT_FALSE(read_product(image)) << "it does not say";
    const std::uint8_t suffix[] = {0xe8, 3, 7, 0, 0, 0};
    std::copy(std::begin(suffix), std::end(suffix), image.begin() + 300 - 44);
    image[300 - 6] = 40;
    image[300 - 5] = 0;
    const auto mark = read_product(image);
    ASSERT_TRUE(mark);
    EXPECT_EQ(mark->product, 1'000);
    EXPECT_EQ(mark->version, 7);
    image[300 - 6] = 36;
    EXPECT_FALSE(read_product(image)) << "a suffix without room for it";
    image[300 - 6] = 40;
    image[300 - 43] = image[300 - 44] = 0xff;
    EXPECT_FALSE(read_product(image)) << "it says that it is of none";
    EXPECT_FALSE(read_product(Bytes{image}.first(43)));
    EXPECT_FALSE(read_product({}));
}

}  // namespace
}  // namespace sotto::cloud::particle
