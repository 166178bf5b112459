// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/fleet.hpp"

#include <gtest/gtest.h>

#include "core/crypto/aead.hpp"
#include "tests/sim/nonce_book.hpp"

namespace sotto::sim {
namespace {

// ./dev sim runs more of them, and one again by its number.
class FleetTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(FleetTest, EveryRuleHoldsUnderFaults) {
    const Report report = run_fleet(GetParam(), minutes(10));
    for (const std::string& complaint : report.complaints) ADD_FAILURE() << complaint;
    EXPECT_GT(report.done, 20U);
    EXPECT_GT(report.deferred, 0U);
    EXPECT_GT(report.events, 5U);
    EXPECT_GT(report.relayed, 20U);
    EXPECT_GT(report.seals, 200U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, FleetTest, ::testing::Range<std::uint64_t>(1, 21));

TEST(NonceBookTest, SeesANonceThatIsUsedTwice) {
    forget_nonces();
    const crypto::AeadKey key;
    const crypto::Nonce nonce{1};
    std::array<std::uint8_t, 9> out{};
    const auto seal = [&](std::uint8_t content) {
        ASSERT_TRUE(
            crypto::aead_seal({key, nonce, {}, crypto::TagSize::Short}, Bytes{&content, 1}, out));
    };
    seal(1);
    seal(1);
    EXPECT_EQ(nonces_used_twice(), 0U);
    seal(2);
    EXPECT_EQ(nonces_used_twice(), 1U);
    EXPECT_EQ(seal_count(), 3U);
}

}  // namespace
}  // namespace sotto::sim
