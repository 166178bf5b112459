// SPDX-License-Identifier: Apache-2.0
// Updates of strict devices, each of them from its session on.
#include "cloud/particle/update.hpp"

#include <gtest/gtest.h>

#include "tests/particle/pair.hpp"

namespace sotto::tests {
namespace {

using testing::Firmware;

Image make_image(std::size_t size) {
    auto image = std::make_shared<std::vector<std::uint8_t>>(size);
    for (std::size_t i = 0; i < size; ++i)
        (*image)[i] = static_cast<std::uint8_t>(i * 7 + (i >> 9U));
    return image;
}

std::optional<UpdateEnding> ending_of(const Pair& pair) {
    const auto ends = pair.events_of<Updated>();
    EXPECT_LE(ends.size(), 1U);
    return ends.empty() ? std::nullopt : std::optional{ends.front().ending};
}

void expect_installed(const Pair& pair, const Image& image) {
    ASSERT_GE(pair.device.installed().size(), image->size());
    EXPECT_TRUE(equal(Bytes{pair.device.installed()}.first(image->size()), *image));
    EXPECT_EQ(pair.device.trouble(), "restart");
}

TEST(ParticleUpdate, ReachesEveryFirmwareInItsOwnWay) {
    for (const Firmware firmware : {Firmware::Bluz, Firmware::System06, Firmware::System6}) {
        for (const std::size_t size : {1, 512, 513, 40'000, 118'784}) {
            Pair pair{firmware, firmware == Firmware::Bluz ? std::uint16_t{103} : std::uint16_t{6}};
            pair.connect();
            const Image image = make_image(size);
            EXPECT_TRUE(pair.session->update(image, pair.now));
            pair.settle();
            EXPECT_EQ(ending_of(pair), UpdateEnding::Success);
            expect_installed(pair, image);
            EXPECT_EQ(pair.device.chunk_count(), (size + 511) / 512);
            const auto steps = pair.events_of<Updating>();
            ASSERT_GE(steps.size(), 2U);
            EXPECT_LE(steps.size(), kUpdateSteps + 1);
            EXPECT_EQ(steps.front().taken, 0U);
            EXPECT_EQ(steps.back().taken, size);
            EXPECT_EQ(image.use_count(), 1);
        }
    }
}

TEST(ParticleUpdate, SendsAnewWhatADeviceFoundGarbled) {
    Pair pair;
    pair.connect();
    pair.device.spoils = 3;
    const Image image = make_image(5'000);
    EXPECT_TRUE(pair.session->update(image, pair.now));
    pair.settle();
    EXPECT_EQ(ending_of(pair), UpdateEnding::Success);
    expect_installed(pair, image);
    EXPECT_EQ(pair.device.chunk_count(), 13U);
}

TEST(ParticleUpdate, SendsAnewWhatAFastDeviceHasMissed) {
    Pair pair{Firmware::System06, 6};
    pair.connect();
    pair.device.misses = {0, 5, 5, 77};
    for (std::uint16_t i = 100; i < 180; ++i) pair.device.misses.push_back(i);
    const Image image = make_image(118'784);
    EXPECT_TRUE(pair.session->update(image, pair.now));
    for (int i = 0; i < 5; ++i) {
        pair.settle();
        pair.device.pass(3'000);
    }
    EXPECT_EQ(ending_of(pair), UpdateEnding::Success);
    expect_installed(pair, image);
}

TEST(ParticleUpdate, ThatADeviceDoesNotWantLeavesItAsItWas) {
    Pair pair;
    pair.connect();
    pair.device.refuses_updates = true;
    EXPECT_TRUE(pair.session->update(make_image(500), pair.now));
    pair.settle();
    EXPECT_EQ(ending_of(pair), UpdateEnding::Refused);
    EXPECT_EQ(std::get<std::int32_t>(*pair.ask(pair.session->call("brew", "coffee", pair.now))), 1);
}

TEST(ParticleUpdate, ThatFailsInTheMiddleEndsTheConnection) {
    Pair pair;
    pair.connect();
    pair.device.spoils = 100;
    EXPECT_TRUE(pair.session->update(make_image(5'000), pair.now));
    pair.settle();
    EXPECT_EQ(ending_of(pair), UpdateEnding::BadChunks);
    EXPECT_EQ(pair.session->ending(), Ending::UpdateFailed);
    EXPECT_EQ(to_string(Ending::UpdateFailed), "update-failed");
}

TEST(ParticleUpdate, OfADeviceThatVanishesIsSaidToBeLost) {
    Pair pair;
    pair.connect();
    pair.device.is_deaf = true;
    EXPECT_TRUE(pair.session->update(make_image(5'000), pair.now));
    pair.settle();
    EXPECT_FALSE(ending_of(pair));
    pair.session->close();
    pair.settle();
    EXPECT_EQ(ending_of(pair), UpdateEnding::Lost);
}

TEST(ParticleUpdate, OfADeviceThatFallsSilentEndsInTime) {
    Pair pair;
    pair.connect();
    pair.device.is_deaf = true;
    EXPECT_TRUE(pair.session->update(make_image(5'000), pair.now));
    EXPECT_EQ(pair.session->next_deadline(), pair.now + kReadyTime);
    pair.now = pair.now + kReadyTime;
    pair.session->on_time(pair.now);
    pair.settle();
    EXPECT_EQ(ending_of(pair), UpdateEnding::Unready);
    EXPECT_EQ(pair.session->ending(), Ending::UpdateFailed);
}

TEST(ParticleUpdate, CallsInTheMiddleOfItAreRefusedAtOnceAndEventsWait) {
    Pair pair;
    pair.connect();
    const auto before = pair.session->call("brew", "coffee", pair.now);
    EXPECT_TRUE(pair.session->update(make_image(5'000), pair.now));
    EXPECT_EQ(pair.session->call("brew", "coffee", pair.now).error(), Error::Busy);
    EXPECT_EQ(pair.session->read("temp", pair.now).error(), Error::Busy);
    EXPECT_EQ(pair.session->signal(true, pair.now).error(), Error::Busy);
    EXPECT_EQ(pair.session->ping(pair.now).error(), Error::Busy);
    EXPECT_EQ(pair.session->update(make_image(1), pair.now).error(), Error::Busy);
    EXPECT_TRUE(pair.session->publish({.name = "n", .data = "d"}, pair.now));
    pair.settle();
    // What was asked before is answered before.
    EXPECT_EQ(std::get<std::int32_t>(**pair.answer_to(*before)), 1);
    EXPECT_EQ(ending_of(pair), UpdateEnding::Success);
    EXPECT_TRUE(pair.device.events().empty());
    EXPECT_EQ(pair.session->call("brew", "coffee", pair.now).error(), Error::Busy);
}

TEST(ParticleUpdate, ADeviceThatDoesNotRestartIsSpokenToAgain) {
    Pair pair;
    pair.connect();
    EXPECT_TRUE(pair.session->update(make_image(500), pair.now));
    pair.settle();
    EXPECT_TRUE(pair.session->is_updating());
    EXPECT_EQ(pair.session->next_deadline(), pair.now + kRestartTime);
    pair.now = pair.now + kRestartTime;
    pair.session->on_time(pair.now);
    EXPECT_FALSE(pair.session->is_updating());
    EXPECT_TRUE(pair.session->call("brew", "coffee", pair.now));
}

TEST(ParticleUpdate, OfMoreThanTheDeviceHasRoomForIsRefusedBeforeItBegins) {
    Pair pair;
    pair.connect();  // it says 118784
    EXPECT_EQ(pair.session->update(make_image(118'785), pair.now).error(), Error::TooLarge);
    EXPECT_EQ(pair.session->update(nullptr, pair.now).error(), Error::InvalidArgument);
    pair.session->close();
    EXPECT_EQ(pair.session->update(make_image(1), pair.now).error(), Error::WrongState);
}

TEST(ParticleUpdate, WaitsUntilEventsBeforeItAreThrough) {
    Pair pair;
    pair.connect();
    for (int i = 0; i < 8; ++i)
        EXPECT_TRUE(pair.session->publish({.name = "n", .data = std::string(200, 'd')}, pair.now));
    const Image image = make_image(2'000);
    EXPECT_TRUE(pair.session->update(image, pair.now));
    pair.settle();
    EXPECT_EQ(ending_of(pair), UpdateEnding::Success);
    expect_installed(pair, image);
}

}  // namespace
}  // namespace sotto::tests
