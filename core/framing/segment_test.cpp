// SPDX-License-Identifier: Apache-2.0
#include "core/framing/segment.hpp"

#include <array>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace sotto::framing {
namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer make_frame(std::size_t size) {
    Buffer frame(size);
    std::iota(frame.begin(), frame.end(), std::uint8_t{0});
    return frame;
}

std::vector<Buffer> cut(Segmenter& segmenter, const Buffer& frame) {
    std::vector<Buffer> values;
    std::array<std::uint8_t, kValueSizeMax> out{};
    EXPECT_TRUE(segmenter.begin(frame));
    while (!segmenter.is_idle()) {
        const Bytes value = segmenter.next(out);
        values.emplace_back(value.begin(), value.end());
    }
    return values;
}

class Receiver {
  public:
    std::optional<Buffer> receive(const Buffer& value) {
        const auto frame = reassembler.receive(value);
        if (!frame) return std::nullopt;
        return Buffer{frame->begin(), frame->end()};
    }
    std::array<std::uint8_t, kFrameSizeMax> buffer{};
    Reassembler reassembler{buffer};
};

TEST(Segmenter, CutsAtTheValueSize) {
    Segmenter segmenter;
    EXPECT_EQ(cut(segmenter, {0xaa}), (std::vector<Buffer>{{0xc0, 0xaa}}));
    EXPECT_EQ(cut(segmenter, make_frame(19)).size(), 1U);
    const auto values = cut(segmenter, make_frame(20));
    ASSERT_EQ(values.size(), 2U);
    EXPECT_EQ(values[0][0], 0x80 | 2);
    EXPECT_EQ(values[0].size(), 20U);
    EXPECT_EQ(values[1], (Buffer{0x40 | 3, 19}));
}

TEST(Segmenter, CounterRunsOnOverFramesModulo64) {
    Segmenter segmenter;
    for (unsigned i = 0; i < 130; ++i) EXPECT_EQ(cut(segmenter, {1})[0][0], 0xc0 | (i % 64));
}

TEST(Segmenter, RefusesWhatIsNoFrameOrNotYetDue) {
    Segmenter segmenter;
    EXPECT_EQ(segmenter.begin({}).error(), Error::InvalidArgument);
    EXPECT_EQ(segmenter.begin(make_frame(kFrameSizeMax + 1)).error(), Error::TooLarge);
    const Buffer frame = make_frame(kFrameSizeMax);
    EXPECT_TRUE(segmenter.begin(frame));
    EXPECT_EQ(segmenter.begin(frame).error(), Error::WrongState);
}

TEST(Reassembler, RestoresEverySizeAtEveryValueSize) {
    for (const std::size_t value_size : {20U, 21U, 64U, 180U, 247U, 512U}) {
        Segmenter segmenter{value_size};
        Receiver receiver;
        for (std::size_t size = 1; size <= kFrameSizeMax; size += 1 + size / 40) {
            const Buffer frame = make_frame(size);
            const auto values = cut(segmenter, frame);
            for (std::size_t i = 0; i + 1 < values.size(); ++i)
                EXPECT_FALSE(receiver.receive(values[i]));
            EXPECT_EQ(receiver.receive(values.back()), frame);
        }
        EXPECT_EQ(receiver.reassembler.dropped(), 0U);
    }
}

TEST(Reassembler, AFrameWithOneValueLostDoubledOrSwappedIsDroppedAndTheNextIsWhole) {
    const Buffer frame = make_frame(70);
    for (int fault = 0; fault < 3; ++fault) {
        for (std::size_t at = 0; at < 4; ++at) {
            if (fault == 2 && at == 3) continue;
            Segmenter segmenter;
            Receiver receiver;
            auto values = cut(segmenter, frame);
            const auto place = values.begin() + static_cast<std::ptrdiff_t>(at);
            if (fault == 0) values.erase(place);
            if (fault == 1) values.insert(place, Buffer{*place});
            if (fault == 2) std::swap(*place, *(place + 1));
            std::size_t frames = 0;
            for (const Buffer& value : values) frames += receiver.receive(value) ? 1 : 0;
            // A doubled first or last value leaves the frame whole: the other copy is dropped.
            const bool harmless = fault == 1 && (at == 0 || at == 3);
            EXPECT_EQ(frames, harmless ? 1U : 0U) << fault << ' ' << at;
            const auto next = cut(segmenter, frame);
            for (std::size_t i = 0; i < 3; ++i) EXPECT_FALSE(receiver.receive(next[i]));
            EXPECT_EQ(receiver.receive(next[3]), frame);
        }
    }
}

TEST(Reassembler, IgnoresValuesWithoutPayload) {
    Receiver receiver;
    EXPECT_FALSE(receiver.receive({}));
    EXPECT_FALSE(receiver.receive({0xc0}));
    EXPECT_EQ(receiver.reassembler.dropped(), 2U);
    EXPECT_EQ(receiver.receive({0xc1, 9}), Buffer{9});
}

TEST(Reassembler, DropsFramesLargerThanItsBuffer) {
    std::array<std::uint8_t, 40> buffer{};
    Reassembler reassembler{buffer};
    Segmenter segmenter;
    for (const auto& value : cut(segmenter, make_frame(41)))
        EXPECT_FALSE(reassembler.receive(value));
    const auto values = cut(segmenter, make_frame(40));
    EXPECT_FALSE(reassembler.receive(values[0]));
    EXPECT_FALSE(reassembler.receive(values[1]));
    EXPECT_TRUE(reassembler.receive(values[2]));
}

TEST(Reassembler, ResetForgetsAPartialFrame) {
    Receiver receiver;
    EXPECT_FALSE(receiver.receive({0x80, 1}));
    receiver.reassembler.reset();
    EXPECT_FALSE(receiver.receive({0x41, 2}));
    EXPECT_EQ(receiver.receive({0xc0, 3}), Buffer{3});
}

TEST(Reassembler, ShowsTheFrontOfWhatIsTooLong) {
    std::array<std::uint8_t, 50> buffer{};
    Reassembler reassembler{buffer};
    Segmenter segmenter;
    std::size_t shown = 0;
    for (const Buffer& value : cut(segmenter, make_frame(100))) {
        EXPECT_FALSE(reassembler.receive(value));
        const Bytes front = reassembler.too_long();
        if (front.empty()) continue;
        ++shown;
        EXPECT_TRUE(equal(front, Bytes{make_frame(38)})) << "two values of 19";
    }
    EXPECT_EQ(shown, 1U);
    EXPECT_TRUE(reassembler.receive(cut(segmenter, make_frame(10))[0]));
    EXPECT_TRUE(reassembler.too_long().empty());
}

}  // namespace
}  // namespace sotto::framing
