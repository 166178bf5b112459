// SPDX-License-Identifier: Apache-2.0
#include "app/client/uart_transfer.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sotto::app {
namespace {

using State = UartTransfer::State;

constexpr Instant kNow{1'000};

std::vector<std::uint8_t> content(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
    return bytes;
}

std::vector<std::uint8_t> take(UartTransfer& transfer) {
    const auto bytes = transfer.next_bytes().value_or(Bytes{});
    return {bytes.begin(), bytes.end()};
}

TEST(UartTransfer, SendsTheSizeAndThenBlocksThatAreAnsweredOneByOne) {
    const auto key = content(2'500);
    UartTransfer transfer{UartTransfer::Item::DeviceKey, key, kNow};
    EXPECT_EQ(take(transfer), (std::vector<std::uint8_t>{'r', 0, 0, 0x09, 0xc4}));
    EXPECT_FALSE(transfer.next_bytes());
    transfer.receive(as_bytes("2500\n"), kNow);
    std::vector<std::uint8_t> sent;
    for (const char* answer : {"1024\r\n", "1024\r\n", "452\r\n"}) {
        EXPECT_EQ(transfer.state(), State::Sending);
        const auto block = take(transfer);
        sent.insert(sent.end(), block.begin(), block.end());
        EXPECT_FALSE(transfer.next_bytes()) << "one at a time";
        transfer.receive(as_bytes(answer), kNow);
    }
    EXPECT_EQ(transfer.state(), State::Done);
    EXPECT_EQ(transfer.taken(), key.size());
    EXPECT_EQ(sent, key);
}

TEST(UartTransfer, AnswersComeInPiecesAndAmongWordsForPeople) {
    const auto key = content(294);
    UartTransfer transfer{UartTransfer::Item::ServerKey, key, kNow};
    EXPECT_EQ(take(transfer)[0], 'u');
    for (const char* piece : {"bluz 2.3\r\n", "Erasing 4096 bytes\r\n", "\r\n", "29", "4", "\n"})
        transfer.receive(as_bytes(piece), kNow);
    EXPECT_EQ(take(transfer).size(), 294U);
    transfer.receive(as_bytes("294\r\nsetup>"), kNow);
    EXPECT_EQ(transfer.state(), State::Done);
}

TEST(UartTransfer, AnotherSizeThanWasSentEndsIt) {
    const auto key = content(294);
    for (const char* answers : {"293\n", "294\n200\r\n", "999999999999\n"}) {
        UartTransfer transfer{UartTransfer::Item::ServerKey, key, kNow};
        transfer.receive(as_bytes(answers), kNow);
        if (std::string{answers}.size() < 12) {
            EXPECT_EQ(transfer.state(), State::Strange) << answers;
        } else {
            EXPECT_EQ(transfer.state(), State::Erasing) << "no number of bytes is that long";
        }
        EXPECT_EQ(transfer.taken(), 0U);
    }
}

TEST(UartTransfer, SilenceEndsItInEachStep) {
    const auto key = content(2'000);
    UartTransfer transfer{UartTransfer::Item::ServerKey, key, kNow};
    transfer.on_time(kNow + seconds(14));
    EXPECT_FALSE(transfer.is_over());
    transfer.receive(as_bytes("2000\n"), kNow + seconds(14));
    transfer.on_time(kNow + seconds(18));
    EXPECT_FALSE(transfer.is_over());
    transfer.receive(as_bytes("1024\r\n"), kNow + seconds(18));
    EXPECT_EQ(transfer.wake_at(), kNow + seconds(23));
    transfer.on_time(kNow + seconds(23));
    EXPECT_EQ(transfer.state(), State::Silent);
    EXPECT_EQ(transfer.taken(), 1'024U);
    transfer.receive(as_bytes("976\r\n"), kNow + seconds(24));
    EXPECT_EQ(transfer.state(), State::Silent);

    UartTransfer deaf{UartTransfer::Item::ServerKey, key, kNow};
    deaf.on_time(kNow + seconds(15));
    EXPECT_EQ(deaf.state(), State::Silent);
}

}  // namespace
}  // namespace sotto::app
