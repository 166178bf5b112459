// SPDX-License-Identifier: Apache-2.0
#include "core/coap/message.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/vectors.hpp"

namespace sotto::coap {
namespace {

using Buffer = std::vector<std::uint8_t>;
using testing::from_hex;
using testing::to_hex;

std::string hex(Bytes bytes) { return to_hex({bytes.begin(), bytes.end()}); }

std::string listed(const Options& options) {
    std::string list;
    for (const Option& option : options) {
        if (!list.empty()) list += ' ';
        list += std::to_string(value_of(option.number)) + '=' + hex(option.value);
    }
    return list;
}

std::string rewritten(const Message& message) {
    Buffer buffer(2'048);
    MessageWriter out{buffer, message.header};
    for (const Option& option : message.options) out.options().add(option.number, option.value);
    return hex(*out.payload(message.payload).finish());
}

TEST(Message, VectorsOfOthersAreReadAndWritten) {
    for (const auto& vector : testing::load_vectors("coap/messages.txt")) {
        const Buffer bytes = vector.bytes("message");
        const auto message = parse_message(bytes);
        ASSERT_TRUE(message) << vector.text("message");
        EXPECT_EQ(static_cast<unsigned>(message->header.type), vector.number("type"));
        EXPECT_EQ(static_cast<std::uint8_t>(message->header.code), vector.bytes("code")[0]);
        EXPECT_EQ(message->header.id, vector.number("id"));
        EXPECT_EQ(hex(message->header.token), vector.text("token"));
        EXPECT_EQ(listed(message->options), vector.text("options"));
        EXPECT_EQ(hex(message->payload), vector.text("payload"));
        EXPECT_EQ(rewritten(*message), vector.text("message"));
    }
}

struct BadMessage {
    std::string hex;
    Error error;
    std::string rejection;  // the Reset that answers it; empty: silence
};

TEST(Message, ParserIsStrictAndTellsHowToReject) {
    const BadMessage table[] = {
        {"", Error::Truncated, ""},
        {"40", Error::Truncated, ""},
        {"400112", Error::Truncated, ""},
        {"0001123400", Error::Malformed, ""},        // version 0
        {"80011234", Error::Malformed, ""},          // version 2
        {"c0011234", Error::Malformed, ""},          // version 3
        {"48011234", Error::Truncated, "70001234"},  // token of 8
        {"4801123401020304050607", Error::Truncated, "70001234"},
        {"49011234010203040506070809", Error::Malformed, "70001234"},  // reserved token lengths
        {"4f011234", Error::Malformed, "70001234"},
        {"40011234ff", Error::Malformed, "70001234"},  // marker without payload
        {"400112340f", Error::Malformed, "70001234"},  // reserved size
        {"40011234f0", Error::Malformed, "70001234"},  // reserved delta
        {"40011234d0", Error::Truncated, "70001234"},  // extended delta
        {"40011234e001", Error::Truncated, "70001234"},
        {"400112340d", Error::Truncated, "70001234"},  // extended size
        {"400112340e01", Error::Truncated, "70001234"},
        {"40011234b3616263ff", Error::Malformed, "70001234"},
        {"40011234b4616263", Error::Truncated, "70001234"},  // value
        {"40011234e0fef3", Error::Malformed, "70001234"},    // number 65,536
        {"40011234e0fef210", Error::Malformed, "70001234"},  // number 65,535, and one more
        {"41001234aa", Error::Malformed, "70001234"},        // Empty with a token
        {"4000123400", Error::Malformed, "70001234"},        // Empty with an option
        {"40001234ff01", Error::Malformed, "70001234"},      // Empty with a payload
        {"40201234", Error::Malformed, "70001234"},          // reserved classes
        {"40c01234", Error::Malformed, "70001234"},
        {"40ff1234", Error::Malformed, "70001234"},
        {"50001234", Error::Malformed, ""},  // Non-confirmable and Empty
        {"50c01234", Error::Malformed, ""},
        {"60011234", Error::Malformed, ""},  // a request in an Acknowledgement
        {"70451234", Error::Malformed, ""},  // a Reset that is not Empty
        {"70011234", Error::Malformed, ""},
    };
    for (const auto& [bytes, error, rejection] : table) {
        const Buffer message = from_hex(bytes);
        const auto parsed = parse_message(message);
        ASSERT_FALSE(parsed) << bytes;
        EXPECT_EQ(parsed.error(), error) << bytes;
        const auto reset = rejection_of(message);
        EXPECT_EQ(reset ? hex(*reset) : "", rejection) << bytes;
    }
}

TEST(Message, EmptyMessages) {
    EXPECT_EQ(hex(empty_message(Type::Reset, 0xabcd)), "7000abcd");
    EXPECT_EQ(hex(empty_message(Type::Acknowledgement, 1)), "60000001");
    for (const std::string ok : {"40001234", "60001234", "70001234"}) {
        const Buffer bytes = from_hex(ok);
        EXPECT_EQ(parse_message(bytes)->header.code, Code::Empty) << ok;
    }
    EXPECT_EQ(rejection_of(from_hex("40001234")),
              (EmptyMessage{0x70, 0x00, 0x12, 0x34}));  // a ping
    EXPECT_FALSE(rejection_of(from_hex("60001234")));
    EXPECT_FALSE(rejection_of(from_hex("70001234")));
}

TEST(Message, ARequestThatIsTooLargeIsRefusedByItsFront) {
    std::array<std::uint8_t, 12> out{};
    // POST, Confirmable, token of two bytes; the rest is missing.
    const Bytes refusal = refuse_too_large(from_hex("42021234abcdb3"), out);
    EXPECT_EQ(hex(refusal), "628d1234abcd");
    for (const char* front : {"52021234abcdb3",  // Non-confirmable
                              "42451234abcdb3",  // a response
                              "40001234",        // a ping
                              "42021234",        // without its token
                              "42021234ab",
                              "4902123400112233445566778899",
                              ""}) {
        EXPECT_TRUE(refuse_too_large(from_hex(front), out).empty()) << front;
    }
}

TEST(Message, EveryTruncationIsAnErrorOrAShorterMessage) {
    const Buffer whole =
        from_hex("48034c0e313233343536373972ad884166036c6564113c33613d3103623d32ff68656c6c6f");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const Buffer part{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)};
        const auto message = parse_message(part);
        if (!message) continue;
        EXPECT_EQ(rewritten(*message), hex(part)) << size;
    }
}

TEST(Message, TheBodyOfAMessageStandsAlone) {
    Buffer buffer(64);
    MessageWriter out{buffer, Code::Content};
    out.options().add_uint(kContentFormat, 60);
    const Bytes bytes = *out.payload(as_bytes("x")).finish();
    EXPECT_EQ(hex(bytes), "45c13cff78");
    const auto body = parse_body(bytes);
    ASSERT_TRUE(body);
    EXPECT_EQ(body->code, Code::Content);
    EXPECT_EQ(body->options.find_uint(kContentFormat), 60U);
    EXPECT_EQ(as_text(body->payload), "x");
    EXPECT_EQ(parse_body({}).error(), Error::Truncated);
    EXPECT_EQ(parse_body(from_hex("45ff")).error(), Error::Malformed);
}

TEST(Message, OptionsAreFoundByNumber) {
    const Buffer bytes = from_hex("6012ad884166036c6564450102030405");
    const Options options = *Options::parse(bytes);
    EXPECT_EQ(options.find_uint(kObserve), 0U);
    EXPECT_EQ(options.find_uint(kUriPort), 0xad88U);
    EXPECT_EQ(options.find_text(kUriPath, 0), "f");
    EXPECT_EQ(options.find_text(kUriPath, 1), "led");
    EXPECT_EQ(options.find_text(kUriPath, 2), std::nullopt);
    EXPECT_EQ(options.count(kUriPath), 2U);
    EXPECT_FALSE(options.find(kEcho));
    EXPECT_FALSE(options.find_uint(kUriQuery)) << "5 bytes are no uint";
    EXPECT_EQ(Options::parse(from_hex("60ff01")).error(), Error::Malformed);
    EXPECT_EQ(Options::parse(from_hex("61")).error(), Error::Truncated);
}

TEST(Message, BadCriticalOptionsAreFound) {
    const OptionNumber understood[] = {kUriPath, kAccept, kOscore};
    const auto bad = [&](const std::string& encoded) {
        const Buffer bytes = from_hex(encoded);
        return Options::parse(bytes)->find_bad_critical(understood);
    };
    EXPECT_EQ(bad(""), std::nullopt);
    EXPECT_EQ(bad("b16101626 13c"), std::nullopt) << "two segments, and Accept";
    EXPECT_EQ(bad("60"), std::nullopt) << "Observe is elective";
    EXPECT_EQ(bad("3161"), kUriHost) << "not understood";
    EXPECT_EQ(bad("d304010203"), kAccept) << "3 bytes are too many";
    EXPECT_EQ(bad("d1043c013c"), kAccept) << "twice";
    EXPECT_EQ(bad("9000"), kOscore) << "twice, both empty";
    EXPECT_EQ(bad("e007d0"), OptionNumber{2'269}) << "unknown";
    EXPECT_EQ(bad("e007d1"), std::nullopt) << "unknown and elective";
}

TEST(Message, RoomForAPayloadIsFilledInPlace) {
    Buffer buffer(9);
    MessageWriter out{buffer, {.type = Type::NonConfirmable, .code = Code::Post, .id = 7}};
    const MutBytes room = out.reserve_payload(4);
    ASSERT_EQ(room.size(), 4U);
    std::fill(room.begin(), room.end(), 0xee);
    EXPECT_EQ(hex(*out.finish()), "50020007ffeeeeeeee");
    MessageWriter full{buffer, {.type = Type::NonConfirmable, .code = Code::Post, .id = 7}};
    EXPECT_TRUE(full.reserve_payload(5).empty());
    EXPECT_EQ(full.finish().error(), Error::NoSpace);
}

}  // namespace
}  // namespace sotto::coap
