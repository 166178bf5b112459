// SPDX-License-Identifier: Apache-2.0
#include "core/coap/block.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace sotto::coap {
namespace {

std::vector<std::uint8_t> body_of(std::size_t size) {
    std::vector<std::uint8_t> body(size);
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
    return body;
}

Bytes part_of(const std::vector<std::uint8_t>& body, const OutgoingBody& sender) {
    return Bytes{body}.subspan(sender.offset(), sender.part_size());
}

// Carries a body over, block by block, and says how many it took; 0: it did not arrive.
std::size_t carry(std::size_t size, std::uint8_t exponent) {
    const auto body = body_of(size);
    std::vector<std::uint8_t> room(size);
    OutgoingBody sender{size, exponent};
    IncomingBody receiver{room};
    for (std::size_t count = 1;; ++count) {
        const Block block = sender.block();
        const Bytes part = part_of(body, sender);
        if (!receiver.check(block, part)) return 0;
        receiver.append(block, part);
        if (!block.has_more) return equal(receiver.view(), body) ? count : 0;
        if (!sender.on_continue(block)) return 0;
    }
}

TEST(BodyTest, ArrivesWholeInEverySizeAroundTheEdges) {
    for (std::uint8_t exponent = 0; exponent <= kBlockExponentMax; ++exponent) {
        const std::size_t block = std::size_t{16} << exponent;
        for (const std::size_t size : {std::size_t{0},
                                       std::size_t{1},
                                       block - 1,
                                       block,
                                       block + 1,
                                       2 * block - 1,
                                       2 * block,
                                       2 * block + 1,
                                       std::size_t{65'535},
                                       std::size_t{65'536}}) {
            const std::size_t expected = size == 0 ? 1 : (size + block - 1) / block;
            EXPECT_EQ(carry(size, exponent), expected) << size << " by " << block;
        }
    }
}

TEST(BodyTest, GoesOnInTheSmallerBlocksThatTheServerWants) {
    // The numbers of RFC 7959 Figure 9: 1:0/1/128 is answered 1:0/1/32, so 1:4/1/32 is next.
    const auto body = body_of(200);
    OutgoingBody sender{body.size(), 3};
    EXPECT_EQ(sender.block(), (Block{.number = 0, .has_more = true, .size_exponent = 3}));
    ASSERT_TRUE(sender.on_continue({.number = 0, .has_more = true, .size_exponent = 1}));
    EXPECT_EQ(sender.block(), (Block{.number = 4, .has_more = true, .size_exponent = 1}));
    EXPECT_EQ(sender.part_size(), 32U);
    ASSERT_TRUE(sender.on_continue({.number = 4, .has_more = true, .size_exponent = 1}));
    ASSERT_TRUE(sender.on_continue({.number = 5, .has_more = true, .size_exponent = 6}));
    EXPECT_EQ(sender.block(), (Block{.number = 6, .has_more = false, .size_exponent = 1}));
    EXPECT_EQ(sender.part_size(), 8U);
}

TEST(BodyTest, TakesNoAnswerToAnotherBlock) {
    OutgoingBody sender{100, 0};
    EXPECT_EQ(sender.on_continue({.number = 1, .has_more = true, .size_exponent = 0}).error(),
              Error::WrongState);
    ASSERT_TRUE(sender.on_continue(sender.block()));
    EXPECT_EQ(sender.on_continue({.number = 0, .has_more = true, .size_exponent = 0}).error(),
              Error::WrongState);
    EXPECT_EQ(sender.offset(), 16U);
}

TEST(BodyTest, BeginsAgainInSmallerBlocksOnly) {
    OutgoingBody sender{100, 2};
    ASSERT_TRUE(sender.on_continue(sender.block()));
    EXPECT_FALSE(sender.shrink(2));
    EXPECT_EQ(sender.offset(), 64U);
    EXPECT_TRUE(sender.shrink(1));
    EXPECT_EQ(sender.block(), (Block{.number = 0, .has_more = true, .size_exponent = 1}));
}

class IncomingTest : public ::testing::Test {
  protected:
    IncomingTest() {
        const Block first{.number = 0, .has_more = true, .size_exponent = 0};
        body_.append(first, Bytes{bytes_}.first(16));
        const Block second{.number = 1, .has_more = true, .size_exponent = 0};
        body_.append(second, Bytes{bytes_}.subspan(16, 16));
    }
    Error check(std::uint32_t number, bool has_more, std::size_t size, std::uint8_t exponent = 0) {
        const Status status =
            body_.check({.number = number, .has_more = has_more, .size_exponent = exponent},
                        Bytes{bytes_}.first(size));
        return status ? Error{} : status.error();
    }

    const std::vector<std::uint8_t> bytes_ = body_of(1'024);
    std::array<std::uint8_t, 50> room_{};
    IncomingBody body_{room_};
};

TEST_F(IncomingTest, TakesTheNextBlockOnly) {
    EXPECT_EQ(check(2, true, 16), Error{});
    EXPECT_EQ(check(3, true, 16), Error::WrongState);
    EXPECT_EQ(check(0, true, 16), Error::WrongState);
    EXPECT_EQ(check(0xfffff, false, 1, 6), Error::WrongState);
}

TEST_F(IncomingTest, KnowsTheBlockThatCameLast) {
    EXPECT_EQ(check(1, true, 16), Error::AlreadyExists);
    EXPECT_EQ(check(1, false, 15), Error::WrongState);
}

TEST_F(IncomingTest, TakesASmallerSizeInBetween) {
    EXPECT_EQ(check(1, false, 10, 1), Error{});         // from 32 on
    EXPECT_EQ(check(1, true, 32, 1), Error::TooLarge);  // the room is 50
}

TEST_F(IncomingTest, RefusesASizeThatIsNotTheBlocks) {
    EXPECT_EQ(check(2, true, 15), Error::Malformed);
    EXPECT_EQ(check(2, true, 17), Error::Malformed);
    EXPECT_EQ(check(2, true, 0), Error::Malformed);
    EXPECT_EQ(check(2, false, 17), Error::Malformed);
    EXPECT_EQ(check(2, false, 0), Error{});
}

TEST_F(IncomingTest, RefusesWhatDoesNotFitItsRoom) {
    body_.append({.number = 2, .has_more = true, .size_exponent = 0}, Bytes{bytes_}.first(16));
    EXPECT_EQ(check(3, false, 3), Error::TooLarge);
    EXPECT_EQ(check(3, false, 2), Error{});
}

TEST_F(IncomingTest, BeginsAgainWhenCleared) {
    body_.clear();
    EXPECT_TRUE(body_.empty());
    EXPECT_EQ(check(0, true, 16), Error{});
}

TEST(BlockTest, ReadsTheOptionOrSaysThatItIsWrong) {
    const std::array<std::uint8_t, 2> good{0xd1, 0x0a};  // delta 23, 1:0/1/64
    const auto options = Options::parse(good);
    EXPECT_FALSE(options.has_value());  // the delta's extension takes the value
    const std::array<std::uint8_t, 3> block2{0xd1, 0x0a, 0x0a};
    const auto found = find_block(*Options::parse(block2), kBlock2);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ(**found, (Block{.number = 0, .has_more = true, .size_exponent = 2}));
    const std::array<std::uint8_t, 3> reserved{0xd1, 0x0a, 0x0f};
    EXPECT_EQ(find_block(*Options::parse(reserved), kBlock2).error(), Error::Malformed);
    EXPECT_FALSE(*find_block(*Options::parse(reserved), kBlock1));
}

TEST(BlockTest, ChoosesTheLargestSizeThatFits) {
    EXPECT_EQ(block_exponent(16), 0);
    EXPECT_EQ(block_exponent(31), 0);
    EXPECT_EQ(block_exponent(32), 1);
    EXPECT_EQ(block_exponent(352), 4);
    EXPECT_EQ(block_exponent(1'023), 5);
    EXPECT_EQ(block_exponent(1'024), 6);
    EXPECT_EQ(block_exponent(65'536), 6);
}

}  // namespace
}  // namespace sotto::coap
