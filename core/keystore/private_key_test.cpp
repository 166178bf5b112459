// SPDX-License-Identifier: Apache-2.0
#include "core/keystore/private_key.hpp"

#include <array>

#include <gtest/gtest.h>

#include "testing/seeded_entropy.hpp"

namespace sotto::keystore {
namespace {

// Randomness that is stuck.
class StuckEntropy final : public hal::Entropy {
  public:
    explicit StuckEntropy(std::uint8_t byte) : byte_(byte) {}
    Status fill(MutBytes out) override {
        std::fill(out.begin(), out.end(), byte_);
        return {};
    }

  private:
    std::uint8_t byte_;
};

TEST(DrawPrivateKey, DrawsDifferentKeys) {
    testing::SeededEntropy entropy{1};
    const auto first = draw_private_key(entropy);
    const auto second = draw_private_key(entropy);
    ASSERT_TRUE(first && second);
    EXPECT_FALSE(ct_equal(first->expose(), second->expose()));
}

TEST(DrawPrivateKey, GivesUpOnRandomnessThatIsStuckOutsideTheGroup) {
    for (const std::uint8_t byte : std::array<std::uint8_t, 2>{0x00, 0xff}) {
        StuckEntropy entropy{byte};
        EXPECT_EQ(draw_private_key(entropy).error(), Error::EntropyFailed);
    }
}

TEST(DrawPrivateKey, ReportsRandomnessThatFails) {
    testing::SeededEntropy entropy{1};
    entropy.fail_call(0);
    EXPECT_EQ(draw_private_key(entropy).error(), Error::EntropyFailed);
}

}  // namespace
}  // namespace sotto::keystore
