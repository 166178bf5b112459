// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/update.hpp"

#include <functional>

#include <gtest/gtest.h>

namespace sotto::cloud::particle {
namespace {

constexpr std::size_t kChunk = 64;
constexpr std::size_t kSize = kChunk * 2 + 1;  // three chunks

class Device {
  public:
    explicit Device(bool is_fast, std::size_t size = kSize)
        : update({.image = std::make_shared<const std::vector<std::uint8_t>>(size, 0x5a),
                  .chunk_size = kChunk,
                  .is_fast_wanted = is_fast,
                  .now = now}) {}

    // Everything that is to be sent now; answers how many.
    std::size_t take() {
        std::size_t count = 0;
        for (; update.wants_to_send(); ++count) {
            ++id;
            last = update.send(id, static_cast<std::uint8_t>(id), now);
            kept.push_back(last);
        }
        return count;
    }
    bool ack(std::uint16_t of, Code code = Code::Empty) {
        const auto token = static_cast<std::uint8_t>(of);
        Message message{.type = Type::Acknowledgement, .code = code, .id = of};
        if (code != Code::Empty) message.token = {&token, 1};
        return update.on_response(message, now);
    }
    bool answer(std::uint16_t of, Code code, Bytes payload = {}) {
        const auto token = static_cast<std::uint8_t>(of);
        return update.on_response(
            {.type = Type::NonConfirmable, .code = code, .token = {&token, 1}, .payload = payload},
            now);
    }
    void begin(bool is_fast) {
        EXPECT_EQ(take(), 1U);
        EXPECT_TRUE(ack(id));
        const std::uint8_t ready = is_fast ? 1 : 0;
        EXPECT_TRUE(answer(id, Code::Changed, {&ready, 1}));
        EXPECT_TRUE(update.is_ready());
    }
    std::uint16_t index_of(std::size_t place) {
        const auto message = parse_message(kept.at(place));
        const Bytes index = message->query[1];
        return static_cast<std::uint16_t>(index[0] << 8U | index[1]);
    }
    void pass(Duration time) {
        now = now + time;
        update.on_time(now);
    }

    Instant now{1};
    Update update;
    std::uint16_t id = 0;
    Encoded last;
    std::vector<Encoded> kept;
};

TEST(Update, BeginsAsTheOldestDevicesReadIt) {
    Device device{false, 10'000};
    device.take();
    const Encoded wanted{0x41, 0x02, 0, 1,    1,    0xb1, 'u', 0xff, 0, 0,
                         64,   0,    0, 0x27, 0x10, 0,    0,   0,    0, 0};
    EXPECT_EQ(device.last, wanted);
}

TEST(Update, SlowHasOneChunkUnderWayAndGoesOnWhenTheDeviceHasTakenIt) {
    Device device{false};
    device.begin(false);
    for (std::size_t chunk = 0; chunk < 3; ++chunk) {
        EXPECT_EQ(device.take(), 1U);
        EXPECT_EQ(device.last.size(), 13 + kChunk);
        EXPECT_EQ(device.last[7], 0x44);
        EXPECT_EQ(device.last[12], 0xff);
        device.ack(device.id);
        EXPECT_EQ(device.take(), 0U);
        EXPECT_EQ(device.update.taken(), chunk * kChunk);
        device.answer(device.id, Code::Changed);
    }
    EXPECT_EQ(device.update.taken(), kSize);
    EXPECT_EQ(device.take(), 1U);
    EXPECT_EQ(device.last, (Encoded{0x41, 0x03, 0, 5, 5, 0xb1, 'u'}));
    EXPECT_EQ(device.update.ending(), UpdateEnding::None);
    device.ack(device.id, Code::Changed);
    EXPECT_EQ(device.update.ending(), UpdateEnding::Success);
    EXPECT_FALSE(device.update.wants_to_send());
}

TEST(Update, TheLastChunkIsFilledWithZeros) {
    Device device{false, 1};
    device.begin(false);
    device.take();
    Encoded padded(kChunk);
    padded[0] = 0x5a;
    EXPECT_TRUE(equal(Bytes{device.last}.subspan(13), padded));
    const std::uint32_t crc = crc_of(padded);
    EXPECT_EQ(device.last[8], crc >> 24U);
    EXPECT_EQ(device.last[11], crc & 0xffU);
}

TEST(Update, AChunkThatIsRefusedIsSentAgainAndNotForEver) {
    Device device{false};
    device.begin(false);
    for (std::size_t tries = 1; tries < kChunkTriesMax; ++tries) {
        EXPECT_EQ(device.take(), 1U);
        device.answer(device.id, Code::BadRequest);
    }
    EXPECT_EQ(device.take(), 1U);
    device.answer(device.id, Code::Changed);
    EXPECT_EQ(device.update.taken(), kChunk);
    for (std::size_t tries = 0; tries < kChunkTriesMax; ++tries) {
        EXPECT_EQ(device.take(), 1U);
        device.answer(device.id, Code::BadRequest);
    }
    EXPECT_EQ(device.update.ending(), UpdateEnding::BadChunks);
}

TEST(Update, FastHasAFewUnderWayAndSendsAnewWhatWasMissed) {
    Device device{true, kChunk * 20};
    device.begin(true);
    EXPECT_EQ(device.take(), kFastChunksMax);
    for (std::size_t i = 1; i <= 20; ++i) {
        device.ack(static_cast<std::uint16_t>(i + 1));
        device.take();
    }
    ASSERT_EQ(device.kept.size(), 22U);  // with the beginning and the end
    for (std::uint16_t i = 0; i < 20; ++i) EXPECT_EQ(device.index_of(i + 1U), i);
    device.ack(device.id, Code::BadRequest);
    EXPECT_EQ(device.take(), 0U);
    const std::uint8_t missed[] = {0, 3, 0, 19, 0, 3, 0, 77};
    device.update.on_missed(missed, device.now);
    EXPECT_EQ(device.take(), 2U);
    EXPECT_EQ(device.index_of(22), 3);
    EXPECT_EQ(device.index_of(23), 19);
    // It repeats its list while they are on their way.
    device.update.on_missed(missed, device.now);
    EXPECT_EQ(device.take(), 0U);
    device.ack(static_cast<std::uint16_t>(device.id - 1));
    device.ack(device.id);
    EXPECT_EQ(device.take(), 0U);
    device.update.on_complete();
    EXPECT_EQ(device.update.ending(), UpdateEnding::Success);
}

TEST(Update, ADeviceThatAlwaysMissesSomethingIsGivenUp) {
    Device device{true};
    device.begin(true);
    device.take();
    const std::uint8_t missed[] = {0, 0};
    for (std::size_t i = 0; i <= kMissedListsMax; ++i) {
        EXPECT_EQ(device.update.ending(), UpdateEnding::None);
        device.update.on_missed(missed, device.now);
        device.take();
        device.ack(device.id);
    }
    EXPECT_EQ(device.update.ending(), UpdateEnding::Incomplete);
}

TEST(Update, ADeviceThatCanOnlyBeSlowIsSlow) {
    Device device{true};
    device.begin(false);
    EXPECT_EQ(device.take(), 1U);
    EXPECT_EQ(device.last[12], 0xff);
    device.update.on_missed(Bytes{}, device.now);
    device.update.on_complete();
    EXPECT_EQ(device.update.ending(), UpdateEnding::None);
}

TEST(Update, EachSilenceHasItsTime) {
    Device not_ready{false};
    not_ready.take();
    not_ready.ack(not_ready.id);
    not_ready.pass(Duration{kReadyTime.ms - 1});
    EXPECT_EQ(not_ready.update.ending(), UpdateEnding::None);
    not_ready.pass(milliseconds(1));
    EXPECT_EQ(not_ready.update.ending(), UpdateEnding::Unready);

    Device silent{false};
    silent.begin(false);
    silent.take();
    silent.pass(Duration{kChunkTime.ms - 1});
    EXPECT_EQ(silent.update.ending(), UpdateEnding::None);
    silent.pass(milliseconds(1));
    EXPECT_EQ(silent.update.ending(), UpdateEnding::Silent);

    Device looking{false, 1};
    looking.begin(false);
    looking.take();
    looking.answer(looking.id, Code::Changed);
    looking.take();
    looking.pass(Duration{kVerifyTime.ms - 1});
    EXPECT_EQ(looking.update.ending(), UpdateEnding::None);
    looking.pass(milliseconds(1));
    EXPECT_EQ(looking.update.ending(), UpdateEnding::Silent);
}

TEST(Update, TheSizeOfChunksIsWhatTheDeviceSaysWithinBounds) {
    for (const auto& [said, taken] : {std::pair{std::size_t{1}, kChunkSizeMin},
                                      {std::size_t{512}, std::size_t{512}},
                                      {std::size_t{9'999}, kChunkSizeMax}}) {
        Update update{
            {.image = std::make_shared<const std::vector<std::uint8_t>>(1), .chunk_size = said}};
        const Encoded begin = update.send(1, 1, {});
        EXPECT_EQ(std::size_t{begin[9]} << 8U | begin[10], taken);
    }
}

// Every message of a device in every state, twice over: what is no answer changes nothing.
TEST(Update, EveryMessageInEveryStateComesToADefiniteEnd) {
    using Step = std::function<void(Device&)>;
    std::vector<Step> steps;
    for (const Code code : {Code::Empty, Code::Changed, Code::BadRequest, Code::Content}) {
        steps.emplace_back([code](Device& d) { d.ack(d.id, code); });
        steps.emplace_back([code](Device& d) { d.answer(d.id, code); });
        steps.emplace_back([code](Device& d) {
            const std::uint8_t fast = 1;
            d.answer(d.id, code, {&fast, 1});
        });
    }
    steps.emplace_back(
        [](Device& d) { (void)d.update.on_response({.type = Type::Reset, .id = d.id}, d.now); });
    steps.emplace_back([](Device& d) { d.ack(77); });
    steps.emplace_back([](Device& d) { d.answer(77, Code::Changed); });
    steps.emplace_back([](Device& d) {
        const std::uint8_t missed[] = {0, 0, 0, 1, 9};
        d.update.on_missed(missed, d.now);
    });
    steps.emplace_back([](Device& d) { d.update.on_complete(); });
    steps.emplace_back([](Device& d) { d.pass(milliseconds(1)); });
    steps.emplace_back([](Device& d) { d.pass(kReadyTime); });
    steps.emplace_back([](Device& d) { d.update.on_lost(); });
    const std::vector<Step> beginnings{
        [](Device&) {},                                 // nothing sent
        [](Device& d) { d.take(); },                    // UpdateBegin
        [](Device& d) { d.begin(false); },              // ready, slow
        [](Device& d) { (d.begin(false), d.take()); },  // a chunk under way
        [](Device& d) { (d.begin(true), d.take()); },   // some of them
        [](Device& d) {                                 // UpdateDone, slow
            d.begin(false);
            while (d.take() > 0 && d.update.taken() < kSize) d.answer(d.id, Code::Changed);
        },
        [](Device& d) {  // UpdateDone, fast
            (d.begin(true), d.take());
            for (std::uint16_t i = 2; i <= 4; ++i) d.ack(i);
            d.take();
        },
        [](Device& d) {  // what is missing, fast
            (d.begin(true), d.take());
            for (std::uint16_t i = 2; i <= 4; ++i) d.ack(i);
            (d.take(), d.ack(d.id, Code::BadRequest));
        },
    };
    for (std::size_t from = 0; from < beginnings.size(); ++from) {
        for (std::size_t first = 0; first < steps.size(); ++first) {
            for (std::size_t second = 0; second < steps.size(); ++second) {
                Device device{from == 4 || from >= 6};
                beginnings[from](device);
                const std::size_t before = device.update.taken();
                steps[first](device);
                EXPECT_LE(device.take(), kFastChunksMax);
                steps[second](device);
                EXPECT_LE(device.take(), kFastChunksMax);
                EXPECT_GE(device.update.taken(), before);
                EXPECT_LE(device.update.taken(), kSize);
                if (device.update.ending() == UpdateEnding::Success) {
                    EXPECT_GE(from, 5U) << "success before the end, " << from << first << second;
                }
                for (int i = 0; i < 2; ++i) device.pass(kReadyTime);
                EXPECT_NE(device.update.ending(), UpdateEnding::None);
                EXPECT_EQ(device.take(), 0U);
            }
        }
    }
}

TEST(Update, EveryEndingIsASentence) {
    for (int i = 0; i < kUpdateEndingCount; ++i)
        EXPECT_GE(to_string(static_cast<UpdateEnding>(i)).size(), 4U);
}

}  // namespace
}  // namespace sotto::cloud::particle
