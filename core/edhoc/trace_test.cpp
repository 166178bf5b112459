// SPDX-License-Identifier: Apache-2.0
// RFC 9529: the trace of chapter 3 through both roles, and the invalid traces of chapter 4.
#include <gtest/gtest.h>

#include "core/edhoc/message.hpp"
#include "core/edhoc/peers_test.hpp"

namespace sotto::edhoc {
namespace {

using cose::CredentialForm;

class Trace : public ::testing::Test {
  protected:
    EphemeralKey x() const { return EphemeralKey::from(private_key(vector.bytes("x"))); }
    EphemeralKey y() const { return EphemeralKey::from(private_key(vector.bytes("y"))); }

    testing::Vector vector = testing::load_vectors("edhoc/rfc9529_chapter_3.txt").front();
    cose::Credential cred_i = *cose::Credential::parse(vector.bytes("cred_i"));
    cose::Credential cred_r = *cose::Credential::parse(vector.bytes("cred_r"));
    crypto::DhPrivateKey sk_i = private_key(vector.bytes("sk_i"));
    crypto::DhPrivateKey sk_r = private_key(vector.bytes("sk_r"));
    ConnectionId c_i = connection_id(vector.bytes("c_i"));
    ConnectionId c_r = connection_id(vector.bytes("c_r"));
    Initiator initiator{Identity{cred_i, sk_i}};
    Responder responder{Identity{cred_r, sk_r}};
    std::array<std::uint8_t, kScratchSize> out{};
    std::array<std::uint8_t, kScratchSize> scratch{};
};

TEST_F(Trace, FirstMessage1AsksForASuiteThatTheResponderLacks) {
    const auto key = EphemeralKey::from(private_key(vector.bytes("x_first")));
    EXPECT_EQ(hex(key.public_key.x), vector.text("g_x_first"));
    const std::array<SuiteLabel, 1> only_six{6};
    const auto message_1 = encode_message_1({.suites_i = only_six,
                                             .g_x = key.public_key.x,
                                             .c_i = connection_id(vector.bytes("c_i_first")),
                                             .ead_1 = {}},
                                            out);
    ASSERT_TRUE(message_1);
    EXPECT_EQ(hex(*message_1), vector.text("message_1_first"));

    EXPECT_EQ(responder.on_message_1(*message_1, {}).error(), Error::Unsupported);
    EXPECT_TRUE(responder.has_failed());
    EXPECT_EQ(hex(*responder.compose_error(Error::Unsupported, scratch)), "02820203");
    const std::array<SuiteLabel, 1> only_two{2};
    EXPECT_EQ(hex(*encode_wrong_suite(only_two, scratch)), vector.text("error"));

    const auto error = parse_error_message(vector.bytes("error"));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, 2);
    const std::array<SuiteLabel, 2> preferences{6, 2};
    const auto again = retry_suites(preferences, {error->suites_r.data(), error->suites_r.size()});
    ASSERT_TRUE(again);
    EXPECT_TRUE(std::ranges::equal(*again, preferences));
}

TEST_F(Trace, BothRolesMakeEveryByte) {
    const std::array<SuiteLabel, 2> suites{6, 2};
    const auto message_1 =
        initiator.compose_message_1(x(), {.suites = suites, .c_i = c_i, .ead_1 = {}}, out);
    ASSERT_TRUE(message_1);
    EXPECT_EQ(hex(*message_1), vector.text("message_1"));

    const auto parsed = responder.on_message_1(*message_1, {});
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->c_i, c_i);
    EXPECT_EQ(parsed->suite, Suite::Two);
    const auto message_2 = responder.compose_message_2(y(), {.c_r = c_r}, out);
    ASSERT_TRUE(message_2);
    EXPECT_EQ(hex(*message_2), vector.text("message_2"));

    const auto claim_2 = initiator.on_message_2(*message_2, scratch, {});
    ASSERT_TRUE(claim_2);
    EXPECT_EQ(hex(claim_2->plaintext), vector.text("plaintext_2"));
    EXPECT_EQ(hex(claim_2->mac), vector.text("mac_2"));
    EXPECT_TRUE(claim_2->id_cred.matches(cred_r));
    ASSERT_TRUE(initiator.authenticate(*claim_2, cred_r));
    EXPECT_EQ(hex(*initiator.th_3()), vector.text("th_3"));
    EXPECT_EQ(hex(*responder.th_3()), vector.text("th_3"));
    const auto message_3 = initiator.compose_message_3(CredentialForm::Kid, {}, out);
    ASSERT_TRUE(message_3);
    EXPECT_EQ(hex(*message_3), vector.text("message_3"));

    const auto claim_3 = responder.on_message_3(*message_3, scratch, {});
    ASSERT_TRUE(claim_3);
    EXPECT_EQ(hex(claim_3->plaintext), vector.text("plaintext_3"));
    EXPECT_TRUE(claim_3->id_cred.matches(cred_i));
    ASSERT_TRUE(responder.authenticate(*claim_3, cred_i));
    const auto message_4 = responder.compose_message_4({}, out);
    ASSERT_TRUE(message_4);
    EXPECT_EQ(hex(*message_4), vector.text("message_4"));
    ASSERT_TRUE(initiator.on_message_4(*message_4, scratch, {}));
    EXPECT_TRUE(initiator.is_done());
    EXPECT_TRUE(responder.is_done());

    const auto client = initiator.export_oscore();
    const auto server = responder.export_oscore();
    ASSERT_TRUE(client && server);
    for (const auto* keys : {&*client, &*server}) {
        EXPECT_EQ(hex(keys->master_secret.expose()), vector.text("oscore_master_secret"));
        EXPECT_EQ(hex(keys->master_salt.expose()), vector.text("oscore_master_salt"));
    }
    EXPECT_EQ(hex(client->sender_id.view()), vector.text("client_sender_id"));
    EXPECT_EQ(hex(server->sender_id.view()), vector.text("server_sender_id"));
    EXPECT_EQ(client->recipient_id, server->sender_id);
    EXPECT_EQ(server->recipient_id, client->sender_id);
}

// message_2 as the Responder of the trace would send it, with another plaintext.
std::vector<std::uint8_t> message_2_with(const testing::Vector& vector,
                                         const std::vector<std::uint8_t>& plaintext) {
    const crypto::Prk prk_2e{BytesN<crypto::kHashSize>{vector.bytes("prk_2e")}};
    std::vector<std::uint8_t> content = plaintext;
    const auto th_2 = vector.bytes("th_2");
    const Bytes context{th_2};
    kdf_xor(prk_2e, 0, Pieces{&context, 1}, content);
    const auto g_y = vector.bytes("g_y");
    content.insert(content.begin(), g_y.begin(), g_y.end());
    std::vector<std::uint8_t> message(content.size() + 3);
    message.resize(cbor::Writer{message}.bytes(content).finish()->size());
    return message;
}

TEST_F(Trace, InvalidTracesAreRefused) {
    for (const auto& invalid : testing::load_vectors("edhoc/rfc9529_invalid.txt")) {
        SCOPED_TRACE(invalid.text("name"));
        if (invalid.has("message_1")) {
            Responder fresh{Identity{cred_r, sk_r}};
            EXPECT_FALSE(fresh.on_message_1(invalid.bytes("message_1"), {}));
            EXPECT_TRUE(fresh.has_failed());
            continue;
        }
        Initiator waiting{Identity{cred_i, sk_i}};
        const std::array<SuiteLabel, 2> suites{6, 2};
        ASSERT_TRUE(
            waiting.compose_message_1(x(), {.suites = suites, .c_i = c_i, .ead_1 = {}}, out));
        const auto message = invalid.has("message_2")
                                 ? invalid.bytes("message_2")
                                 : message_2_with(vector, invalid.bytes("plaintext_2"));
        EXPECT_EQ(waiting.on_message_2(message, scratch, {}).error(), Error::Malformed);
        // The real one is still taken.
        const auto claim = waiting.on_message_2(vector.bytes("message_2"), scratch, {});
        ASSERT_TRUE(claim);
        EXPECT_TRUE(waiting.authenticate(*claim, cred_r));
    }
}

}  // namespace
}  // namespace sotto::edhoc
