// SPDX-License-Identifier: Apache-2.0
#include "core/framing/frame.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/vectors.hpp"

namespace sotto::framing {
namespace {

using Buffer = std::vector<std::uint8_t>;
using testing::from_hex;
using testing::to_hex;

const std::string kId = "000102030405060708090a0b";
const std::string kHash(64, 'c');

Attach make_attach() {
    Attach attach{.has_owner = true, .address = "a.example:1"};
    for (std::uint8_t i = 0; i < kDeviceIdSize; ++i) attach.device_id[i] = i;
    attach.cloud_credential.fill(0xcc);
    return attach;
}

std::string encoded(const Frame& frame) {
    Buffer out(kFrameSizeMax);
    const auto bytes = encode_frame(out, frame);
    return bytes ? to_hex({bytes->begin(), bytes->end()}) : std::string{to_string(bytes.error())};
}

TEST(Frame, MessageKeepsItsLabelAndBytes) {
    const Buffer message{0x40, 1, 2, 3};
    EXPECT_EQ(encoded(Message{Label{0xfffe}, message}), "00fffe40010203");
    const Buffer bytes = from_hex("00000140010203");
    const auto frame = parse_frame(bytes);
    ASSERT_TRUE(frame);
    EXPECT_EQ(std::get<Message>(*frame).label, kLabelCloud);
    EXPECT_TRUE(equal(std::get<Message>(*frame).message, message));
}

TEST(Frame, AttachCarriesTheCloudOnlyWithAnAddress) {
    const std::string with = "010101" + kId + "0b612e6578616d706c653a31" + kHash;
    EXPECT_EQ(encoded(make_attach()), with);
    const Buffer bytes = from_hex(with);
    const auto frame = parse_frame(bytes);
    ASSERT_TRUE(frame);
    const Attach& attach = std::get<Attach>(*frame);
    EXPECT_TRUE(attach.has_owner);
    EXPECT_EQ(attach.device_id, make_attach().device_id);
    EXPECT_EQ(attach.address, "a.example:1");
    EXPECT_EQ(attach.cloud_credential, make_attach().cloud_credential);

    const std::string without = "010100" + kId + "00";
    EXPECT_EQ(encoded(Attach{.device_id = make_attach().device_id}), without);
    const Buffer bare = from_hex(without);
    EXPECT_FALSE(std::get<Attach>(*parse_frame(bare)).has_owner);
}

TEST(Frame, ReleaseCarriesSeconds) {
    EXPECT_EQ(encoded(Release{300}), "02012c");
    const Buffer bytes = from_hex("02ffff");
    EXPECT_EQ(std::get<Release>(*parse_frame(bytes)).seconds, 0xffff);
}

TEST(Frame, EncoderRefusesWhatTheParserWould) {
    EXPECT_EQ(encoded(Message{kLabelNearby, {}}), "InvalidArgument");
    const Buffer large(kMessageSizeMax + 1);
    EXPECT_EQ(encoded(Message{kLabelNearby, large}), "InvalidArgument");
    EXPECT_EQ(encoded(Message{kLabelNearby, Bytes{large}.first(kMessageSizeMax)}).size(),
              2 * kFrameSizeMax);
    Attach attach = make_attach();
    attach.address = "a b";
    EXPECT_EQ(encoded(attach), "InvalidArgument");
    const std::string address(kAddressSizeMax + 1, 'a');
    attach.address = address;
    EXPECT_EQ(encoded(attach), "InvalidArgument");
    attach.address = std::string_view{address}.substr(1);
    EXPECT_EQ(encoded(attach).size(), 2 * (1 + kAttachBodySizeMax));
    Buffer small(2);
    EXPECT_EQ(encode_frame(small, Release{1}).error(), Error::NoSpace);
}

struct BadFrame {
    std::string hex;
    Error error;
};

TEST(Frame, ParserIsStrict) {
    const BadFrame table[] = {
        {"", Error::Truncated},
        {"00", Error::Truncated},
        {"0000", Error::Truncated},
        {"000001", Error::Truncated},
        {"0000" + std::string(2 * (kMessageSizeMax + 2), '0'), Error::TooLarge},
        {"0101", Error::Truncated},
        {"010001" + kId + "00", Error::Unsupported},
        {"010201" + kId + "00", Error::Unsupported},
        {"010102" + kId + "00", Error::Malformed},
        {"010180" + kId + "00", Error::Malformed},
        {"010100" + kId.substr(2), Error::Truncated},
        {"010100" + kId, Error::Truncated},
        {"010100" + kId + "0000", Error::Malformed},
        {"010101" + kId + "0361", Error::Truncated},
        {"010101" + kId + "0161", Error::Truncated},
        {"010101" + kId + "0120" + kHash, Error::Malformed},
        {"010101" + kId + "010a" + kHash, Error::Malformed},
        {"010101" + kId + "0161" + kHash.substr(2), Error::Truncated},
        {"010101" + kId + "0161" + kHash + "00", Error::Malformed},
        {"02", Error::Truncated},
        {"0200", Error::Truncated},
        {"02000000", Error::Malformed},
        {"030000", Error::Unsupported},
        {"ff", Error::Unsupported},
    };
    for (const auto& [hex, error] : table) {
        const Buffer bytes = from_hex(hex);
        const auto frame = parse_frame(bytes);
        ASSERT_FALSE(frame) << hex;
        EXPECT_EQ(frame.error(), error) << hex;
    }
}

}  // namespace
}  // namespace sotto::framing
