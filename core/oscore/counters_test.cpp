// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "core/oscore/replay_window.hpp"
#include "core/oscore/sender_sequence.hpp"

namespace sotto::oscore {
namespace {

constexpr std::uint64_t kEnd = kPivMax + 1;

struct Step {
    std::uint64_t piv;
    bool is_accepted;
};

void run(ReplayWindow window, const std::vector<Step>& steps) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const Piv piv{steps[i].piv};
        const Status status = window.check(piv);
        ASSERT_EQ(status.has_value(), steps[i].is_accepted) << "step " << i;
        if (status) {
            window.accept(piv);
        } else {
            EXPECT_EQ(status.error(), Error::Superseded) << "step " << i;
        }
    }
}

TEST(ReplayWindow, Table) {
    run(ReplayWindow{}, {{0, true}, {0, false}, {1, true}, {1, false}, {0, false}});
    run(ReplayWindow{}, {{5, true}, {4, true}, {0, true}, {5, false}, {4, false}, {0, false}});
    run(ReplayWindow{}, {{31, true}, {0, true}, {0, false}, {32, true}, {1, true}, {0, false}});
    run(ReplayWindow{}, {{32, true}, {0, false}, {1, true}, {64, true}, {32, false}, {33, true}});
    run(ReplayWindow{}, {{1'000, true}, {968, false}, {969, true}, {999, true}, {999, false}});
    run(ReplayWindow{}, {{0, true}, {0xffff'fffe, true}, {0xffff'fffd, true}, {0, false}});
    run(ReplayWindow{}, {{0, true}, {31, true}, {1, true}, {30, true}, {1, false}, {30, false}});
    run(ReplayWindow{100}, {{99, false}, {68, false}, {0, false}, {100, true}, {100, false}});
    run(ReplayWindow{100}, {{102, true}, {101, true}, {100, true}, {99, false}, {101, false}});
    run(ReplayWindow{0}, {{0, true}, {0, false}});
    run(ReplayWindow{1}, {{0, false}, {1, true}});
}

// Against a set that never forgets.
TEST(ReplayWindow, AcceptsNothingTwiceAndNothingBelow) {
    std::uint32_t random = 0x5eed;
    ReplayWindow window;
    std::set<std::uint64_t> seen;
    std::uint64_t highest = 0;
    for (int i = 0; i < 20'000; ++i) {
        random = random * 1'664'525 + 1'013'904'223;
        const std::uint64_t center = highest > 40 ? highest - 40 : 0;
        const std::uint64_t number = center + (random >> 16) % 60;
        const bool is_new = !seen.contains(number) && number + 32 > highest;
        ASSERT_EQ(window.check(Piv{number}).has_value(), is_new) << i;
        if (!is_new) continue;
        window.accept(Piv{number});
        seen.insert(number);
        highest = std::max(highest, number);
        ASSERT_EQ(window.next(), highest + 1);
    }
}

TEST(ReplayWindow, RefusesWhatItCannotCount) {
    const ReplayWindow window;
    EXPECT_EQ(window.check(Piv{0xffff'ffff}).error(), Error::Unsupported);
    EXPECT_EQ(window.check(Piv{kPivMax}).error(), Error::Unsupported);
}

TEST(ReplayWindow, ALostOneKnowsNothing) {
    ReplayWindow window = ReplayWindow::lost();
    EXPECT_TRUE(window.is_lost());
    EXPECT_EQ(window.check(Piv{0}).error(), Error::WrongState);
    EXPECT_EQ(window.check(Piv{77}).error(), Error::WrongState);
    window = ReplayWindow{77};
    EXPECT_FALSE(window.is_lost());
    EXPECT_TRUE(window.check(Piv{77}));
    EXPECT_FALSE(ReplayWindow{}.is_lost());
    EXPECT_FALSE(ReplayWindow{0}.is_lost());
}

TEST(ReplayWindowDeathTest, AcceptingAReplayIsABug) {
    ReplayWindow window;
    window.accept(Piv{3});
    EXPECT_DEATH(window.accept(Piv{3}), "");
}

TEST(SenderSequence, GivesOnlyWhatIsReserved) {
    SenderSequence sequence{Piv{64}};
    EXPECT_FALSE(sequence.has_reserved());
    EXPECT_EQ(sequence.next().error(), Error::WrongState);
    EXPECT_EQ(sequence.reservation(2), Piv{66});
    sequence.on_stored(sequence.reservation(2));
    EXPECT_EQ(*sequence.next(), Piv{64});
    EXPECT_TRUE(sequence.has_reserved());
    EXPECT_EQ(sequence.reservation(2), Piv{67});
    EXPECT_EQ(*sequence.next(), Piv{65});
    EXPECT_EQ(sequence.next().error(), Error::WrongState);
}

TEST(SenderSequence, EndsBelowTwoToTheForty) {
    SenderSequence sequence{Piv{kPivMax - 1}};
    EXPECT_EQ(sequence.reservation(1'000), Piv{kEnd});
    sequence.on_stored(sequence.reservation(1'000));
    EXPECT_EQ(*sequence.next(), Piv{kPivMax - 1});
    EXPECT_EQ(*sequence.next(), Piv{kPivMax});
    EXPECT_EQ(sequence.next().error(), Error::Expired);
    EXPECT_EQ(sequence.next().error(), Error::Expired);
}

TEST(SenderSequence, HasOneHolder) {
    static_assert(!std::is_copy_constructible_v<SenderSequence>);
    static_assert(!std::is_copy_assignable_v<SenderSequence>);
    SenderSequence first{Piv{0}};
    first.on_stored(Piv{10});
    EXPECT_EQ(*first.next(), Piv{0});
    SenderSequence second{std::move(first)};
    EXPECT_EQ(*second.next(), Piv{1});
    EXPECT_EQ(first.next().error(), Error::Expired);  // NOLINT(bugprone-use-after-move)
    SenderSequence third{Piv{0}};
    third = std::move(second);
    EXPECT_EQ(*third.next(), Piv{2});
    EXPECT_EQ(second.next().error(), Error::Expired);  // NOLINT(bugprone-use-after-move)
}

TEST(SenderSequenceDeathTest, AReservationNeverShrinks) {
    SenderSequence sequence{Piv{0}};
    sequence.on_stored(Piv{10});
    EXPECT_DEATH(sequence.on_stored(Piv{9}), "");
}

}  // namespace
}  // namespace sotto::oscore
