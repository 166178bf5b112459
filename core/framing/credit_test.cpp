// SPDX-License-Identifier: Apache-2.0
#include "core/framing/credit.hpp"

#include <gtest/gtest.h>

namespace sotto::framing::uplink {
namespace {

TEST(Credit, SenderAndReceiverNeverDisagree) {
    for (const std::uint16_t initial : std::initializer_list<std::uint16_t>{1, 2, 3, 16, 256}) {
        SendCredit sender{initial};
        ReceiveCredit receiver{initial};
        for (int round = 0; round < 5'000; ++round) {
            ASSERT_FALSE(sender.is_empty()) << initial;
            sender.take();
            ASSERT_TRUE(receiver.take());
            const std::uint16_t grant = receiver.pass_on();
            ASSERT_TRUE(sender.add(grant));
        }
    }
}

TEST(Credit, SenderRunsDryUntilTheReceiverPassesOn) {
    SendCredit sender{4};
    ReceiveCredit receiver{4};
    for (int i = 0; i < 4; ++i) {
        sender.take();
        ASSERT_TRUE(receiver.take());
    }
    EXPECT_TRUE(sender.is_empty());
    EXPECT_EQ(receiver.take().error(), Error::Refused);
    EXPECT_EQ(receiver.pass_on(), 0);
    EXPECT_EQ(receiver.pass_on(), 2);
    EXPECT_TRUE(sender.add(2));
    EXPECT_FALSE(sender.is_empty());
}

TEST(Credit, MoreThanTheInitialCreditIsRefused) {
    SendCredit sender{4};
    EXPECT_EQ(sender.add(1).error(), Error::Malformed);
    sender.take();
    EXPECT_EQ(sender.add(2).error(), Error::Malformed);
    EXPECT_TRUE(sender.add(1));
}

}  // namespace
}  // namespace sotto::framing::uplink
