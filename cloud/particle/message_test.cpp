// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/message.hpp"

#include <gtest/gtest.h>

#include "testing/vectors.hpp"

namespace sotto::cloud::particle {
namespace {

constexpr std::uint16_t kId = 0x1234;
constexpr std::uint8_t kToken = 0x7a;

Encoded encode(const testing::Vector& vector) {
    const std::string& kind = vector.text("kind");
    if (kind == "describe") return encode_describe(kId, kToken);
    if (kind == "call")
        return encode_call(kId, kToken, vector.text("name"), vector.text("argument"));
    if (kind == "read") return encode_read(kId, kToken, vector.text("name"));
    if (kind == "signal") return encode_signal(kId, kToken, true);
    if (kind == "hello") return encode_hello(kId);
    if (kind == "ping") return encode_ping(kId);
    if (kind == "ack") {
        const auto ack = encode_ack(kId);
        return {ack.begin(), ack.end()};
    }
    if (kind == "time")
        return encode_time(kId, {&kToken, 1}, static_cast<std::uint32_t>(vector.number("seconds")));
    EXPECT_EQ(kind, "event");
    return encode_event(kId,
                        {.name = vector.text("name"),
                         .data = vector.text("argument"),
                         .ttl_s = static_cast<std::uint32_t>(vector.number("ttl")),
                         .is_public = true});
}

TEST(ParticleMessage, IsWrittenAsTheOldestDevicesReadIt) {
    for (const auto& vector : testing::load_vectors("particle/messages.txt"))
        EXPECT_EQ(testing::to_hex(encode(vector)), testing::to_hex(vector.bytes("bytes")))
            << vector.text("kind");
}

TEST(ParticleMessage, OfADeviceIsRead) {
    const auto bytes =
        testing::from_hex("5002a1b6b1650d056d6f74696f6e2f66726f6e742d646f6f723133000e10ff6f70656e");
    const auto message = parse_message(bytes);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->type, Type::NonConfirmable);
    EXPECT_EQ(message->code, Code::Post);
    EXPECT_EQ(message->id, 0xa1b6);
    EXPECT_EQ(message->topic(), 'e');
    EXPECT_EQ(message->name(), "motion/front-door1");
    EXPECT_EQ(message->max_age, 3'600U);
    EXPECT_EQ(as_text(message->payload), "open");
    EXPECT_TRUE(message->is_request());
}

TEST(ParticleMessage, SegmentsAreJoinedAndQueriesKept) {
    const auto bytes = testing::from_hex("40010007b1650161016241 75 ff 6231");
    const auto message = parse_message(bytes);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->name(), "a/b");
    ASSERT_EQ(message->query.size(), 1U);
    EXPECT_EQ(as_text(message->query[0]), "u");
}

TEST(ParticleMessage, MayHaveNothingBehindThePayloadMarker) {
    const auto bytes = testing::from_hex("614512347aff");
    const auto message = parse_message(bytes);
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->payload.empty());
    EXPECT_TRUE(message->is_success());
}

TEST(ParticleMessage, EndsBeforeItsFormatDoesOrBreaksIt) {
    for (const auto& [hex, error] : {std::pair{"", Error::Truncated},
                                     {"40", Error::Truncated},
                                     {"400000", Error::Truncated},
                                     {"41000001", Error::Truncated},
                                     {"80000001", Error::Malformed},
                                     {"00000001", Error::Malformed},
                                     {"4900000101020304050607080910", Error::Malformed},
                                     {"40010001b265", Error::Truncated},
                                     {"40010001f1", Error::Malformed},
                                     {"400100011f", Error::Malformed},
                                     {"40010001d1", Error::Truncated},
                                     {"40010001e100", Error::Truncated},
                                     {"40010001e50000", Error::Truncated}}) {
        const auto message = parse_message(testing::from_hex(hex));
        ASSERT_FALSE(message) << hex;
        EXPECT_EQ(message.error(), error) << hex;
    }
}

TEST(ParticleMessage, AnOptionThatIsNotKnownIsPassedOver) {
    const auto bytes = testing::from_hex("40020001b165e5010201020304050161");
    EXPECT_TRUE(parse_message(bytes));
}

TEST(ParticleMessage, HasABoundedNumberOfOptions) {
    const auto with_options = [](std::size_t count) {
        std::vector<std::uint8_t> bytes{0x40, 1, 0, 1, 0xb1, 'e'};
        for (std::size_t i = 1; i < count; ++i) bytes.insert(bytes.end(), {0x01, 'x'});
        return parse_message(bytes);
    };
    EXPECT_TRUE(with_options(kOptionCountMax));
    EXPECT_EQ(with_options(kOptionCountMax + 1).error(), Error::TooLarge);
}

TEST(ParticleMessage, ANumberInAnOptionHasFourBytesAtMost) {
    EXPECT_TRUE(parse_message(testing::from_hex("40020001b165340000003c")));
    EXPECT_EQ(parse_message(testing::from_hex("40020001b16535000000003c")).error(),
              Error::Malformed);
}

}  // namespace
}  // namespace sotto::cloud::particle
