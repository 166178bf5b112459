// SPDX-License-Identifier: Apache-2.0
#include "air/bluz/packets.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace sotto::air::bluz {
namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
const Buffer kEnd{0x03, 0x04};

std::vector<Buffer> values_of(const Buffer& header, const Buffer& payload) {
    Packetizer packetizer;
    packetizer.begin(header, payload);
    std::vector<Buffer> values;
    while (!packetizer.is_idle()) values.push_back(copy(packetizer.next()));
    return values;
}

// The frames that these values make.
std::vector<Buffer> frames_of(Assembler& assembler, const std::vector<Buffer>& values) {
    std::vector<Buffer> frames;
    for (const Buffer& value : values) {
        const auto frame = assembler.receive(value);
        if (frame && *frame) frames.push_back(copy(**frame));
    }
    return frames;
}

TEST(Assembler, TakesTheHeaderAsAValueOfItsOwnAndInTheFirstOne) {
    const Buffer frame{0x01, 0x00, 'a', 'b', 'c'};
    Assembler assembler;
    EXPECT_EQ(frames_of(assembler, {{0x01, 0x00}, {'a', 'b', 'c'}, kEnd}),
              std::vector<Buffer>{frame});
    EXPECT_EQ(frames_of(assembler, {frame, kEnd}), std::vector<Buffer>{frame});
    EXPECT_EQ(frames_of(assembler, {{0x01}, {0x00, 'a'}, {'b', 'c'}, kEnd}),
              std::vector<Buffer>{frame});
}

TEST(Assembler, EndsAFrameAtAValueOfExactlyTwoBytesOnly) {
    Assembler assembler;
    const std::vector<Buffer> frames =
        frames_of(assembler, {{0x01, 0x00}, {0x03, 0x04, 0x05}, {0x03}, {0x04}, kEnd});
    EXPECT_EQ(frames, (std::vector<Buffer>{{0x01, 0x00, 0x03, 0x04, 0x05, 0x03, 0x04}}));
}

TEST(Assembler, AnEndAloneIsAnEmptyFrame) {
    Assembler assembler;
    EXPECT_EQ(frames_of(assembler, {kEnd, kEnd}), (std::vector<Buffer>{{}, {}}));
}

TEST(Assembler, RefusesValuesThatTheServiceCannotCarryAndGoesOn) {
    Assembler assembler;
    EXPECT_EQ(assembler.receive({}).error(), Error::Malformed);
    EXPECT_EQ(assembler.receive(Buffer(21, 1)).error(), Error::Malformed);
    EXPECT_EQ(frames_of(assembler, {{1}, kEnd}), (std::vector<Buffer>{{1}}));
}

TEST(Assembler, TakesFramesUpToItsBoundAndTheNextOneAfterALongerOne) {
    for (const std::size_t size : {kFrameSizeMax, kFrameSizeMax + 1, std::size_t{100'000}}) {
        Assembler assembler;
        for (std::size_t sent = 0; sent < size; sent += 16)
            ASSERT_TRUE(assembler.receive(Buffer(std::min<std::size_t>(16, size - sent), 7)));
        const auto frame = assembler.receive(kEnd);
        EXPECT_EQ(frame.has_value(), size == kFrameSizeMax);
        if (size > kFrameSizeMax) {
            EXPECT_EQ(frame.error(), Error::TooLarge);
        }
        EXPECT_EQ(frames_of(assembler, {{1, 2}, kEnd}), (std::vector<Buffer>{{1, 2}})) << size;
    }
}

TEST(Packetizer, CutsIntoValuesOfTwentyBytesAndEndsWithTheEndAlone) {
    EXPECT_EQ(values_of({0x02, 0x00}, {}), (std::vector<Buffer>{{0x02, 0x00}, kEnd}));
    for (const std::size_t size : {1U, 17U, 18U, 19U, 38U, 39U, 960U}) {
        const auto values = values_of({0x01, 0x00}, Buffer(size, 0xaa));
        EXPECT_EQ(values.size(), (2 + size + 19) / 20 + 1) << size;
        for (std::size_t i = 0; i + 2 < values.size(); ++i) EXPECT_EQ(values[i].size(), 20U);
        EXPECT_EQ(values.back(), kEnd);
    }
}

// Wherever `03 04` stands, and how often: the device finds the frame and no other.
TEST(Packetizer, NoValueButTheLastBeginsAsTheEnd) {
    for (std::size_t size = 2; size <= 64; ++size) {
        for (std::size_t at = 0; at + 2 <= size; ++at) {
            for (const bool is_everywhere : {false, true}) {
                Buffer payload(size, 0x55);
                for (std::size_t i = at; i + 2 <= size; i += is_everywhere ? 2 : size)
                    std::copy(kEnd.begin(), kEnd.end(), payload.begin() + static_cast<long>(i));
                const auto values = values_of({0x01, 0x00}, payload);
                for (std::size_t i = 0; i + 1 < values.size(); ++i) {
                    EXPECT_FALSE(values[i].size() >= 2 && values[i][0] == 3 && values[i][1] == 4);
                    EXPECT_LE(values[i].size(), 20U);
                }
                Buffer frame{0x01, 0x00};
                frame.insert(frame.end(), payload.begin(), payload.end());
                Assembler assembler;
                EXPECT_EQ(frames_of(assembler, values), std::vector<Buffer>{frame});
            }
        }
    }
}

}  // namespace
}  // namespace sotto::air::bluz
