// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <gtest/gtest.h>

#include "core/cose/credential.hpp"
#include "core/cose/enc_structure.hpp"
#include "core/cose/id_cred.hpp"
#include "core/cose/identifier.hpp"
#include "testing/vectors.hpp"

namespace sotto::cose {
namespace {

using testing::from_hex;
using testing::to_hex;

std::string hex(Bytes bytes) { return to_hex({bytes.begin(), bytes.end()}); }

testing::Vector trace() { return testing::load_vectors("edhoc/rfc9529_chapter_3.txt").front(); }

const std::string kX = "bbc34960526ea4d32e940cad2a234148ddc21791a12afbcbac93622046dd44f0";
const std::string kY = "4519e257236b2a0ce2023f0931f1f386ca7afda64fcde0108c224c51eabf6072";

Result<Credential> parse(const std::string& text) { return Credential::parse(from_hex(text)); }
// A CCS without subject, of a COSE_Key that is given as hex.
Result<Credential> parse_key(const std::string& cose_key) { return parse("a108a101" + cose_key); }

TEST(Credential, ParsesThoseOfRfc9529) {
    const auto vector = trace();
    const auto cred_r = Credential::parse(vector.bytes("cred_r"));
    ASSERT_TRUE(cred_r);
    EXPECT_EQ(cred_r->subject(), "example.edu");
    EXPECT_EQ(hex(cred_r->kid()), "32");
    EXPECT_EQ(hex(cred_r->public_key().x), vector.text("pk_r_x"));
    EXPECT_EQ(hex(cred_r->public_key().y), vector.text("pk_r_y"));
    EXPECT_EQ(hex(cred_r->bytes()), vector.text("cred_r"));
    EXPECT_EQ(cred_r->hash(), crypto::sha256(vector.bytes("cred_r")));
    const auto cred_i = Credential::parse(vector.bytes("cred_i"));
    ASSERT_TRUE(cred_i);
    EXPECT_EQ(cred_i->subject(), "42-50-31-FF-EF-37-32-39");
    EXPECT_EQ(hex(cred_i->kid()), "2b");
    EXPECT_FALSE(*cred_i == *cred_r);
}

TEST(Credential, CreatesDeterministicCcs) {
    const auto vector = trace();
    const auto other = Credential::parse(vector.bytes("cred_r"));
    const auto credential = Credential::create("lamp 0001", other->public_key());
    ASSERT_TRUE(credential);
    EXPECT_EQ(hex(credential->bytes()),
              "a202696c616d70203030303108a101a401022001215820" + kX + "225820" + kY);
    EXPECT_FALSE(cbor::Reader{credential->bytes()}.skip().empty());
    EXPECT_EQ(credential->subject(), "lamp 0001");
    EXPECT_EQ(hex(credential->kid()), hex(Bytes{credential->hash()}.first(8)));
    EXPECT_EQ(credential->public_key(), other->public_key());
    EXPECT_TRUE(*Credential::parse(credential->bytes()) == *credential);
}

TEST(Credential, CreatesOnlyWithAGoodSubject) {
    const auto key = Credential::parse(trace().bytes("cred_r"))->public_key();
    EXPECT_TRUE(Credential::create(std::string(kSubjectSizeMax, 'a'), key));
    for (const std::string& bad :
         {std::string{}, std::string(kSubjectSizeMax + 1, 'a'), std::string{"\xff"}})
        EXPECT_EQ(Credential::create(bad, key).error(), Error::InvalidArgument);
}

TEST(Credential, SurvivesBeingCopied) {
    Credential copy = *Credential::parse(trace().bytes("cred_i"));
    {
        const Credential original = *Credential::parse(trace().bytes("cred_r"));
        copy = original;
    }
    EXPECT_EQ(copy.subject(), "example.edu");
    EXPECT_EQ(hex(copy.kid()), "32");
}

TEST(Credential, TakesKeysWithoutOrWithTheSignOfY) {
    for (const std::string& y : std::vector<std::string>{"a40102200121 5820" + kX + "22f4",
                                                         "a40102200121 5820" + kX + "22f5",
                                                         "a30102200121 5820" + kX}) {
        const auto credential = parse_key(y);
        ASSERT_TRUE(credential) << y;
        EXPECT_EQ(hex(credential->public_key().x), kX);
        EXPECT_TRUE(credential->subject().empty());
    }
}

TEST(Credential, TakesClaimsItDoesNotKnow) {
    const std::string key = "a40102200121 5820" + kX + "225820" + kY;
    EXPECT_TRUE(parse("a5 0163697373 0261 61 041a6553f100 6161 f5 08a2 01" + key + "02 8101"));
    EXPECT_TRUE(parse("a2 08a101" + key + "0261 61"));  // not sorted: not deterministic, but a CCS
    EXPECT_TRUE(parse_key("a50102200121 5820" + kX + "225820" + kY + "0326"));  // alg
}

TEST(Credential, RefusesEveryPrefixAndSurplus) {
    auto bytes = trace().bytes("cred_r");
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(Credential::parse(Bytes{bytes}.first(size))) << size;
    bytes.push_back(0);
    EXPECT_EQ(Credential::parse(bytes).error(), Error::Malformed);
    bytes.resize(kCredentialSizeMax + 1);
    EXPECT_EQ(Credential::parse(bytes).error(), Error::TooLarge);
}

TEST(Credential, RefusesBadKeys) {
    const std::string x = "5820" + kX;
    const std::string y = "5820" + kY;
    const auto off_curve = "5820" + kY.substr(0, 62) + "73";
    EXPECT_EQ(parse_key("a40102200121" + x + "22" + off_curve).error(), Error::Malformed);
    EXPECT_EQ(parse_key("a30102200121" + x.substr(0, 64)).error(), Error::Truncated);
    EXPECT_EQ(parse_key("a40102200121581f" + kX.substr(2) + "22" + y).error(), Error::Malformed);
    EXPECT_EQ(parse_key("a30102200122" + y).error(), Error::Malformed);               // no x
    EXPECT_EQ(parse_key("a40102200221" + x + "22" + y).error(), Error::Unsupported);  // P-384
    EXPECT_EQ(parse_key("a40101200121" + x + "22" + y).error(), Error::Unsupported);  // OKP
    EXPECT_EQ(parse_key("a3010221" + x + "22" + y).error(), Error::Unsupported);      // no curve
    EXPECT_EQ(parse_key("a50102200121" + x + "22" + y + "23" + x).error(), Error::Malformed);
    EXPECT_EQ(parse_key("a50102200121" + x + "21" + x + "22" + y).error(), Error::Malformed);
    EXPECT_EQ(parse("a102 6161").error(), Error::Malformed);  // no cnf
    EXPECT_EQ(parse("a0").error(), Error::Malformed);
    EXPECT_EQ(parse("a108a10241ff").error(), Error::Malformed);  // cnf without a COSE_Key
}

TEST(Credential, RefusesRepeatedClaims) {
    const std::string key = "08a101a40102200121 5820" + kX + "225820" + kY;
    EXPECT_EQ(parse("a3 02616102 6162" + key).error(), Error::Malformed);
    EXPECT_EQ(parse("a2" + key + key).error(), Error::Malformed);
    EXPECT_EQ(parse("a2 0261ff" + key).error(), Error::Malformed);  // subject is not UTF-8
}

TEST(Identifier, OneByteIntegersAreTheirOwnEncoding) {
    for (unsigned value = 0; value <= 0xff; ++value) {
        const std::array<std::uint8_t, 1> identifier{static_cast<std::uint8_t>(value)};
        std::array<std::uint8_t, 4> buffer{};
        cbor::Writer out{buffer};
        write_identifier(out, identifier);
        const Bytes encoded = *out.finish();
        // RFC 9528 §3.3.2: 0x00 to 0x17 and 0x20 to 0x37 are integers from -24 to 23.
        const bool is_integer = value <= 0x17 || (value >= 0x20 && value <= 0x37);
        EXPECT_EQ(encoded.size(), is_integer ? 1U : 2U) << value;
        cbor::Reader in{encoded};
        EXPECT_TRUE(equal(read_identifier(in), identifier)) << value;
        EXPECT_TRUE(in.finish());
        const std::array<std::uint8_t, 2> as_bytes{0x41, identifier[0]};
        cbor::Reader other{as_bytes};
        read_identifier(other);
        EXPECT_EQ(other.status().has_value(), !is_integer) << value;
    }
}

TEST(Identifier, OthersAreByteStrings) {
    for (const char* good : {"40", "42abcd", "420102"}) {
        const auto bytes = from_hex(good);
        cbor::Reader in{bytes};
        read_identifier(in);
        EXPECT_TRUE(in.finish()) << good;
    }
    for (const char* bad :
         {"", "1818", "3818", "61 61", "81 00", "f5", "41", "5f4101ff", "5801 ff"}) {
        const auto bytes = from_hex(bad);
        cbor::Reader in{bytes};
        read_identifier(in);
        EXPECT_FALSE(in.status()) << bad;
    }
}

TEST(IdCred, IsCompactForAKidAndAMapElsewhere) {
    const auto vector = trace();
    const auto credential = *Credential::parse(vector.bytes("cred_r"));
    const IdCred id_cred = IdCred::of(credential, CredentialForm::Kid);
    std::array<std::uint8_t, 32> buffer{};
    EXPECT_EQ(hex(*id_cred.encode(buffer)), vector.text("id_cred_r"));
    cbor::Writer out{buffer};
    id_cred.write_compact(out);
    EXPECT_EQ(hex(*out.finish()), "32");
    const auto again = from_hex("32");
    cbor::Reader in{again};
    const IdCred parsed = IdCred::read_compact(in);
    ASSERT_TRUE(in.finish());
    EXPECT_EQ(hex(parsed.body()), "32");
    EXPECT_TRUE(parsed.matches(credential));
    EXPECT_FALSE(parsed.matches(*Credential::parse(vector.bytes("cred_i"))));
}

TEST(IdCred, CarriesACredentialByValue) {
    const auto credential = *Credential::parse(trace().bytes("cred_r"));
    const IdCred id_cred = IdCred::of(credential, CredentialForm::Value);
    std::array<std::uint8_t, kCredentialSizeMax + 2> buffer{};
    const Bytes encoded = *id_cred.encode(buffer);
    EXPECT_EQ(hex(encoded), "a10e" + trace().text("cred_r"));
    cbor::Reader in{encoded};
    const IdCred parsed = IdCred::read_compact(in);
    ASSERT_TRUE(in.finish());
    EXPECT_EQ(parsed.form(), CredentialForm::Value);
    EXPECT_TRUE(parsed.matches(credential));
    EXPECT_EQ(id_cred.encode(MutBytes{buffer}.first(encoded.size() - 1)).error(), Error::NoSpace);
}

TEST(IdCred, RefusesOtherForms) {
    const struct {
        const char* encoded;
        Error error;
    } cases[] = {{"", Error::Truncated},
                 {"a1044132", Error::Malformed},  // had to be compact
                 {"4132", Error::Malformed},      // had to be an integer
                 {"a10e41ff", Error::Malformed},  // a CCS is a map
                 {"a10e", Error::Truncated},
                 {"a118228101", Error::Unsupported},    // x5t
                 {"a204410a0ea0", Error::Unsupported},  // two parameters
                 {"a0", Error::Unsupported},
                 {"bf0ea0ff", Error::Malformed},
                 {"8101", Error::Malformed},
                 {"f5", Error::Malformed}};
    for (const auto& example : cases) {
        const auto bytes = from_hex(example.encoded);
        cbor::Reader in{bytes};
        IdCred::read_compact(in);
        EXPECT_EQ(in.status().error(), example.error) << example.encoded;
    }
}

TEST(EncStructure, IsThatOfRfc9529) {
    const auto vector = trace();
    for (const auto& [th, expected] : {std::pair{"th_3", "a_3"}, {"th_4", "a_4"}}) {
        const auto external_aad = vector.bytes(th);
        std::array<std::uint8_t, 64> buffer{};
        cbor::Writer out{buffer};
        begin_enc_structure(out, external_aad.size());
        EXPECT_EQ(hex(*out.raw(external_aad).finish()), vector.text(expected));
    }
}

}  // namespace
}  // namespace sotto::cose
