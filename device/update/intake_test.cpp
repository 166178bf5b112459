// SPDX-License-Identifier: Apache-2.0
#include "device/update/intake.hpp"

#include <gtest/gtest.h>

#include "device/update/window_test.hpp"

namespace sotto::update {
namespace {

constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kPiece = 64;
using ByteVector = std::vector<std::uint8_t>;

class IntakeTest : public ::testing::Test {
  protected:
    void begin_chip(std::uint32_t seed = 1) {
        chip_.emplace(seed);
        start();
    }
    void SetUp() override { begin_chip(); }
    void start() {
        intake_.emplace(Intake::Setup{
            .storage = *chip_->storage, .target = chip_->slot, .slot = boot::Slot::B});
        intake_->start();
    }
    // Power goes and comes.
    void reboot() {
        ASSERT_TRUE(chip_->boot());
        start();
    }
    Status begin(const ByteVector& image, std::uint32_t version = kVersion) {
        return intake_->begin(
            version,
            {.size = static_cast<std::uint32_t>(image.size()), .hash = crypto::sha256(image)});
    }
    // What an app sends: everything from where the device stopped.
    Status send(const ByteVector& image, std::size_t end) {
        while (intake_->taken() < end) {
            const std::size_t offset = intake_->taken() / kPiece * kPiece;
            const std::size_t size = std::min(kPiece, image.size() - offset);
            SOTTO_TRY(intake_->take(static_cast<std::uint32_t>(offset),
                                    Bytes{image}.subspan(offset, size)));
        }
        return {};
    }
    Status whole(const ByteVector& image) {
        SOTTO_TRY(begin(image));
        SOTTO_TRY(send(image, image.size()));
        return intake_->check();
    }

    const ByteVector image_ = make_image(kVersion, 1'000);
    std::optional<Chip> chip_;
    std::optional<Intake> intake_;
};

TEST_F(IntakeTest, TakesAnImage) {
    ASSERT_TRUE(whole(image_));
    EXPECT_TRUE(equal(chip_->slot.bytes().first(image_.size()), image_));
}

TEST_F(IntakeTest, GoesOnWhereItStoppedAfterABoot) {
    ASSERT_TRUE(begin(image_));
    ASSERT_TRUE(send(image_, 640));
    reboot();
    EXPECT_EQ(intake_->version(), kVersion);
    EXPECT_EQ(intake_->size(), image_.size());
    EXPECT_EQ(intake_->taken(), 636);  // the last word may have been cut short
    ASSERT_TRUE(begin(image_));
    EXPECT_EQ(intake_->taken(), 636);
    ASSERT_TRUE(whole(image_));
}

TEST_F(IntakeTest, AnotherImageBeginsAnew) {
    ASSERT_TRUE(begin(image_));
    ASSERT_TRUE(send(image_, 640));
    const ByteVector next = make_image(3, 504);
    ASSERT_TRUE(begin(next, 3));
    EXPECT_EQ(intake_->taken(), 0);
    ASSERT_TRUE(send(next, next.size()));
    EXPECT_TRUE(intake_->check());
}

TEST_F(IntakeTest, RefusesPiecesThatDoNotFit) {
    EXPECT_EQ(intake_->take(0, image_).error(), Error::NotFound);
    ASSERT_TRUE(begin(image_));
    EXPECT_EQ(intake_->check().error(), Error::Truncated);
    EXPECT_EQ(intake_->take(4, Bytes{image_}.first(4)).error(), Error::WrongState);
    EXPECT_EQ(intake_->take(2, Bytes{image_}.first(4)).error(), Error::InvalidArgument);
    EXPECT_EQ(intake_->take(0, Bytes{image_}.first(3)).error(), Error::InvalidArgument);
    EXPECT_EQ(intake_->take(1'000, Bytes{image_}.first(4)).error(), Error::InvalidArgument);
    EXPECT_EQ(intake_->take(0xffff'fffc, Bytes{image_}.first(4)).error(), Error::InvalidArgument);
    EXPECT_TRUE(intake_->take(0, {}));
    EXPECT_TRUE(intake_->take(0, Bytes{image_}.first(8)));
    EXPECT_TRUE(intake_->take(0, Bytes{image_}.first(8)));  // once more
    EXPECT_EQ(intake_->taken(), 8);
}

TEST_F(IntakeTest, RefusesAnImageThatIsTooLarge) {
    EXPECT_EQ(begin(ByteVector(Chip::kSlotPages * Chip::kPage + 4)).error(), Error::TooLarge);
    EXPECT_EQ(intake_->size(), 0);
}

TEST_F(IntakeTest, WhatIsNotTheImageIsForgotten) {
    ByteVector other = image_;
    other[500] ^= 1;
    ASSERT_TRUE(begin(image_));
    ASSERT_TRUE(send(other, other.size()));
    EXPECT_EQ(intake_->check().error(), Error::Malformed);
    EXPECT_EQ(intake_->size(), 0);
    EXPECT_TRUE(whole(image_));
}

TEST_F(IntakeTest, RefusesTheOtherSlotsImageAndAnotherVersionThanAnnounced) {
    ByteVector other = image_;
    other[boot::kImageEntry + 1] = 0x10;
    other[boot::kImageEntry + 2] = 0;
    EXPECT_EQ(whole(other).error(), Error::Malformed);
    EXPECT_EQ(whole(make_image(kVersion + 1, 1'000)).error(), Error::Malformed);
}

TEST_F(IntakeTest, AnImageOfTheSlotThatRunsByNowIsNoneThatIsUnderWay) {
    ASSERT_TRUE(whole(image_));
    Intake next{{.storage = *chip_->storage, .target = chip_->slot, .slot = boot::Slot::A}};
    next.start();
    EXPECT_EQ(next.size(), 0);
}

// Power goes in each flash operation in turn; the app sends what is missing. In the end the slot
// holds the image, and no bit of it is in doubt.
TEST_F(IntakeTest, APowerCutAnywhereCostsNoMoreThanAWord) {
    const ByteVector image = make_image(kVersion, 600);
    bool was_cut = true;
    std::size_t step = 0;
    for (; was_cut; ++step) {
        begin_chip(static_cast<std::uint32_t>(step));
        const ByteVector former = make_image(1, 700);
        ASSERT_TRUE(begin(former, 1));
        ASSERT_TRUE(send(former, 300));
        chip_->flash.cut_power_at(step);
        const bool is_done = whole(image).has_value();
        was_cut = chip_->flash.is_cut();
        ASSERT_NE(is_done, was_cut) << step;
        const std::uint32_t taken = intake_->taken();
        const bool was_begun = intake_->version() == kVersion;
        reboot();
        EXPECT_TRUE(!was_begun || intake_->taken() + 4 >= taken) << step;
        ASSERT_TRUE(whole(image)) << step;
        for (int boots = 0; boots < 3; ++boots) {
            reboot();
            ASSERT_TRUE(equal(chip_->slot.bytes().first(image.size()), image)) << step;
        }
    }
    EXPECT_GT(step, 150U);
}

}  // namespace
}  // namespace sotto::update
