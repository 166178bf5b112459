// SPDX-License-Identifier: Apache-2.0
#include "core/framing/uplink.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/vectors.hpp"

namespace sotto::framing::uplink {
namespace {

using Buffer = std::vector<std::uint8_t>;
using sotto::testing::from_hex;
using sotto::testing::to_hex;

const std::string kId = "000102030405060708090a0b";

std::string encoded(const Record& record) {
    Buffer out(kUplinkBytesMax);
    const auto bytes = encode_record(out, record);
    return bytes ? to_hex({bytes->begin(), bytes->end()}) : std::string{to_string(bytes.error())};
}

Attach make_attach() {
    Attach attach{.has_owner = false};
    for (std::uint8_t i = 0; i < kDeviceIdSize; ++i) attach.device_id[i] = i;
    return attach;
}

const Buffer kTwoTags = from_hex("01020304050607081112131415161718");
const Buffer kCoap{0x40, 0x01, 0x00, 0x02};

struct Sample {
    Record record;
    std::string hex;
    bool from_gateway;
    bool from_cloud;
};

std::vector<Sample> samples() {
    return {
        {Hello{"secret"},
         "0008"
         "0101"
         "736563726574",
         true,
         false},
        {Welcome{16, 30},
         "0005"
         "02"
         "0010"
         "001e",
         false,
         true},
        {Refused{Reason::Full},
         "0002"
         "03"
         "03",
         false,
         true},
        {TagsWanted{},
         "0002"
         "04"
         "01",
         true,
         false},
        {Tags{.is_first = true, .unix_seconds = 0x6b0d'1e80, .period = 2, .tags = kTwoTags},
         "001a"
         "05"
         "01"
         "6b0d1e80"
         "00000002"
         "01020304050607081112131415161718",
         false,
         true},
        {Tags{.unix_seconds = 1, .period = 2},
         "000a"
         "05"
         "00"
         "00000001"
         "00000002",
         false,
         true},
        {LinkUp{LinkId{7}, make_attach()},
         "0014"
         "10"
         "00000007"
         "0100" +
             kId + "00",
         true,
         false},
        {LinkDown{LinkId{7}},
         "0005"
         "11"
         "00000007",
         true,
         false},
        {Release{LinkId{7}, 60},
         "0007"
         "12"
         "00000007"
         "003c",
         false,
         true},
        {Message{LinkId{7}, Label{2}, kCoap},
         "000b"
         "20"
         "00000007"
         "0002"
         "40010002",
         true,
         true},
        {Credit{LinkId{7}, 8},
         "0007"
         "21"
         "00000007"
         "0008",
         true,
         true},
        {Ping{0xdeadbeef},
         "0005"
         "30"
         "deadbeef",
         true,
         true},
        {Pong{1},
         "0005"
         "31"
         "00000001",
         true,
         true},
    };
}

TEST(Uplink, EveryRecordHasItsDocumentedBytesAndSide) {
    for (const Sample& sample : samples()) {
        EXPECT_EQ(encoded(sample.record), sample.hex);
        const Buffer bytes = from_hex(sample.hex.substr(4));
        const auto gateway = parse_record(bytes, Side::Gateway);
        const auto cloud = parse_record(bytes, Side::Cloud);
        EXPECT_EQ(gateway.has_value(), sample.from_gateway) << sample.hex;
        EXPECT_EQ(cloud.has_value(), sample.from_cloud) << sample.hex;
        const auto& parsed = gateway ? gateway : cloud;
        ASSERT_TRUE(parsed) << sample.hex;
        EXPECT_EQ(encoded(*parsed), sample.hex);
        if (gateway && cloud) continue;
        EXPECT_EQ((gateway ? cloud : gateway).error(), Error::WrongState);
    }
}

TEST(Uplink, NoRecordSurvivesTruncation) {
    for (const Sample& sample : samples()) {
        const Buffer bytes = from_hex(sample.hex.substr(4));
        const bool is_tags = std::holds_alternative<Tags>(sample.record);
        const bool has_tail = std::holds_alternative<Hello>(sample.record) ||
                              std::holds_alternative<Message>(sample.record) || is_tags;
        const std::size_t fixed = is_tags                                        ? 10
                                  : std::holds_alternative<Hello>(sample.record) ? 3
                                                                                 : 8;
        for (std::size_t size = 0; size < (has_tail ? fixed : bytes.size()); ++size) {
            EXPECT_FALSE(parse_record(Bytes{bytes}.first(size), Side::Gateway)) << sample.hex;
            EXPECT_FALSE(parse_record(Bytes{bytes}.first(size), Side::Cloud)) << sample.hex;
        }
        Buffer longer = bytes;
        longer.push_back(0);
        if (std::holds_alternative<Message>(sample.record)) continue;
        EXPECT_FALSE(parse_record(longer, Side::Gateway)) << sample.hex;
        EXPECT_FALSE(parse_record(longer, Side::Cloud)) << sample.hex;
    }
}

TEST(Uplink, ParserIsStrict) {
    struct {
        std::string hex;
        Side sender;
        Error error;
    } const table[] = {
        {"", Side::Gateway, Error::Truncated},
        {"00", Side::Gateway, Error::Unsupported},
        {"ff", Side::Cloud, Error::Unsupported},
        {"010261", Side::Gateway, Error::Unsupported},
        {"010120", Side::Gateway, Error::Malformed},
        {"0101" + std::string(2 * (kTokenSizeMax + 1), '6'), Side::Gateway, Error::TooLarge},
        {"020000001e", Side::Cloud, Error::Malformed},
        {"0200100000", Side::Cloud, Error::Malformed},
        {"020101001e", Side::Cloud, Error::Malformed},
        {"200000000700004001", Side::Cloud, Error::Malformed},
        {"0300", Side::Cloud, Error::Malformed},
        {"0304", Side::Cloud, Error::Malformed},
        {"1000000007"
         "0102" +
             kId + "00",
         Side::Gateway,
         Error::Malformed},
        {"20000000070002" + std::string(2 * (kMessageSizeMax + 1), '0'),
         Side::Cloud,
         Error::TooLarge},
        {"21000000070000", Side::Cloud, Error::Malformed},
        {"0402", Side::Gateway, Error::Unsupported},
        {"040100", Side::Gateway, Error::Malformed},
        {"0401", Side::Cloud, Error::WrongState},
        {"05020000000100000002", Side::Cloud, Error::Malformed},
        {"050000000001000000", Side::Cloud, Error::Truncated},
        {"0500000000010000000201020304050607", Side::Cloud, Error::Truncated},
        {"05000000000100000002", Side::Gateway, Error::WrongState},
        {"05000000000100000002" + std::string(16 * (kTagsPerRecordMax + 1), '0'),
         Side::Cloud,
         Error::TooLarge},
    };
    for (const auto& [hex, sender, error] : table) {
        const Buffer bytes = from_hex(hex);
        const auto record = parse_record(bytes, sender);
        ASSERT_FALSE(record) << hex;
        EXPECT_EQ(record.error(), error) << hex;
    }
}

TEST(Uplink, EncoderRefusesWhatTheParserWould) {
    const std::string token(kTokenSizeMax + 1, 't');
    const Buffer large(kMessageSizeMax + 1);
    const Buffer many_tags(kDeviceTagSize * (kTagsPerRecordMax + 1));
    for (const Record& record : {Record{Hello{}},
                                 Record{Hello{token}},
                                 Record{Hello{"a b"}},
                                 Record{Welcome{0, 1}},
                                 Record{Welcome{1, 0}},
                                 Record{Message{}},
                                 Record{Message{{}, Label{1}, large}},
                                 Record{Message{{}, {}, kCoap}},
                                 Record{Welcome{kUplinkCreditMax + 1, 1}},
                                 Record{Credit{LinkId{1}, 0}},
                                 Record{Tags{.tags = Bytes{kTwoTags}.first(9)}},
                                 Record{Tags{.tags = many_tags}},
                                 Record{LinkUp{{}, Attach{.address = "\n"}}}})
        EXPECT_EQ(encoded(record), "InvalidArgument");
    Buffer small(8);
    EXPECT_EQ(encode_record(small, Credit{LinkId{1}, 1}).error(), Error::NoSpace);
    EXPECT_EQ(encode_record(MutBytes{small}.first(1), Ping{}).error(), Error::NoSpace);
}

TEST(Splitter, FindsRecordsHoweverTheStreamIsCut) {
    Buffer stream;
    std::vector<std::string> expected;
    for (const Sample& sample : samples()) {
        const Buffer bytes = from_hex(sample.hex);
        stream.insert(stream.end(), bytes.begin(), bytes.end());
        expected.push_back(sample.hex.substr(4));
    }
    for (std::size_t step = 1; step <= stream.size(); ++step) {
        Splitter splitter;
        std::vector<std::string> found;
        for (std::size_t at = 0; at < stream.size(); at += step) {
            Bytes input = Bytes{stream}.subspan(at, std::min(step, stream.size() - at));
            while (true) {
                const auto record = splitter.next(input);
                ASSERT_TRUE(record);
                if (!*record) break;
                found.push_back(to_hex({(*record)->begin(), (*record)->end()}));
            }
            EXPECT_TRUE(input.empty());
        }
        EXPECT_EQ(found, expected) << step;
    }
}

TEST(Splitter, TakesTheLargestRecordAndRefusesALargerOneForGood) {
    Splitter splitter;
    Buffer stream(2 + kUplinkRecordSizeMax, 0xaa);
    stream[0] = kUplinkRecordSizeMax >> 8;
    stream[1] = kUplinkRecordSizeMax & 0xff;
    Bytes input = stream;
    EXPECT_EQ((**splitter.next(input)).size(), kUplinkRecordSizeMax);
    for (const Buffer& bad : {Buffer{0, 0}, Buffer{0x08, 0x01}, Buffer{0xff, 0xff}}) {
        Splitter fresh;
        input = bad;
        EXPECT_EQ(fresh.next(input).error(), Error::Malformed);
        input = stream;
        EXPECT_EQ(fresh.next(input).error(), Error::Malformed);
    }
}

}  // namespace
}  // namespace sotto::framing::uplink
