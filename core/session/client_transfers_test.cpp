// SPDX-License-Identifier: Apache-2.0
// Arguments and answers in blocks between client and device: docs/protocol/session.md, SES-80 to
// SES-87.
#include <gtest/gtest.h>

#include "core/session/line_test.hpp"

namespace sotto::session {
namespace {

using coap::Code;

std::string text_of(std::size_t size) {
    std::string text(size, ' ');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 5 + i / 97) % 26);
    return text;
}

class ClientTransferTest : public ::testing::Test {
  protected:
    ClientTransferTest() { EXPECT_EQ(line_.pair().paired, PairingVerdict::Accepted); }

    Lamp& lamp() { return line_.device->lamp; }
    // Spoils the n-th message from now on, in one direction.
    void lose(Way way, std::vector<int> numbers) {
        line_.fate = [=, count = 0](Way direction, const Message&) mutable {
            if (direction != way) return 1;
            ++count;
            return std::find(numbers.begin(), numbers.end(), count) == numbers.end() ? 1 : 0;
        };
    }
    // Does something once, just before the n-th message to the device arrives.
    void before(int number, std::function<void()> act) {
        line_.fate = [=, count = 0](Way direction, const Message&) mutable {
            if (direction == Way::ToDevice && ++count == number) act();
            return 1;
        };
    }

    SeededEntropy entropy_{7};
    const Party device_party_ = Party::make("lamp-1", entropy_);
    const Party owner_party_ = Party::make("phone-1", entropy_);
    Line line_{owner_party_, device_party_};
};

TEST_F(ClientTransferTest, EverySizeGoesThereAndComesBack) {
    int count = 0;
    for (const std::size_t size :
         {0, 1, 1'023, 1'024, 1'025, 2'047, 2'048, 2'049, 65'535, 65'536}) {
        const std::string text = text_of(size);
        const Outcome called = line_.note(text);
        EXPECT_EQ(called.code, Code::Changed) << size;
        EXPECT_EQ(called.payload, text) << size;
        EXPECT_EQ(line_.get_note().payload, text) << size;
        EXPECT_EQ(lamp().note_count, ++count);
    }
}

TEST_F(ClientTransferTest, OverTheLimitIsNotBegun) {
    const std::string text = text_of(kBodySizeMax + 1);
    const Request request{.code = Code::Post,
                          .resource = "f",
                          .name = "note",
                          .content = Content{.payload = as_bytes(text)}};
    EXPECT_EQ(line_.client->request(request, line_.now, line_.now + kPatience).error(),
              Error::TooLarge);
}

TEST_F(ClientTransferTest, AnyOneMessageThatIsLostOrDoubledChangesNothing) {
    lamp().answer = text_of(2'500);
    const std::string text = text_of(3'000);
    for (const Way way : {Way::ToDevice, Way::ToClient}) {
        for (int number = 1; number <= 7; ++number) {
            const int before = lamp().note_count;
            lose(way, {number});
            const Outcome called = line_.note(text);
            EXPECT_EQ(lamp().note_count, before + 1) << number;
            EXPECT_EQ(called.code, Code::Changed) << number;
            // The answer that brings the result may be too long to be kept for a repetition.
            EXPECT_TRUE(called.is_result_lost || called.payload == text_of(2'500)) << number;
            EXPECT_EQ(lamp().note, text);
        }
    }
    line_.fate = [](Way, const Message&) { return 2; };
    const int before = lamp().note_count;
    const Outcome called = line_.note(text);
    EXPECT_EQ(called.payload, text_of(2'500));
    EXPECT_EQ(lamp().note_count, before + 1);
}

TEST_F(ClientTransferTest, GoesOnWhereItWasAfterALongInterruption) {
    const std::string text = text_of(20'000);
    lamp().answer = "done";
    bool is_cut = false;
    line_.fate = [&, count = 0](Way, const Message&) mutable {
        if (++count == 21) is_cut = true;
        return is_cut ? 0 : 1;
    };
    const std::size_t before = line_.seen.size();
    EXPECT_TRUE(line_.client->request({.code = Code::Post,
                                       .resource = "f",
                                       .name = "note",
                                       .content = Content{.payload = as_bytes(text)}},
                                      line_.now,
                                      line_.now + minutes(1)));
    line_.run(seconds(50));
    ASSERT_FALSE(line_.outcome);
    const auto progress = line_.client->progress();
    ASSERT_TRUE(progress);
    EXPECT_EQ(progress->done, 10 * 1'024U);
    EXPECT_EQ(progress->total, text.size());
    is_cut = false;
    line_.fate = nullptr;
    line_.client->send_again(line_.now);
    const Outcome called = line_.finish();
    EXPECT_EQ(called.payload, "done");
    EXPECT_EQ(lamp().note, text);
    // 20 blocks, one challenge, and what was resent into the void.
    EXPECT_LE(line_.seen.size() - before, 20U + 1 + 8);
}

TEST_F(ClientTransferTest, ABootOfTheDeviceInTheMiddleBeginsItAgainAndRunsItOnce) {
    const std::string text = text_of(5'000);
    before(3, [this] { line_.boot_device(); });
    const Outcome called = line_.note(text);
    EXPECT_EQ(called.code, Code::Changed);
    EXPECT_EQ(called.payload, text);
    EXPECT_EQ(lamp().note_count, 1);
}

TEST_F(ClientTransferTest, ABootWhileTheResultIsFetchedLosesItAndSaysSo) {
    lamp().answer = text_of(5'000);
    before(4, [this] {
        EXPECT_EQ(lamp().note_count, 1);
        line_.boot_device();
    });
    const Outcome called = line_.note("x");
    EXPECT_EQ(called.code, Code::Changed);
    EXPECT_TRUE(called.is_result_lost);
    EXPECT_EQ(lamp().note_count, 0);  // of this boot
}

TEST_F(ClientTransferTest, ALastBlockThatWasNotRunIsSentAgainOnceTheDeviceHasSaidSo) {
    const std::string text = text_of(2'000);
    lamp().answer = "done";
    EXPECT_EQ(line_.note("warm up").code, Code::Changed);  // an Echo value is at hand
    lamp().note_count = 0;
    const std::size_t before = line_.seen.size();
    line_.fate = [&, before](Way way, const Message&) {
        if (way == Way::ToClient) return 1;
        const std::size_t number = line_.seen.size() - before;
        return number >= 2 && number <= 5 ? 0 : 1;  // the last block, four times
    };
    const Outcome called = line_.note(text);
    EXPECT_EQ(called.payload, "done");
    EXPECT_EQ(lamp().note_count, 1);
    EXPECT_EQ(lamp().note, text);
}

TEST_F(ClientTransferTest, AVariableThatChangesIsReadAgainAndNeverMixed) {
    lamp().note = text_of(4'000);
    const std::string changed = text_of(3'999) + "!";
    before(3, [&] { lamp().note = changed; });
    const Outcome read = line_.get_note();
    EXPECT_EQ(read.code, Code::Content);
    EXPECT_EQ(read.payload, changed);
    before(2, [&] { lamp().note = "short now"; });
    EXPECT_EQ(line_.get_note().payload, "short now");
}

TEST_F(ClientTransferTest, AVariableThatNeverRestsIsGivenUp) {
    lamp().note = text_of(4'000);
    line_.fate = [&](Way way, const Message&) {
        if (way == Way::ToDevice) lamp().note += "x";
        return 1;
    };
    EXPECT_EQ(line_.get_note().ended, Reason::NotWhole);
}

TEST_F(ClientTransferTest, ABootDoesNotMatterToAVariable) {
    lamp().note = text_of(4'000);
    before(3, [this] {
        line_.boot_device();
        lamp().note = text_of(4'000);
    });
    EXPECT_EQ(line_.get_note().payload, text_of(4'000));
}

TEST_F(ClientTransferTest, WithoutRoomALongAnswerIsRefused) {
    lamp().note = text_of(4'000);
    EXPECT_EQ(line_.ask({.resource = "v", .name = "note"}).ended, Reason::NotWhole);
    line_.room.resize(3'999);
    EXPECT_EQ(line_.get_note().ended, Reason::NotWhole);
    line_.room.resize(4'000);
    EXPECT_EQ(line_.get_note().payload, text_of(4'000));
    lamp().answer = text_of(4'001);
    const Outcome called = line_.note("x");
    EXPECT_EQ(called.code, Code::Changed);
    EXPECT_TRUE(called.is_result_lost);
}

TEST_F(ClientTransferTest, WhatIsTooLargeForTheFunctionIsToldAtOnce) {
    lamp().room.resize(2'000);
    const std::size_t before = line_.seen.size();
    EXPECT_EQ(line_.note(text_of(2'001)).code, Code::RequestEntityTooLarge);
    EXPECT_EQ(line_.seen.size() - before, 1U);
    EXPECT_EQ(lamp().note_count, 0);
}

TEST_F(ClientTransferTest, WaitsWhileAnotherSessionHasTheRoom) {
    // A session begins and is not heard of again; the next one wants the same room.
    const std::string text = text_of(5'000);
    const Request request{.code = Code::Post,
                          .resource = "f",
                          .name = "note",
                          .content = Content{.payload = as_bytes(text)}};
    line_.fate = [count = 0](Way, const Message&) mutable { return ++count < 5 ? 1 : 0; };
    EXPECT_TRUE(line_.client->request(request, line_.now, line_.now + kPatience));
    line_.run(seconds(5));
    line_.note(line_.client->give_up(line_.now));
    EXPECT_EQ(line_.finish().ended, Reason::Silence);
    line_.fate = nullptr;
    EXPECT_EQ(line_.pair().paired, PairingVerdict::Accepted);
    lamp().answer = "done";
    const Instant begin = line_.now;
    EXPECT_TRUE(line_.client->request(request, line_.now, line_.now + minutes(5)));
    EXPECT_EQ(line_.finish(minutes(5)).payload, "done");
    EXPECT_GT((line_.now - begin).ms, seconds(60).ms);
    EXPECT_EQ(lamp().note_count, 1);
}

TEST_F(ClientTransferTest, FallsBackToSmallBlocksWhereLargeOnesAreLost) {
    lamp().answer = "done";
    line_.fate = [](Way way, const Message& message) {
        return way == Way::ToDevice && message.size() > 512 ? 0 : 1;
    };
    const std::string text = text_of(3'000);
    EXPECT_EQ(line_.note(text).payload, "done");
    EXPECT_EQ(lamp().note, text);
    // It has learned from it.
    const std::size_t before = line_.seen.size();
    EXPECT_EQ(line_.note(text).payload, "done");
    EXPECT_EQ(line_.seen.size() - before, 12U);
}

// Answers what does not fit a frame of the chip as its air port does.
class ChipTransferTest : public ClientTransferTest {
  protected:
    ChipTransferTest() {
        line_.fate = [this](Way way, const Message& message) {
            if (way == Way::ToClient || message.size() <= framing::kMessageSizeMaxChip) return 1;
            refuse(message);
            return 0;
        };
    }
    void refuse(const Message& message) {
        ++refusals_;
        std::array<std::uint8_t, 16> out{};
        const Bytes front = Bytes{message}.first(100);
        const Bytes refusal = coap::refuse_too_large(front, out);
        ASSERT_FALSE(refusal.empty());
        line_.to_client({refusal.begin(), refusal.end()});
    }
    int refusals_ = 0;
};

TEST_F(ChipTransferTest, ALargeBlockThatIsRefusedGoesInSmallOnesAtOnce) {
    const std::string text = text_of(3'000);
    const Instant begin = line_.now;
    EXPECT_EQ(line_.note(text).payload, text);
    EXPECT_LT((line_.now - begin).ms, kRetransmitFirst.ms);
    EXPECT_EQ(lamp().note_count, 1);
    EXPECT_EQ(line_.note(text).payload, text);
    EXPECT_EQ(refusals_, 1) << "it has learned from it";
}

TEST_F(ChipTransferTest, AnArgumentOfOneLargeMessageGoesInSmallBlocks) {
    // The first has no Echo and cannot have run; the others may have, for all that a client knows.
    for (int i = 1; i <= 3; ++i) {
        const std::string text = text_of(600U + static_cast<unsigned>(i));
        EXPECT_EQ(line_.note(text).payload, text);
        EXPECT_EQ(lamp().note_count, i);
        line_.boot_client();
        EXPECT_EQ(line_.get_note().code, Code::Content);  // it knows an Echo now
        EXPECT_EQ(refusals_, i);
    }
}

TEST_F(ChipTransferTest, ARefusalThatIsALieRunsNothingTwice) {
    line_.fate = [this](Way way, const Message& message) {
        if (way == Way::ToDevice && message.size() > 512) refuse(message);
        return 1;  // and it arrives
    };
    EXPECT_EQ(line_.get_note().code, Code::Content);
    for (int i = 1; i <= 3; ++i) {
        EXPECT_EQ(line_.note(text_of(700)).code, Code::Changed);
        EXPECT_EQ(lamp().note_count, i);
        line_.boot_client();
    }
    EXPECT_GT(refusals_, 0);
}

TEST_F(ClientTransferTest, GivingUpWhileNothingWasRunSaysSo) {
    const std::string text = text_of(5'000);
    line_.fate = [count = 0](Way, const Message&) mutable { return ++count < 5 ? 1 : 0; };
    EXPECT_EQ(line_.note(text).ended, Reason::Silence);
    EXPECT_EQ(lamp().note_count, 0);
}

}  // namespace
}  // namespace sotto::session
