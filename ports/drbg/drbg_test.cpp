// SPDX-License-Identifier: Apache-2.0
#include "ports/drbg/drbg.hpp"

#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace sotto::ports {
namespace {

// A source that is sound at first, and does as `rule` says from the sample `breaks_at` on.
class Source final : public NoiseSource {
  public:
    enum class Rule { Sound, Stuck, MostlyOne, Silent };
    Source(Rule rule, std::size_t breaks_at, std::uint32_t seed = 3)
        : rule_(rule), breaks_at_(breaks_at), random_(seed) {}

    void wake() override { is_awake_ = true; }
    void rest() override { is_awake_ = false; }
    Result<std::uint8_t> sample() override {
        EXPECT_TRUE(is_awake_);
        const auto sound = static_cast<std::uint8_t>(random_());
        if (count_++ < breaks_at_) return sound;
        switch (rule_) {
            case Rule::Sound:
                return sound;
            case Rule::Stuck:
                return std::uint8_t{0};
            case Rule::MostlyOne:
                return random_() % 10 < 8 ? std::uint8_t{0x5a} : sound;
            case Rule::Silent:
                return Error::EntropyFailed;
        }
        return sound;
    }
    std::size_t count() const { return count_; }
    bool is_awake() const { return is_awake_; }

  private:
    Rule rule_;
    std::size_t breaks_at_;
    std::mt19937 random_;
    std::size_t count_ = 0;
    bool is_awake_ = false;
};
using Rule = Source::Rule;

TEST(HealthTests, RepetitionFailsAtItsCutoffAndStaysFailed) {
    HealthTests tests;
    for (std::uint32_t i = 1; i < HealthTests::kRepetitionCutoff; ++i) EXPECT_TRUE(tests.take(7));
    EXPECT_FALSE(tests.take(7));
    EXPECT_FALSE(tests.take(8));
    EXPECT_TRUE(tests.has_failed());
}

TEST(HealthTests, ProportionFailsAtItsCutoffWithinAWindow) {
    // Every run is shorter than its cutoff: two of the first, then one of others.
    const auto run = [](std::uint32_t window, std::uint32_t wanted) {
        HealthTests tests;
        bool is_sound = true;
        std::uint32_t given = 0;
        for (std::uint32_t i = 0; i < window; ++i) {
            const bool is_first = given < wanted && i % 30 != 29;
            given += is_first ? 1 : 0;
            is_sound = tests.take(is_first ? 1 : static_cast<std::uint8_t>(2 + i % 200));
        }
        return is_sound;
    };
    EXPECT_TRUE(run(HealthTests::kWindow, HealthTests::kProportionCutoff - 1));
    EXPECT_FALSE(run(HealthTests::kWindow, HealthTests::kProportionCutoff));
}

TEST(HealthTests, ASoundSourcePassesAMillionSamples) {
    std::mt19937 random{1};
    HealthTests tests;
    for (int i = 0; i < 1'000'000; ++i)
        ASSERT_TRUE(tests.take(static_cast<std::uint8_t>(random())));
}

TEST(Drbg, IsTheFunctionOfSp80090A) {
    // The same samples through BearSSL's HMAC_DRBG by hand.
    Source source{Rule::Sound, 0};
    Drbg drbg{source};
    std::array<std::uint8_t, 40> out{};
    ASSERT_TRUE(drbg.fill(out));

    Source same{Rule::Sound, 0};
    same.wake();
    for (std::size_t i = 0; i < Drbg::kStartSamples; ++i) (void)same.sample();
    br_hmac_drbg_context context;
    br_hmac_drbg_init(&context, &br_sha256_vtable, nullptr, 0);
    for (std::size_t block = 0; block < Drbg::kSeedSamples / 64; ++block) {
        std::array<std::uint8_t, 64> samples{};
        for (std::uint8_t& byte : samples) byte = *same.sample();
        br_hmac_drbg_update(&context, samples.data(), samples.size());
    }
    std::array<std::uint8_t, 40> expected{};
    br_hmac_drbg_generate(&context, expected.data(), expected.size());
    EXPECT_EQ(out, expected);
}

TEST(Drbg, RepeatsNothingAndTakesNewSeeds) {
    Source source{Rule::Sound, 0};
    Drbg drbg{source};
    std::set<std::vector<std::uint8_t>> seen;
    for (std::uint32_t i = 0; i < 2 * Drbg::kReseedInterval + 1; ++i) {
        std::vector<std::uint8_t> out(16);
        ASSERT_TRUE(drbg.fill(out));
        EXPECT_TRUE(seen.insert(out).second);
        EXPECT_FALSE(source.is_awake());
    }
    EXPECT_EQ(source.count(), Drbg::kStartSamples + 3 * Drbg::kSeedSamples);
}

TEST(Drbg, ABrokenSourceStopsItForEver) {
    for (const Rule rule : {Rule::Stuck, Rule::MostlyOne, Rule::Silent}) {
        Source source{rule, 0};
        Drbg drbg{source};
        std::vector<std::uint8_t> out(16, 0xee);
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(drbg.fill(out).error(), Error::EntropyFailed);
            EXPECT_EQ(out, std::vector<std::uint8_t>(16)) << "nobody takes it for random";
        }
        EXPECT_TRUE(drbg.has_failed());
        EXPECT_FALSE(source.is_awake());
    }
}

TEST(Drbg, ASourceThatBreaksLaterStopsItAtTheNextSeed) {
    Source source{Rule::Stuck, Drbg::kStartSamples + Drbg::kSeedSamples};
    Drbg drbg{source};
    std::vector<std::uint8_t> out(16);
    for (std::uint32_t i = 0; i < Drbg::kReseedInterval; ++i) ASSERT_TRUE(drbg.fill(out));
    EXPECT_FALSE(drbg.fill(out));
    EXPECT_FALSE(drbg.fill(out));
}

}  // namespace
}  // namespace sotto::ports
