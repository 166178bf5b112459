// SPDX-License-Identifier: Apache-2.0
// The parts of messages: connection identifiers, suites, EAD, errors, wrapping.
#include "core/edhoc/message.hpp"

#include <gtest/gtest.h>

#include "core/edhoc/peers_test.hpp"

namespace sotto::edhoc {
namespace {

using testing::from_hex;

TEST(ConnectionId, HoldsUpToSevenBytes) {
    const std::array<std::uint8_t, 8> bytes{};
    EXPECT_TRUE(ConnectionId::from(Bytes{bytes}.first(7)));
    EXPECT_EQ(ConnectionId::from(bytes).error(), Error::TooLarge);
    EXPECT_EQ(ConnectionId::from({})->view().size(), 0U);
    EXPECT_FALSE(connection_id(Bytes{bytes}.first(1)) == connection_id(Bytes{bytes}.first(2)));
    const auto encoded = from_hex("480000000000000000");
    cbor::Reader in{encoded};
    ConnectionId::read(in);
    EXPECT_EQ(in.status().error(), Error::TooLarge);
}

TEST(Suites, AreAnIntegerOrAnArrayOfTwoAndMore) {
    const struct {
        const char* encoded;
        std::vector<SuiteLabel> suites;
    } cases[] = {{"02", {2}}, {"820602", {6, 2}}, {"8403021818 37", {3, 2, 24, -24}}};
    for (const auto& example : cases) {
        const auto bytes = from_hex(example.encoded);
        cbor::Reader in{bytes};
        const SuiteList suites = read_suites(in);
        ASSERT_TRUE(in.status()) << example.encoded;
        EXPECT_TRUE(std::ranges::equal(suites, example.suites));
        std::array<std::uint8_t, 16> buffer{};
        cbor::Writer out{buffer};
        write_suites(out, example.suites);
        EXPECT_EQ(hex(*out.finish()), hex(bytes));
    }
    for (const char* bad : {"",
                            "80",
                            "8102",
                            "82 02",
                            "8202f5",
                            "41 02",
                            "9f0602ff",
                            "1802",
                            "1b7fffffffffffffff",
                            "8900010203040506 0708"}) {
        const auto bytes = from_hex(bad);
        cbor::Reader in{bytes};
        read_suites(in);
        EXPECT_FALSE(in.status()) << bad;
    }
}

TEST(Suites, RetryWithTheFirstPreferenceThatBothSpeak) {
    const auto retry = [](std::vector<SuiteLabel> preferences, std::vector<SuiteLabel> suites_r) {
        const auto suites = retry_suites(preferences, suites_r);
        return suites ? std::vector<SuiteLabel>{suites->begin(), suites->end()}
                      : std::vector<SuiteLabel>{};
    };
    EXPECT_EQ(retry({2, 3}, {3, 2}), (std::vector<SuiteLabel>{2}));
    EXPECT_EQ(retry({2, 3}, {3}), (std::vector<SuiteLabel>{2, 3}));
    EXPECT_EQ(retry({6, 3, 2}, {6, 2}), (std::vector<SuiteLabel>{6, 3, 2}));  // 6 is not ours
    EXPECT_EQ(retry({2, 3}, {0, 6}), (std::vector<SuiteLabel>{}));
    EXPECT_EQ(retry({}, {2}), (std::vector<SuiteLabel>{}));
}

Result<Ead> read_ead(const std::string& text, EadLabels understood) {
    static std::vector<std::uint8_t> bytes;
    bytes = from_hex(text);
    cbor::Reader in{bytes};
    const Ead ead = Ead::read(in, understood);
    SOTTO_TRY(in.status());
    return ead;
}

TEST(Ead, FindsItemsBetweenPadding) {
    const std::array<std::uint16_t, 1> understood{32'769};
    const auto ead = read_ead("00 0041e9 05 198001 42abcd 0040 398000 41ff 00", understood);
    ASSERT_TRUE(ead);
    EXPECT_FALSE(ead->find(5)->value);
    EXPECT_FALSE(ead->find(5)->is_critical());
    EXPECT_EQ(ead->find(32'769)->label, 32'769);  // the first of two
    EXPECT_EQ(hex(*ead->find(32'769)->value), "abcd");
    EXPECT_FALSE(ead->find(6));
    EXPECT_EQ(ead->encoded().size(), 19U);
}

TEST(Ead, RefusesCriticalItemsThatNobodyUnderstands) {
    const std::array<std::uint16_t, 2> understood{7, 32'769};
    EXPECT_TRUE(read_ead("2641ff", understood));
    EXPECT_EQ(read_ead("2641ff", {}).error(), Error::Unsupported);
    EXPECT_EQ(read_ead("2741ff", understood).error(), Error::Unsupported);
    EXPECT_EQ(read_ead("0841ff 27", understood).error(), Error::Unsupported);
    EXPECT_TRUE(read_ead("2641ff", understood)->find(7)->is_critical());
    EXPECT_TRUE(read_ead("0841ff", {}));
}

TEST(Ead, RefusesWhatIsNotEad) {
    for (const char* bad : {"40",
                            "6161",
                            "00f5",
                            "0080",
                            "004161 4161",
                            "1800",
                            "0141",
                            "20 5801ff",
                            "1a00010000",
                            "3a00010000"})
        EXPECT_FALSE(read_ead(bad, {})) << bad;
    EXPECT_TRUE(read_ead("0102030405", {}));
    EXPECT_TRUE(read_ead("19ffff 40", {})->find(65'535));
    EXPECT_TRUE(read_ead("", {})->encoded().empty());
}

TEST(Ead, IsWrittenAsItIsRead) {
    const std::array<std::uint8_t, 2> value{0xab, 0xcd};
    const EadItem items[] = {{.label = -32'769, .value = Bytes{value}},
                             {.label = 5, .value = std::nullopt}};
    std::array<std::uint8_t, 32> buffer{};
    cbor::Writer out{buffer};
    write_ead(out, items);
    EXPECT_EQ(hex(*out.finish()), "39800042abcd05");
}

TEST(ErrorMessage, CarriesCodeAndInformation) {
    const auto unspecified = from_hex("0166666f6f626172");
    EXPECT_EQ(parse_error_message(unspecified)->text, "foobar");
    EXPECT_EQ(parse_error_message(from_hex("03f5"))->code, 3);
    const auto suites = parse_error_message(from_hex("02820203"));
    ASSERT_TRUE(suites);
    EXPECT_EQ(suites->suites_r.size(), 2U);
    EXPECT_EQ(parse_error_message(from_hex("3863a10102"))->code, -100);  // not one of the RFC's
    for (const char* bad : {"",
                            "00f5",
                            "01",
                            "0141aa",
                            "0161ff",
                            "02f5",
                            "0280",
                            "03f4",
                            "03f6",
                            "03f5 00",
                            "4101",
                            "f5",
                            "1801 60"})
        EXPECT_FALSE(parse_error_message(from_hex(bad))) << bad;
    EXPECT_TRUE(is_error_message(unspecified));
    EXPECT_FALSE(is_error_message(from_hex("4101")));
    EXPECT_FALSE(is_error_message({}));
}

TEST(ErrorMessage, EveryErrorHasOneThatCanBeParsed) {
    for (std::uint8_t value = 1; value <= kErrorCount; ++value) {
        std::array<std::uint8_t, 32> buffer{};
        const auto why = static_cast<Error>(value);
        const auto message = encode_error_message(why, buffer);
        ASSERT_TRUE(message) << to_string(why);
        const auto parsed = parse_error_message(*message);
        ASSERT_TRUE(parsed) << to_string(why);
        EXPECT_EQ(parsed->code, why == Error::NotFound ? 3 : 1) << to_string(why);
        EXPECT_EQ(encode_error_message(why, MutBytes{buffer}.first(1)).error(), Error::NoSpace);
    }
}

TEST(Wrap, MovesTheContentUpToItsHead) {
    for (const std::size_t size : {0U, 1U, 23U, 24U, 255U, 256U, 1000U}) {
        std::vector<std::uint8_t> out(kHeadRoom + size);
        for (std::size_t i = 0; i < size; ++i)
            out[kHeadRoom + i] = static_cast<std::uint8_t>(i * 7);
        const std::vector<std::uint8_t> content(out.begin() + kHeadRoom, out.end());
        const Bytes message = wrap(out, size);
        Bytes unwrapped;
        EXPECT_TRUE(unwrap(message, unwrapped)) << size;
        EXPECT_TRUE(equal(unwrapped, content)) << size;
    }
    Bytes none;
    for (const char* bad : {"", "00", "41", "4100 00", "5f4100ff", "580100"})
        EXPECT_FALSE(unwrap(from_hex(bad), none)) << bad;
    EXPECT_EQ(unwrap(std::vector<std::uint8_t>(kMessageSizeMax + 1), none).error(),
              Error::TooLarge);
}

TEST(Machine, NothingLeadsOutOfAFailure) {
    Machine<initiator::State, initiator::kEdges> machine;
    EXPECT_TRUE(machine.is(initiator::State::Start));
    EXPECT_EQ(machine.fail(Error::Unsupported).error(), Error::Unsupported);
    EXPECT_TRUE(machine.is(initiator::State::Failed));
    for (const auto& declared : initiator::kEdges) {
        EXPECT_NE(declared.from, initiator::State::Failed);
        EXPECT_NE(declared.from, initiator::State::Done);
    }
    for (const auto& declared : responder::kEdges) {
        EXPECT_NE(declared.from, responder::State::Failed);
        EXPECT_NE(declared.from, responder::State::Done);
    }
}

}  // namespace
}  // namespace sotto::edhoc
