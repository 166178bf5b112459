// SPDX-License-Identifier: Apache-2.0
#include "air/virtual/halves.hpp"

#include <numeric>
#include <string>

#include <gtest/gtest.h>

namespace sotto::air {
namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer make_frame(std::size_t size) {
    Buffer frame(size);
    std::iota(frame.begin(), frame.end(), std::uint8_t{0});
    return frame;
}

Buffer advertisement_bytes(std::uint16_t value_size_max) {
    Buffer bytes;
    EXPECT_TRUE(PeripheralHalf::append_advertisement(
        bytes, {.has_owner = true, .value_size_max = value_size_max, .name = "Lamp"}));
    return bytes;
}

template <class Half>
std::vector<Buffer> frames(Half& half, Bytes input) {
    std::vector<Buffer> found;
    while (const auto event = half.next(input)) {
        if (const auto* received = std::get_if<FrameReceived>(&*event))
            found.emplace_back(received->frame.begin(), received->frame.end());
    }
    return found;
}

// Both ends of a connection on which the central has subscribed.
struct Pair {
    explicit Pair(std::size_t device_size = 20, std::size_t central_size = 20)
        : peripheral(device_size), central(central_size) {
        const Buffer bytes = advertisement_bytes(static_cast<std::uint16_t>(device_size));
        Bytes input = bytes;
        EXPECT_TRUE(central.next(input));
        Buffer subscribe;
        central.append_subscribe(subscribe);
        input = subscribe;
        const auto event = peripheral.next(input);
        EXPECT_TRUE(event && std::holds_alternative<PeripheralHalf::Subscribed>(*event));
    }
    PeripheralHalf peripheral;
    CentralHalf central;
};

TEST(Halves, CarryFramesBothWaysAtEveryValueSize) {
    for (const auto& [device, central] : {std::pair<std::size_t, std::size_t>{20, 20},
                                          {247, 20},
                                          {20, 247},
                                          {247, 247},
                                          {512, 512}}) {
        Pair pair{device, central};
        for (const std::size_t size : {1U, 19U, 20U, 500U, 1'280U}) {
            const Buffer frame = make_frame(size);
            Buffer bytes;
            ASSERT_TRUE(pair.central.append_frame(bytes, frame));
            EXPECT_EQ(frames(pair.peripheral, bytes), std::vector<Buffer>{frame});
            bytes.clear();
            ASSERT_TRUE(pair.peripheral.append_frame(bytes, frame));
            EXPECT_EQ(frames(pair.central, bytes), std::vector<Buffer>{frame});
        }
    }
}

TEST(Halves, UseTheSmallerValueSize) {
    Pair pair{247, 100};
    Buffer bytes;
    ASSERT_TRUE(pair.peripheral.append_frame(bytes, make_frame(199)));
    // Three values of 100, 100 and 2 bytes, each with operation, CRC, COBS and end.
    EXPECT_EQ(bytes.size(), 100U + 100U + 2U + 3U * 5U);
}

TEST(Halves, RefuseFramesBeforeTheSubscription) {
    PeripheralHalf peripheral{20};
    CentralHalf central{20};
    Buffer bytes;
    EXPECT_EQ(peripheral.append_frame(bytes, make_frame(1)).error(), Error::WrongState);
    EXPECT_EQ(central.append_frame(bytes, make_frame(1)).error(), Error::WrongState);
    EXPECT_TRUE(bytes.empty());
}

TEST(Halves, RefuseWhatIsNoFrame) {
    Pair pair;
    Buffer bytes;
    EXPECT_EQ(pair.central.append_frame(bytes, {}).error(), Error::InvalidArgument);
    EXPECT_EQ(pair.central.append_frame(bytes, make_frame(1'281)).error(), Error::TooLarge);
    EXPECT_TRUE(bytes.empty());
}

TEST(PeripheralHalf, IgnoresWritesBeforeTheSubscriptionAndASecondSubscription) {
    Pair source;
    Buffer write;
    ASSERT_TRUE(source.central.append_frame(write, make_frame(5)));
    PeripheralHalf peripheral{20};
    EXPECT_TRUE(frames(peripheral, write).empty());
    std::array<std::uint8_t, framing::kAirBytesMax> buffer{};
    const Bytes subscribe = *framing::encode_air_operation(buffer, framing::Subscribe{20});
    Bytes input = subscribe;
    EXPECT_TRUE(peripheral.next(input));
    input = subscribe;
    EXPECT_FALSE(peripheral.next(input));
    EXPECT_EQ(frames(peripheral, write).size(), 1U);
}

TEST(CentralHalf, TakesTheAdvertisementOnceAndAfterAnyGarbage) {
    CentralHalf central{20};
    Buffer bytes(3'000, 0x7f);
    bytes.push_back(0);
    const Buffer good = advertisement_bytes(20);
    bytes.insert(bytes.end(), good.begin(), good.end());
    Bytes input = bytes;
    const auto event = central.next(input);
    ASSERT_TRUE(event);
    EXPECT_EQ(std::get<CentralHalf::Advertised>(*event).advertisement.name, "Lamp");
    input = good;
    EXPECT_FALSE(central.next(input));
}

TEST(Halves, IgnoreOperationsOfTheirOwnSide) {
    Pair pair;
    Buffer write;
    ASSERT_TRUE(pair.central.append_frame(write, make_frame(5)));
    EXPECT_TRUE(frames(pair.central, write).empty());
    Buffer notify;
    ASSERT_TRUE(pair.peripheral.append_frame(notify, make_frame(5)));
    EXPECT_TRUE(frames(pair.peripheral, notify).empty());
}

TEST(Halves, CarryValuesOfTheBluzServiceAsTheyAre) {
    PeripheralHalf peripheral{20, framing::Service::Bluz};
    CentralHalf central{247};
    Buffer bytes;
    EXPECT_TRUE(PeripheralHalf::append_advertisement(
        bytes, {.name = "Bluz DK", .service = framing::Service::Bluz}));
    Bytes input = bytes;
    ASSERT_TRUE(central.next(input));
    EXPECT_EQ(central.append_value(bytes, make_frame(2)).error(), Error::WrongState);
    bytes.clear();
    central.append_subscribe(bytes);
    input = bytes;
    ASSERT_TRUE(peripheral.next(input));
    const auto value_of = [](auto& half, Bytes from) {
        const auto event = half.next(from);
        const auto* received = event ? std::get_if<ValueReceived>(&*event) : nullptr;
        return received == nullptr ? Buffer{}
                                   : Buffer(received->value.begin(), received->value.end());
    };
    for (const Buffer& value : {Buffer{0x03, 0x04}, Buffer{0x00}, make_frame(20)}) {
        bytes.clear();
        ASSERT_TRUE(central.append_value(bytes, value));
        EXPECT_EQ(value_of(peripheral, bytes), value);
        bytes.clear();
        ASSERT_TRUE(peripheral.append_value(bytes, value));
        EXPECT_EQ(value_of(central, bytes), value);
    }
    EXPECT_EQ(central.append_value(bytes, {}).error(), Error::InvalidArgument);
    EXPECT_EQ(central.append_frame(bytes, make_frame(1)).error(), Error::WrongState);
    EXPECT_EQ(peripheral.append_frame(bytes, make_frame(1)).error(), Error::WrongState);
    Pair ours;
    EXPECT_EQ(ours.central.append_value(bytes, make_frame(1)).error(), Error::WrongState);
    EXPECT_EQ(ours.peripheral.append_value(bytes, make_frame(1)).error(), Error::WrongState);
}

TEST(Halves, GarbageBetweenFramesCostsAtMostTheFrameItHits) {
    const Buffer frame = make_frame(60);
    Pair clean;
    Buffer one;
    ASSERT_TRUE(clean.central.append_frame(one, frame));
    for (std::size_t at = 0; at <= one.size(); ++at) {
        Pair pair;
        Buffer first;
        Buffer second;
        ASSERT_TRUE(pair.central.append_frame(first, frame));
        ASSERT_TRUE(pair.central.append_frame(second, frame));
        first.insert(first.begin() + static_cast<std::ptrdiff_t>(at), {0x13, 0x00, 0xff});
        const auto hit = frames(pair.peripheral, first);
        for (const Buffer& found : hit) EXPECT_EQ(found, frame);
        second.insert(second.begin(), 0);
        EXPECT_EQ(frames(pair.peripheral, second), std::vector<Buffer>{frame}) << at;
    }
}

}  // namespace
}  // namespace sotto::air
