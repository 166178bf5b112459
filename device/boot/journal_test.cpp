// SPDX-License-Identifier: Apache-2.0
#include "device/boot/journal.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "ports/flash/memory_flash_test.hpp"

namespace sotto::boot {
namespace {

using ports::MemoryFlash;

constexpr std::size_t kWords = MemoryFlash::kPageSize / ports::Flash::kWordSize;
constexpr std::uint32_t kSeeds = 20;  // of what is left of a word that was cut short

class JournalTest : public ::testing::Test {
  protected:
    void begin(std::uint32_t seed = 1) {
        flash_.emplace(2, seed);
        journal_.emplace(*flash_);
    }
    void SetUp() override { begin(); }
    Slot boot() {
        flash_->reboot();
        return start(*journal_);
    }
    // Boots that change nothing, until so many words of the page are left.
    void leave(std::size_t words) {
        for (std::size_t i = 0; i + words < kWords; ++i) boot();
    }

    std::optional<MemoryFlash> flash_;
    std::optional<Journal> journal_;
};

TEST_F(JournalTest, ANewChipRunsItsFirstImage) {
    EXPECT_EQ(journal_->state(), State{});
    EXPECT_EQ(boot(), Slot::A);
    EXPECT_EQ(boot(), Slot::A);
}

TEST_F(JournalTest, AnImageThatIsConfirmedStays) {
    ASSERT_TRUE(install(*journal_));
    EXPECT_EQ(boot(), Slot::B);
    ASSERT_TRUE(confirm(*journal_));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(boot(), Slot::B);
    EXPECT_EQ(journal_->state().outcome, Outcome::Confirmed);
    ASSERT_TRUE(install(*journal_));  // and back, with the next one
    EXPECT_EQ(boot(), Slot::A);
    ASSERT_TRUE(confirm(*journal_));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(boot(), Slot::A);
}

TEST_F(JournalTest, AnImageThatNeverConfirmsIsStartedThreeTimes) {
    ASSERT_TRUE(install(*journal_));
    for (int i = 0; i < kTrialBoots; ++i) EXPECT_EQ(boot(), Slot::B);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(boot(), Slot::A);
    EXPECT_EQ(journal_->state().outcome, Outcome::Boots);
}

TEST_F(JournalTest, AnImageThatGivesUpIsNotStartedAgain) {
    ASSERT_TRUE(install(*journal_));
    EXPECT_EQ(boot(), Slot::B);
    ASSERT_TRUE(give_up(*journal_, Outcome::Time));
    EXPECT_EQ(boot(), Slot::A);
    EXPECT_EQ(journal_->state().outcome, Outcome::Time);
}

TEST_F(JournalTest, NothingIsConfirmedWithoutATrial) {
    ASSERT_TRUE(confirm(*journal_));
    EXPECT_EQ(journal_->state(), State{});
}

TEST_F(JournalTest, GoesOnOverManyChangesOfPages) {
    for (std::size_t round = 0; round < 10 * kWords; ++round) {
        const Slot former = journal_->state().active;
        ASSERT_TRUE(install(*journal_));
        ASSERT_EQ(boot(), other(former)) << round;
        ASSERT_TRUE(confirm(*journal_));
        ASSERT_EQ(boot(), other(former)) << round;
    }
}

// Wherever in a page it begins: each flash operation of `act` in turn is the last before power
// goes, and what is left of it may read one way now and another way later.
void for_each_cut(
    const std::function<void(std::uint32_t seed, std::size_t words, std::size_t step)>& act) {
    for (std::uint32_t seed = 1; seed <= kSeeds; ++seed) {
        for (const std::size_t words : {0, 1, 2, 5}) {
            for (std::size_t step = 0; step < 3; ++step) act(seed, words, step);
        }
    }
}

// After the cut it is before or after; whatever a boot has decided stays.
TEST_F(JournalTest, AnInstallationIsDoneOrNotDone) {
    for_each_cut([&](std::uint32_t seed, std::size_t words, std::size_t step) {
        begin(seed);
        leave(words);
        flash_->cut_power_at(step);
        const bool is_done = install(*journal_).has_value();
        const Slot slot = boot();
        EXPECT_TRUE(slot == Slot::B || !is_done);
        EXPECT_EQ(boot(), slot);
        EXPECT_EQ(boot(), slot);
        EXPECT_EQ(boot(), Slot::A);  // nobody has confirmed it
        EXPECT_EQ(boot(), Slot::A);
    });
}

TEST_F(JournalTest, AConfirmationIsDoneOrNotDone) {
    for_each_cut([&](std::uint32_t seed, std::size_t words, std::size_t step) {
        begin(seed);
        leave(words + 2);
        ASSERT_TRUE(install(*journal_));
        ASSERT_EQ(boot(), Slot::B);
        flash_->cut_power_at(step);
        const bool is_done = confirm(*journal_).has_value();
        EXPECT_EQ(boot(), Slot::B);
        EXPECT_EQ(boot(), Slot::B);
        const bool is_kept = boot() == Slot::B;
        EXPECT_TRUE(is_kept || !is_done);
        for (int i = 0; i < 3; ++i) EXPECT_EQ(boot(), is_kept ? Slot::B : Slot::A);
    });
}

TEST_F(JournalTest, GivingUpIsDoneOrNotDone) {
    for_each_cut([&](std::uint32_t seed, std::size_t words, std::size_t step) {
        begin(seed);
        leave(words + 2);
        ASSERT_TRUE(install(*journal_));
        ASSERT_EQ(boot(), Slot::B);
        flash_->cut_power_at(step);
        const bool is_done = give_up(*journal_, Outcome::Time).has_value();
        const Slot slot = boot();
        EXPECT_TRUE(slot == Slot::A || !is_done);
        for (int i = 0; i < 3; ++i) boot();
        EXPECT_EQ(boot(), Slot::A);
    });
}

// A cut in the boot itself: an image on trial is started at most once more than it should be, never
// for ever, and one that is not on trial is always the same.
TEST_F(JournalTest, ABootThatIsCutShortIsABoot) {
    for_each_cut([&](std::uint32_t seed, std::size_t words, std::size_t step) {
        for (const bool is_trial : {false, true}) {
            begin(seed);
            leave(words + 1);
            if (is_trial) {
                ASSERT_TRUE(install(*journal_));
            }
            for (int boots = 0; boots < kTrialBoots; ++boots) {
                flash_->reboot();
                flash_->cut_power_at(step);
                (void)start(*journal_);
                const Slot slot = boot();
                EXPECT_TRUE(is_trial || slot == Slot::A);
            }
            for (int i = 0; i < 3; ++i) EXPECT_EQ(boot(), Slot::A);
        }
    });
}

// What stands there is no entry: it is skipped, and never taken for one.
TEST_F(JournalTest, AWordThatIsNoEntryIsSkipped) {
    ASSERT_TRUE(flash_->write_word(0, 0x1234'5678));
    ASSERT_TRUE(flash_->write_word(8, 0));
    EXPECT_EQ(journal_->state(), State{});
    ASSERT_TRUE(install(*journal_));
    EXPECT_TRUE(journal_->state().is_on_trial);
    EXPECT_EQ(boot(), Slot::B);
}

TEST_F(JournalTest, FlashThatCannotBeWrittenStartsWhatWorks) {
    ASSERT_TRUE(install(*journal_));
    flash_->cut_power_at(0);
    EXPECT_EQ(start(*journal_), Slot::A);
}

}  // namespace
}  // namespace sotto::boot
