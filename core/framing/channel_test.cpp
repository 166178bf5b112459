// SPDX-License-Identifier: Apache-2.0
#include "core/framing/channel.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/vectors.hpp"

namespace sotto::framing::channel {
namespace {

using Buffer = std::vector<std::uint8_t>;
using sotto::testing::from_hex;
using sotto::testing::to_hex;

const std::string kId =
    "0101010101010101"
    "01010101";
const Buffer kCoap{0x40, 0x01, 0x00, 0x02};

DeviceId device_id() {
    DeviceId id{};
    id.fill(1);
    return id;
}

std::string encoded(const Record& record) {
    Buffer out(kChannelRecordSizeMax);
    const auto bytes = encode_record(out, record);
    return bytes ? to_hex({bytes->begin(), bytes->end()}) : std::string{to_string(bytes.error())};
}

TEST(Channel, EveryRecordHasItsDocumentedBytesAndSide) {
    struct {
        Record record;
        std::string hex;
        Side sender;
    } const table[] = {
        {Send{Reference{5}, device_id(), 60, kCoap},
         "0100000005" + kId + "0000003c40010002",
         Side::App},
        {Outcome{Reference{5}, OutcomeCode::TooLarge}, "020000000506", Side::Cloud},
        {Deliver{Sequence{9}, device_id(), kCoap},
         "030000000000000009" + kId + "40010002",
         Side::Cloud},
        {Ack{Sequence{9}}, "040000000000000009", Side::App},
        {State{device_id(), true}, "05" + kId + "01", Side::Cloud},
        {Notice{Sequence{9}, device_id(), Reference{5}, Fate::Dropped},
         "060000000000000009" + kId + "0000000502",
         Side::Cloud},
        {CaughtUp{Sequence{9}}, "070000000000000009", Side::Cloud},
    };
    for (const auto& [record, hex, sender] : table) {
        EXPECT_EQ(encoded(record), hex);
        const Buffer bytes = from_hex(hex);
        const auto parsed = parse_record(bytes, sender);
        ASSERT_TRUE(parsed) << hex;
        EXPECT_EQ(encoded(*parsed), hex);
        const Side other = sender == Side::App ? Side::Cloud : Side::App;
        EXPECT_EQ(parse_record(bytes, other).error(), Error::WrongState);
        const std::size_t fixed = bytes.size() - (hex.ends_with("40010002") ? 3 : 0);
        for (std::size_t size = 0; size < fixed; ++size)
            EXPECT_EQ(parse_record(Bytes{bytes}.first(size), sender).error(), Error::Truncated);
    }
}

TEST(Channel, ParserIsStrict) {
    const std::string over(2 * (kMessageSizeMax + 1), '0');
    struct {
        std::string hex;
        Side sender;
        Error error;
    } const table[] = {
        {"0100000005" + kId + "0000003c" + over, Side::App, Error::TooLarge},
        {"020000000507", Side::Cloud, Error::Malformed},
        {"02000000050000", Side::Cloud, Error::Malformed},
        {"030000000000000009" + kId + over, Side::Cloud, Error::TooLarge},
        {"040000000000000000", Side::App, Error::Malformed},
        {"04000000000000000900", Side::App, Error::Malformed},
        {"05" + kId + "02", Side::Cloud, Error::Malformed},
        {"05" + kId + "0100", Side::Cloud, Error::Malformed},
        {"00", Side::App, Error::Unsupported},
        {"060000000000000000" + kId + "0000000502", Side::Cloud, Error::Malformed},
        {"060000000000000009" + kId + "0000000500", Side::Cloud, Error::Malformed},
        {"060000000000000009" + kId + "0000000503", Side::Cloud, Error::Malformed},
        {"060000000000000009" + kId + "000000050200", Side::Cloud, Error::Malformed},
        {"07000000000000000900", Side::Cloud, Error::Malformed},
        {"08", Side::Cloud, Error::Unsupported},
    };
    for (const auto& [hex, sender, error] : table) {
        const Buffer bytes = from_hex(hex);
        const auto record = parse_record(bytes, sender);
        ASSERT_FALSE(record) << hex;
        EXPECT_EQ(record.error(), error) << hex;
    }
}

TEST(Channel, EncoderRefusesWhatTheParserWould) {
    const Buffer large(kMessageSizeMax + 1);
    for (const Record& record : {Record{Send{}},
                                 Record{Send{{}, {}, 0, large}},
                                 Record{Deliver{}},
                                 Record{Deliver{{}, {}, large}},
                                 Record{Notice{}},
                                 Record{Ack{}}})
        EXPECT_EQ(encoded(record), "InvalidArgument");
    EXPECT_EQ(encoded(Deliver{{}, {}, Bytes{large}.first(kMessageSizeMax)}).size(),
              2 * kChannelRecordSizeMax);
    Buffer small(5);
    EXPECT_EQ(encode_record(small, Outcome{}).error(), Error::NoSpace);
}

}  // namespace
}  // namespace sotto::framing::channel
