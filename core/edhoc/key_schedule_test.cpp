// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/key_schedule.hpp"

#include <gtest/gtest.h>

#include "core/edhoc/exporter.hpp"
#include "core/edhoc/peers_test.hpp"

namespace sotto::edhoc {
namespace {

crypto::Hash hash_of(const std::vector<std::uint8_t>& bytes) {
    crypto::Hash hash{};
    SOTTO_ASSERT(bytes.size() == hash.size());
    std::ranges::copy(bytes, hash.begin());
    return hash;
}

crypto::Prk prk_of(const std::vector<std::uint8_t>& bytes) {
    return crypto::Prk{BytesN<crypto::kHashSize>{bytes}};
}

// EDHOC_KDF with label, context and length taken from an encoded info.
std::string derive(const std::vector<std::uint8_t>& prk, const std::vector<std::uint8_t>& info) {
    cbor::Reader in{info};
    const auto label = static_cast<std::uint32_t>(in.uint());
    const Bytes context = in.bytes();
    std::vector<std::uint8_t> out(static_cast<std::size_t>(in.uint()));
    SOTTO_ASSERT(in.empty());
    kdf(prk_of(prk), label, Pieces{&context, 1}, out);
    return hex(out);
}

struct Derivation {
    const char* prk;
    const char* name;
};

void expect_derivations(const testing::Vector& vector, std::span<const Derivation> derivations) {
    for (const auto& [prk, name] : derivations) {
        EXPECT_EQ(derive(vector.bytes(prk), vector.bytes(std::string{name} + "_info")),
                  vector.text(name))
            << name;
    }
}

TEST(KeySchedule, MakesEveryDerivationOfRfc9529Chapter3) {
    const auto vector = testing::load_vectors("edhoc/rfc9529_chapter_3.txt").front();
    const Derivation derivations[] = {{"prk_2e", "salt_3e2m"},
                                      {"prk_3e2m", "mac_2"},
                                      {"prk_2e", "keystream_2"},
                                      {"prk_3e2m", "salt_4e3m"},
                                      {"prk_4e3m", "mac_3"},
                                      {"prk_3e2m", "k_3"},
                                      {"prk_3e2m", "iv_3"},
                                      {"prk_4e3m", "k_4"},
                                      {"prk_4e3m", "iv_4"},
                                      {"prk_4e3m", "prk_out"},
                                      {"prk_out", "prk_exporter"},
                                      {"prk_exporter", "oscore_master_secret"},
                                      {"prk_exporter", "oscore_master_salt"}};
    expect_derivations(vector, derivations);
}

TEST(KeySchedule, GoesFromSharedSecretsToPrkOutAsInRfc9529Chapter3) {
    const auto vector = testing::load_vectors("edhoc/rfc9529_chapter_3.txt").front();
    const auto public_key = [&](const std::string& name) {
        return *crypto::dh_import(BytesN<crypto::kDhSize>{vector.bytes(name + "_x")},
                                  BytesN<crypto::kDhSize>{vector.bytes(name + "_y")});
    };
    const auto h_message_1 = crypto::sha256(vector.bytes("message_1"));
    EXPECT_EQ(hex(h_message_1), vector.text("h_message_1"));
    const auto th_2 = transcript_2(hash_of(vector.bytes("g_y")), h_message_1);
    EXPECT_EQ(hex(th_2), vector.text("th_2"));
    EXPECT_EQ(hex(crypto::sha256(vector.bytes("th_2_input"))), vector.text("th_2"));
    crypto::Prk prk_2e;
    ASSERT_TRUE(extract(th_2,
                        {private_key(vector.bytes("x")),
                         *crypto::dh_import_x(BytesN<crypto::kDhSize>{vector.bytes("g_y")})},
                        prk_2e));
    EXPECT_EQ(hex(prk_2e.expose()), vector.text("prk_2e"));
    EXPECT_EQ(hex(derive_prk(prk_2e, Label::Salt3e2m, th_2).expose()), vector.text("salt_3e2m"));
    crypto::Prk prk_3e2m;
    ASSERT_TRUE(extract_next(prk_2e,
                             Label::Salt3e2m,
                             th_2,
                             {private_key(vector.bytes("x")), public_key("pk_r")},
                             prk_3e2m));
    EXPECT_EQ(hex(prk_3e2m.expose()), vector.text("prk_3e2m"));
    const auto th_3 = transcript_after(th_2, vector.bytes("plaintext_2"), vector.bytes("cred_r"));
    EXPECT_EQ(hex(th_3), vector.text("th_3"));
    crypto::Prk prk_4e3m;
    ASSERT_TRUE(extract_next(prk_3e2m,
                             Label::Salt4e3m,
                             th_3,
                             {private_key(vector.bytes("y")), public_key("pk_i")},
                             prk_4e3m));
    EXPECT_EQ(hex(prk_4e3m.expose()), vector.text("prk_4e3m"));
    const auto th_4 = transcript_after(th_3, vector.bytes("plaintext_3"), vector.bytes("cred_i"));
    EXPECT_EQ(hex(th_4), vector.text("th_4"));
    const auto prk_out = derive_prk(prk_4e3m, Label::PrkOut, th_4);
    EXPECT_EQ(hex(prk_out.expose()), vector.text("prk_out"));
}

TEST(KeySchedule, MakesTheMacsOfRfc9529Chapter3) {
    const auto vector = testing::load_vectors("edhoc/rfc9529_chapter_3.txt").front();
    const auto cred_r = *cose::Credential::parse(vector.bytes("cred_r"));
    const auto cred_i = *cose::Credential::parse(vector.bytes("cred_i"));
    const ConnectionId c_r = connection_id(vector.bytes("c_r"));
    const auto th_2 = hash_of(vector.bytes("th_2"));
    const auto th_3 = hash_of(vector.bytes("th_3"));
    std::array<std::uint8_t, 8> mac{};
    const MacContext context_2{.label = Label::Mac2,
                               .c_r = &c_r,
                               .id_cred = cose::IdCred::of(cred_r, cose::CredentialForm::Kid),
                               .th = th_2,
                               .cred = cred_r.bytes(),
                               .ead = {}};
    compute_mac(prk_of(vector.bytes("prk_3e2m")), context_2, mac);
    EXPECT_EQ(hex(mac), vector.text("mac_2"));
    const MacContext context_3{.label = Label::Mac3,
                               .id_cred = cose::IdCred::of(cred_i, cose::CredentialForm::Kid),
                               .th = th_3,
                               .cred = cred_i.bytes(),
                               .ead = {}};
    compute_mac(prk_of(vector.bytes("prk_4e3m")), context_3, mac);
    EXPECT_EQ(hex(mac), vector.text("mac_3"));
}

TEST(KeySchedule, UpdatesKeysAsInRfc9529) {
    for (const char* file : {"edhoc/rfc9529_chapter_2.txt", "edhoc/rfc9529_chapter_3.txt"}) {
        const auto vector = testing::load_vectors(file).front();
        const auto bytes = vector.bytes("key_update_context");
        const Bytes context{bytes};
        crypto::Prk updated;
        kdf(prk_of(vector.bytes("prk_out")),
            static_cast<std::uint32_t>(Label::KeyUpdate),
            Pieces{&context, 1},
            updated.fill());
        EXPECT_EQ(hex(updated.expose()), vector.text("prk_out_updated"));
        crypto::Prk exporter;
        kdf(updated, static_cast<std::uint32_t>(Label::PrkExporter), {}, exporter.fill());
        EXPECT_EQ(hex(exporter.expose()), vector.text("prk_exporter_updated"));
    }
}

TEST(KeySchedule, ReachesPrk2eAndBeyondFromTheSharedSecretOfRfc9529Chapter2) {
    const auto vector = testing::load_vectors("edhoc/rfc9529_chapter_2.txt").front();
    const auto h_message_1 = crypto::sha256(vector.bytes("message_1"));
    EXPECT_EQ(hex(h_message_1), vector.text("h_message_1"));
    const auto th_2 = transcript_2(hash_of(vector.bytes("g_y")), h_message_1);
    EXPECT_EQ(hex(th_2), vector.text("th_2"));
    const auto prk_2e = crypto::hkdf_extract(th_2, vector.bytes("g_xy"));
    EXPECT_EQ(hex(prk_2e.expose()), vector.text("prk_2e"));
    const auto th_3 = transcript_after(th_2, vector.bytes("plaintext_2"), vector.bytes("cred_r"));
    EXPECT_EQ(hex(th_3), vector.text("th_3"));
    const auto th_4 = transcript_after(th_3, vector.bytes("plaintext_3"), vector.bytes("cred_i"));
    EXPECT_EQ(hex(th_4), vector.text("th_4"));
    const Derivation derivations[] = {{"prk_2e", "keystream_2"},
                                      {"prk_2e", "mac_2"},
                                      {"prk_2e", "mac_3"},
                                      {"prk_2e", "k_3"},
                                      {"prk_2e", "iv_3"},
                                      {"prk_2e", "k_4"},
                                      {"prk_2e", "iv_4"},
                                      {"prk_2e", "prk_out"},
                                      {"prk_out", "prk_exporter"},
                                      {"prk_exporter", "oscore_master_secret"},
                                      {"prk_exporter", "oscore_master_salt"}};
    expect_derivations(vector, derivations);

    const MessageKeys keys{prk_2e, Label::K3, th_3, Suite::Two};  // suite 0 has the same AEAD
    std::vector<std::uint8_t> sealed(vector.bytes("ciphertext_3").size());
    EXPECT_TRUE(seal(keys, vector.bytes("plaintext_3"), sealed));
    EXPECT_EQ(hex(sealed), vector.text("ciphertext_3"));
}

TEST(KeySchedule, AgreesWithTheDraftsVectorsWhereTheRfcDoes) {
    std::size_t count = 0;
    for (const auto& vector : testing::load_vectors("edhoc/p256_draft.txt")) {
        ++count;
        if (vector.has("private_key")) {
            const auto point =
                crypto::dh_import_x(BytesN<crypto::kDhSize>{vector.bytes("public_x")});
            const auto secret = crypto::dh_agree(private_key(vector.bytes("private_key")), *point);
            EXPECT_EQ(hex(secret->expose()), vector.text("shared_secret"));
        } else if (vector.has("info")) {
            EXPECT_EQ(derive(vector.bytes("prk"), vector.bytes("info")), vector.text("derived"));
        } else {
            crypto::Nonce nonce{};
            std::ranges::copy(vector.bytes("nonce"), nonce.begin());
            std::vector<std::uint8_t> sealed(vector.bytes("ciphertext").size());
            EXPECT_TRUE(crypto::aead_seal(
                {crypto::AeadKey{BytesN<crypto::kAeadKeySize>{vector.bytes("key")}},
                 nonce,
                 vector.bytes("aad"),
                 crypto::TagSize::Short},
                vector.bytes("plaintext"),
                sealed));
            EXPECT_EQ(hex(sealed), vector.text("ciphertext"));
        }
    }
    EXPECT_EQ(count, 72U);
}

TEST(Kdf, StreamsInBlocksAsInOnePiece) {
    const auto prk = prk_of(std::vector<std::uint8_t>(32, 7));
    const Bytes whole = as_bytes("context");
    const std::array<Bytes, 3> pieces{whole.first(2), Bytes{}, whole.subspan(2)};
    for (const std::size_t size : {0U, 1U, 31U, 32U, 33U, 64U, 255U, 256U, 8160U}) {
        std::vector<std::uint8_t> expected(size);
        std::array<std::uint8_t, 64> buffer{};
        cbor::Writer info{buffer};
        info.uint(32'768).bytes(whole).uint(size);
        ASSERT_TRUE(crypto::hkdf_expand(prk, *info.finish(), expected));
        std::vector<std::uint8_t> derived(size, 0xaa);
        kdf(prk, 32'768, pieces, derived);
        EXPECT_EQ(derived, expected) << size;
        kdf_xor(prk, 32'768, pieces, derived);
        EXPECT_EQ(derived, std::vector<std::uint8_t>(size)) << size;
    }
}

}  // namespace
}  // namespace sotto::edhoc
