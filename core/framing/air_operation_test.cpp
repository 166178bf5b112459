// SPDX-License-Identifier: Apache-2.0
#include "core/framing/air_operation.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/vectors.hpp"

namespace sotto::framing {
namespace {

using Buffer = std::vector<std::uint8_t>;
using testing::from_hex;

const std::string kId = "000102030405060708090a0b";

Buffer encoded(const AirOperation& operation) {
    Buffer out(kAirBytesMax);
    const auto bytes = encode_air_operation(out, operation);
    EXPECT_TRUE(bytes);
    return {bytes->begin(), bytes->end()};
}

// A text for each operation, so that what arrives can be compared.
std::string describe(const AirOperation& operation) {
    if (const auto* item = std::get_if<Write>(&operation))
        return "W" + std::string{as_text(item->value)};
    if (const auto* item = std::get_if<Notify>(&operation))
        return "N" + std::string{as_text(item->value)};
    if (const auto* item = std::get_if<Subscribe>(&operation))
        return "S" + std::to_string(item->value_size_max);
    return "A" + std::string{std::get<Advertisement>(operation).name};
}

// With room for any operation.
class Decoder : public AirDecoder {
  public:
    Decoder() : AirDecoder(room_) {}

  private:
    std::array<std::uint8_t, kAirCodeSizeMax> room_{};
};

std::vector<std::string> decode_all(AirDecoder& decoder, Bytes input) {
    std::vector<std::string> found;
    while (const auto operation = decoder.next(input)) found.push_back(describe(*operation));
    EXPECT_TRUE(input.empty());
    return found;
}

TEST(AirOperation, HasTheDocumentedBytes) {
    EXPECT_EQ(encoded(Write{as_bytes("hi")}), from_hex("06026869ddf000"));
    EXPECT_EQ(encoded(Subscribe{247}), from_hex("020404f78fa400"));
}

TEST(AirOperation, AdvertisementSurvivesTheTrip) {
    Advertisement sent{.has_owner = true, .is_busy = true, .value_size_max = 247, .name = "Lamp"};
    sent.device_id.fill(0);
    const Buffer bytes = encoded(sent);
    Decoder decoder;
    Bytes input = bytes;
    const auto operation = decoder.next(input);
    ASSERT_TRUE(operation);
    const auto& got = std::get<Advertisement>(*operation);
    EXPECT_TRUE(got.has_owner);
    EXPECT_TRUE(got.is_busy);
    EXPECT_EQ(got.device_id, sent.device_id);
    EXPECT_EQ(got.value_size_max, 247);
    EXPECT_EQ(got.name, "Lamp");
}

TEST(AirOperation, AnAdvertisementSaysWhoseServiceItIs) {
    const Buffer bytes = from_hex("010104" + kId + "0014");
    const auto operation = parse_air_operation(bytes);
    ASSERT_TRUE(operation);
    EXPECT_EQ(std::get<Advertisement>(*operation).service, Service::Bluz);
    Decoder decoder;
    const Buffer code = encoded(std::get<Advertisement>(*operation));
    Bytes input = code;
    const auto again = decoder.next(input);
    ASSERT_TRUE(again);
    EXPECT_EQ(std::get<Advertisement>(*again).service, Service::Bluz);
}

TEST(AirOperation, ParserIsStrict) {
    struct {
        std::string hex;
        Error error;
    } const table[] = {
        {"", Error::Truncated},
        {"01", Error::Truncated},
        {"0101", Error::Truncated},
        {"010200" + kId + "0014", Error::Unsupported},
        {"010108" + kId + "0014", Error::Malformed},
        {"010100" + kId.substr(2), Error::Truncated},
        {"010100" + kId + "00", Error::Truncated},
        {"010100" + kId + "0013", Error::Malformed},
        {"010100" + kId + "001400", Error::Malformed},
        {"010100" + kId + "0014ff", Error::Malformed},
        {"010100" + kId + "0014" + std::string(66, '6'), Error::TooLarge},
        {"02", Error::Truncated},
        {"02" + std::string(2 * (kValueSizeMax + 1), '0'), Error::TooLarge},
        {"03", Error::Truncated},
        {"0400", Error::Truncated},
        {"040013", Error::Malformed},
        {"04001400", Error::Malformed},
        {"00", Error::Unsupported},
        {"05", Error::Unsupported},
    };
    for (const auto& [hex, error] : table) {
        const Buffer bytes = from_hex(hex);
        const auto operation = parse_air_operation(bytes);
        ASSERT_FALSE(operation) << hex;
        EXPECT_EQ(operation.error(), error) << hex;
    }
}

TEST(AirOperation, EncoderRefusesWhatTheParserWould) {
    Buffer out(kAirBytesMax);
    const Buffer large(kValueSizeMax + 1);
    const std::string name(kNameSizeMax + 1, 'n');
    for (const AirOperation& operation : {AirOperation{Write{}},
                                          AirOperation{Notify{large}},
                                          AirOperation{Subscribe{19}},
                                          AirOperation{Advertisement{.value_size_max = 19}},
                                          AirOperation{Advertisement{.name = name}},
                                          AirOperation{Advertisement{.name = "\n"}}})
        EXPECT_EQ(encode_air_operation(out, operation).error(), Error::InvalidArgument);
    const Buffer largest(kValueSizeMax, 1);
    EXPECT_EQ(encode_air_operation(out, Write{largest})->size(), kAirBytesMax);
    EXPECT_EQ(encode_air_operation(MutBytes{out}.first(kAirBytesMax - 1), Write{largest}).error(),
              Error::NoSpace);
}

TEST(AirOperation, TheSmallerValueSizeCountsWithinTheLimits) {
    EXPECT_EQ(agreed_value_size(247, 100), 100U);
    EXPECT_EQ(agreed_value_size(100, 247), 100U);
    EXPECT_EQ(agreed_value_size(65'535, 65'535), kValueSizeMax);
    EXPECT_EQ(agreed_value_size(20, 3), kValueSizeDefault);
}

Buffer conversation() {
    Buffer bytes;
    for (const AirOperation& operation :
         {AirOperation{Subscribe{247}},
          AirOperation{Write{as_bytes(std::string_view{"\0one", 4})}},
          AirOperation{Notify{as_bytes("two")}}}) {
        const Buffer part = encoded(operation);
        bytes.insert(bytes.end(), part.begin(), part.end());
    }
    return bytes;
}

const std::vector<std::string> kConversation{"S247", std::string{"W\0one", 5}, "Ntwo"};

TEST(AirDecoder, FindsOperationsHoweverTheStreamIsCut) {
    const Buffer bytes = conversation();
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        Decoder decoder;
        auto found = decode_all(decoder, Bytes{bytes}.first(cut));
        for (auto& item : decode_all(decoder, Bytes{bytes}.subspan(cut))) found.push_back(item);
        EXPECT_EQ(found, kConversation) << cut;
        EXPECT_EQ(decoder.dropped(), 0U);
    }
}

// A flipped end (0x00 to 0x01) reads as one more 0x00, to which this CRC is blind: [AIR-24].
TEST(AirDecoder, NoFlippedBitWithinACodeChangesAnOperation) {
    const Buffer good = conversation();
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        if (good[bit / 8] == 0) continue;
        Buffer bytes = good;
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        Decoder decoder;
        std::size_t matched = 0;
        for (const auto& item : decode_all(decoder, bytes)) {
            while (matched < 3 && kConversation[matched] != item) ++matched;
            ASSERT_LT(matched, 3U) << "an operation nobody sent, bit " << bit;
        }
    }
}

TEST(AirDecoder, NoFlippedBitOutlivesTheNextEnd) {
    const Buffer good = conversation();
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        Buffer bytes = good;
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        Decoder decoder;
        decode_all(decoder, bytes);
        decode_all(decoder, Buffer{0});
        EXPECT_EQ(decode_all(decoder, good), kConversation) << bit;
    }
}

TEST(AirDecoder, DropsEndlessGarbageAndStaysUsable) {
    Decoder decoder;
    const Buffer garbage(10'000, 0x55);
    EXPECT_TRUE(decode_all(decoder, garbage).empty());
    EXPECT_TRUE(decode_all(decoder, Buffer{0, 0, 0}).empty());
    EXPECT_EQ(decoder.dropped(), 1U);
    EXPECT_EQ(decode_all(decoder, conversation()), kConversation);
}

TEST(AirDecoder, DropsWhatItHasNoRoomFor) {
    std::array<std::uint8_t, kAirBytesMax> out{};
    const Buffer value(30, 0x55);
    const Bytes code = *encode_air_operation(out, Write{value});
    for (const std::size_t size : {code.size() - 2, code.size() - 1}) {  // without its 0x00
        Buffer room(size);
        AirDecoder decoder{room};
        EXPECT_EQ(decode_all(decoder, code).size(), size == code.size() - 1 ? 1U : 0U);
        EXPECT_EQ(decoder.dropped(), size == code.size() - 1 ? 0U : 1U);
    }
}

TEST(AirDecoder, DropsCodesTooShortForAChecksum) {
    Decoder decoder;
    EXPECT_TRUE(decode_all(decoder, Buffer{1, 0, 2, 1, 0, 3, 1, 2, 0}).empty());
    EXPECT_EQ(decoder.dropped(), 3U);
}

}  // namespace
}  // namespace sotto::framing
