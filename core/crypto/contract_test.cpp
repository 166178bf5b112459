// SPDX-License-Identifier: Apache-2.0
// What every crypto port owes: compiled once per port, with the same vectors.
#include <gtest/gtest.h>

#include "core/crypto/aead.hpp"
#include "core/crypto/dh.hpp"
#include "core/crypto/hash.hpp"
#include "core/crypto/hkdf.hpp"
#include "core/crypto/signature.hpp"
#include "testing/vectors.hpp"

namespace sotto::crypto {
namespace {

using testing::load_vectors;
using testing::to_hex;
using testing::Vector;
using ByteVector = std::vector<std::uint8_t>;

ByteVector to_vector(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
std::string hex(Bytes bytes) { return to_hex(to_vector(bytes)); }

template <std::size_t N>
BytesN<N> exactly(const ByteVector& bytes) {
    EXPECT_EQ(bytes.size(), N);
    return BytesN<N>{bytes.data(), N};
}

// --- SHA-256, HMAC, HKDF

TEST(Sha256, GivesThePublishedHashes) {
    for (const Vector& v : load_vectors("crypto/sha256.txt")) {
        ByteVector message;
        for (std::uint64_t i = 0; i < v.number("repeat"); ++i) {
            const ByteVector part = v.bytes("message");
            message.insert(message.end(), part.begin(), part.end());
        }
        EXPECT_EQ(hex(sha256(message)), v.text("hash"));
    }
}

TEST(Sha256, DoesNotCareHowTheMessageIsCut) {
    ByteVector message(200);
    for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::uint8_t>(i);
    const Hash whole = sha256(message);
    for (std::size_t cut = 0; cut <= message.size(); ++cut) {
        EXPECT_EQ(sha256(Bytes{message}.first(cut), Bytes{message}.subspan(cut)), whole) << cut;
    }
}

TEST(HmacSha256, GivesThePublishedTags) {
    for (const Vector& v : load_vectors("crypto/rfc4231_hmac.txt")) {
        const Hash mac = hmac_sha256(v.bytes("key"), v.bytes("data"));
        const ByteVector expected = v.bytes("hmac");  // one case is truncated
        EXPECT_EQ(hex(Bytes{mac}.first(expected.size())), to_hex(expected)) << v.text("case");
    }
}

TEST(HmacSha256, DoesNotCareHowTheMessageIsCut) {
    const ByteVector key(20, 0x0b);
    const ByteVector message(100, 0x61);
    HmacSha256 mac{key};
    mac.update(Bytes{message}.first(1));
    mac.update({});
    mac.update(Bytes{message}.subspan(1));
    EXPECT_EQ(mac.finish(), hmac_sha256(key, message));
}

TEST(Hkdf, GivesThePublishedKeys) {
    for (const Vector& v : load_vectors("crypto/rfc5869_hkdf.txt")) {
        const Prk prk = hkdf_extract(v.bytes("salt"), v.bytes("ikm"));
        EXPECT_EQ(hex(prk.expose()), v.text("prk")) << v.text("case");
        ByteVector okm(v.number("size"));
        ASSERT_TRUE(hkdf_expand(prk, v.bytes("info"), okm).has_value());
        EXPECT_EQ(to_hex(okm), v.text("okm")) << v.text("case");
    }
}

TEST(Hkdf, AgreesWithWycheproof) {
    for (const Vector& v : load_vectors("crypto/wycheproof_hkdf_sha256.txt")) {
        const Prk prk = hkdf_extract(v.bytes("salt"), v.bytes("ikm"));
        ByteVector okm(v.number("size"));
        const Status status = hkdf_expand(prk, v.bytes("info"), okm);
        ASSERT_EQ(status.has_value(), v.text("result") == "valid") << v.text("id");
        if (status) {
            EXPECT_EQ(to_hex(okm), v.text("okm")) << v.text("id");
        } else {
            EXPECT_EQ(status.error(), Error::TooLarge);
        }
    }
}

// --- AEAD

struct Sealed {
    AeadKey key;
    Nonce nonce;
    ByteVector aad;
    ByteVector plaintext;
    ByteVector sealed;  // ciphertext and tag
    TagSize tag;
};

Sealed read_sealed(const Vector& v) {
    Sealed s;
    s.key = AeadKey{exactly<kAeadKeySize>(v.bytes("key"))};
    const ByteVector nonce = v.bytes("nonce");
    EXPECT_EQ(nonce.size(), kNonceSize);
    std::copy(nonce.begin(), nonce.end(), s.nonce.begin());
    s.aad = v.bytes("aad");
    s.plaintext = v.bytes("plaintext");
    s.sealed = v.bytes("ciphertext");
    const ByteVector tag = v.bytes("tag");
    s.sealed.insert(s.sealed.end(), tag.begin(), tag.end());
    s.tag = tag.size() == 8 ? TagSize::Short : TagSize::Long;
    EXPECT_EQ(tag.size(), size_of(s.tag));
    return s;
}

Status open(const Sealed& s, MutBytes out) {
    return aead_open({s.key, s.nonce, s.aad, s.tag}, s.sealed, out);
}

void expect_seals_and_opens(const Sealed& s) {
    ByteVector sealed(s.sealed.size());
    ASSERT_TRUE(aead_seal({s.key, s.nonce, s.aad, s.tag}, s.plaintext, sealed).has_value());
    EXPECT_EQ(to_hex(sealed), to_hex(s.sealed));
    ByteVector opened(s.plaintext.size());
    ASSERT_TRUE(open(s, opened).has_value());
    EXPECT_EQ(to_hex(opened), to_hex(s.plaintext));
}

void expect_seals_and_opens_in_place(const Sealed& s) {
    ByteVector buffer = s.plaintext;
    buffer.resize(s.sealed.size());
    const Bytes plaintext = Bytes{buffer}.first(s.plaintext.size());
    ASSERT_TRUE(aead_seal({s.key, s.nonce, s.aad, s.tag}, plaintext, buffer).has_value());
    EXPECT_EQ(to_hex(buffer), to_hex(s.sealed));
    const MutBytes out = MutBytes{buffer}.first(s.plaintext.size());
    ASSERT_TRUE(aead_open({s.key, s.nonce, s.aad, s.tag}, buffer, out).has_value());
    EXPECT_EQ(hex(out), to_hex(s.plaintext));
}

const char* const kAeadFiles[] = {
    "crypto/rfc3610_ccm.txt", "crypto/wycheproof_aes_ccm.txt", "crypto/agreement_ccm.txt"};

template <class Check>
void for_each_sealed(Check check) {
    for (const char* file : kAeadFiles) {
        for (const Vector& v : load_vectors(file)) {
            SCOPED_TRACE(std::string{file} + " " + v.text("id"));
            check(read_sealed(v), v.text("result") == "valid");
        }
    }
}

TEST(Aead, AgreesWithThePublishedVectors) {
    for_each_sealed([](const Sealed& s, bool is_valid) {
        if (is_valid) {
            expect_seals_and_opens(s);
            expect_seals_and_opens_in_place(s);
        } else {
            ByteVector out(s.plaintext.size());
            const Status status = open(s, out);
            ASSERT_FALSE(status.has_value());
            EXPECT_EQ(status.error(), Error::Unauthenticated);
        }
    });
}

void expect_refused_and_wiped(const Sealed& s) {
    ByteVector out(s.plaintext.size(), 0xaa);
    const Status status = open(s, out);
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error(), Error::Unauthenticated);
    EXPECT_EQ(out, ByteVector(out.size(), 0));
}

// Flips each bit of `bytes` in turn and puts it back.
template <class Check>
void for_each_flip(MutBytes bytes, Check check) {
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
        bytes[bit / 8] ^= mask;
        check();
        bytes[bit / 8] ^= mask;
    }
}

TEST(Aead, RefusesEveryFlippedBit) {
    for_each_sealed([](Sealed s, bool is_valid) {
        if (!is_valid) return;
        const auto check = [&] { expect_refused_and_wiped(s); };
        for_each_flip(s.sealed, check);
        for_each_flip(s.aad, check);
        for_each_flip(s.nonce, check);
        for_each_flip(s.key.fill(), check);
        ByteVector out(s.plaintext.size());
        EXPECT_TRUE(open(s, out).has_value());  // and nothing of it lingers
    });
}

TEST(Aead, RefusesWrongSizes) {
    const AeadKey key;
    const Nonce nonce{};
    const ByteVector plaintext(5);
    for (const TagSize tag : {TagSize::Short, TagSize::Long}) {
        for (const std::size_t size : {std::size_t{0}, 4 + size_of(tag), 6 + size_of(tag)}) {
            ByteVector out(size);
            const Status status = aead_seal({key, nonce, {}, tag}, plaintext, out);
            ASSERT_FALSE(status.has_value());
            EXPECT_EQ(status.error(), Error::InvalidArgument);
        }
        const ByteVector sealed(5 + size_of(tag));
        for (const std::size_t size : {0, 4, 6}) {
            ByteVector out(size);
            const Status status = aead_open({key, nonce, {}, tag}, sealed, out);
            ASSERT_FALSE(status.has_value());
            EXPECT_EQ(status.error(), Error::InvalidArgument);
        }
        for (std::size_t size = 0; size < size_of(tag); ++size) {
            const Status status =
                aead_open({key, nonce, {}, tag}, Bytes{sealed}.first(size), MutBytes{});
            ASSERT_FALSE(status.has_value());
            EXPECT_EQ(status.error(), Error::Truncated);
        }
    }
}

TEST(Aead, TakesTheLargestPlaintextAndRefusesALargerOne) {
    const AeadKey key;
    const Nonce nonce{};
    ByteVector sealed(kAeadPlaintextSizeMax + 8);
    const ByteVector plaintext(kAeadPlaintextSizeMax + 1, 0x55);
    const Bytes largest = Bytes{plaintext}.first(kAeadPlaintextSizeMax);
    ASSERT_TRUE(aead_seal({key, nonce, {}, TagSize::Short}, largest, sealed).has_value());
    ByteVector opened(kAeadPlaintextSizeMax);
    ASSERT_TRUE(aead_open({key, nonce, {}, TagSize::Short}, sealed, opened).has_value());
    EXPECT_TRUE(equal(opened, largest));

    sealed.push_back(0);
    Status status = aead_seal({key, nonce, {}, TagSize::Short}, plaintext, sealed);
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error(), Error::TooLarge);
    opened.push_back(0);
    status = aead_open({key, nonce, {}, TagSize::Short}, sealed, opened);
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error(), Error::TooLarge);
}

// --- Diffie-Hellman

DhPrivateKey private_key(const Vector& v) {
    auto key = dh_private_from_candidate(exactly<kDhSize>(v.bytes("private")));
    EXPECT_TRUE(key.has_value()) << v.text("id");
    return *std::move(key);
}

std::string agree(const DhPrivateKey& key, const DhPublicKey& peer) {
    const auto secret = dh_agree(key, peer);
    EXPECT_TRUE(secret.has_value());
    return hex(secret->expose());
}

TEST(Dh, AgreesWithWycheproofOnWholePoints) {
    for (const Vector& v : load_vectors("crypto/wycheproof_ecdh_p256.txt")) {
        if (!v.has("y")) continue;
        const auto peer = dh_import(exactly<kDhSize>(v.bytes("x")), exactly<kDhSize>(v.bytes("y")));
        ASSERT_EQ(peer.has_value(), v.text("result") == "valid") << v.text("id");
        if (!peer) {
            EXPECT_EQ(peer.error(), Error::Malformed);
        } else {
            EXPECT_EQ(agree(private_key(v), *peer), v.text("shared")) << v.text("id");
        }
    }
}

// An x alone names two points with the same secret: both kinds of vector must fit.
TEST(Dh, AgreesWithWycheproofOnXAlone) {
    for (const Vector& v : load_vectors("crypto/wycheproof_ecdh_p256.txt")) {
        if (v.has("y") && v.text("result") != "valid") continue;  // its y is what is wrong
        const auto peer = dh_import_x(exactly<kDhSize>(v.bytes("x")));
        ASSERT_EQ(peer.has_value(), v.text("result") == "valid") << v.text("id");
        if (!peer) {
            EXPECT_EQ(peer.error(), Error::Malformed);
            continue;
        }
        EXPECT_EQ(peer->y[kDhSize - 1] & 1, 0) << "the even y is promised";
        EXPECT_TRUE(dh_import(peer->x, peer->y).has_value());
        EXPECT_EQ(agree(private_key(v), *peer), v.text("shared")) << v.text("id");
    }
}

TEST(Dh, RefusesKnownBadX) {
    for (const Vector& v : load_vectors("crypto/p256_bad_x.txt")) {
        const auto peer = dh_import_x(exactly<kDhSize>(v.bytes("x")));
        ASSERT_FALSE(peer.has_value()) << v.text("comment");
        EXPECT_EQ(peer.error(), Error::Malformed);
    }
}

TEST(Dh, RefusesCoordinatesThatAreRightOnlyModuloThePrime) {
    for (const Vector& v : load_vectors("crypto/p256_unreduced.txt")) {
        const auto point =
            dh_import(exactly<kDhSize>(v.bytes("x")), exactly<kDhSize>(v.bytes("y")));
        ASSERT_FALSE(point.has_value()) << v.text("comment");
        EXPECT_EQ(point.error(), Error::Malformed);
    }
}

TEST(Dh, RefusesAFlippedBitOfAWholePoint) {
    const auto vectors = load_vectors("crypto/agreement_dh.txt");
    ByteVector x = vectors.front().bytes("x");
    ByteVector y = vectors.front().bytes("y");
    const auto check = [&] {
        EXPECT_FALSE(dh_import(exactly<kDhSize>(x), exactly<kDhSize>(y)).has_value());
    };
    for_each_flip(x, check);
    for_each_flip(y, check);
}

TEST(Dh, TakesOnlyScalarsInsideTheGroup) {
    for (const Vector& v : load_vectors("crypto/p256_candidates.txt")) {
        const auto key = dh_private_from_candidate(exactly<kDhSize>(v.bytes("private")));
        ASSERT_EQ(key.has_value(), v.text("result") == "valid") << v.text("comment");
        if (!key) {
            EXPECT_EQ(key.error(), Error::InvalidArgument);
        } else {
            EXPECT_EQ(hex(dh_public(*key).x), v.text("x")) << v.text("comment");
            EXPECT_EQ(hex(dh_public(*key).y), v.text("y")) << v.text("comment");
        }
    }
}

// The same values from every port, so that a device and an app may be built on different ones.
TEST(Dh, GivesTheRecordedPointsAndSecrets) {
    for (const Vector& v : load_vectors("crypto/agreement_dh.txt")) {
        const DhPrivateKey key = private_key(v);
        const DhPublicKey own = dh_public(key);
        EXPECT_EQ(hex(own.x), v.text("x"));
        EXPECT_EQ(hex(own.y), v.text("y"));
        const auto peer = dh_import_x(exactly<kDhSize>(v.bytes("peer_x")));
        ASSERT_TRUE(peer.has_value());
        EXPECT_EQ(hex(peer->y), v.text("peer_even_y"));
        EXPECT_EQ(agree(key, *peer), v.text("shared"));
    }
}

TEST(Dh, BothSidesAgreeByXAndByWholePoint) {
    ByteVector seed(kDhSize, 1);
    for (int round = 0; round < 50; ++round) {
        const Hash a_bytes = sha256(seed, as_bytes("a"));
        const Hash b_bytes = sha256(seed, as_bytes("b"));
        const auto a = dh_private_from_candidate(a_bytes);
        const auto b = dh_private_from_candidate(b_bytes);
        ASSERT_TRUE(a.has_value() && b.has_value());
        const DhPublicKey a_public = dh_public(*a);
        const DhPublicKey b_public = dh_public(*b);
        const auto a_by_x = dh_import_x(a_public.x);
        ASSERT_TRUE(a_by_x.has_value());
        const std::string secret = agree(*a, b_public);
        EXPECT_EQ(agree(*b, a_public), secret);
        EXPECT_EQ(agree(*b, *a_by_x), secret);
        seed.assign(a_bytes.begin(), a_bytes.end());
    }
}

// --- ECDSA

DhPublicKey public_key(const Vector& v) {
    const auto key = dh_import(exactly<kDhSize>(v.bytes("x")), exactly<kDhSize>(v.bytes("y")));
    EXPECT_TRUE(key.has_value()) << v.text("id");
    return key ? *key : DhPublicKey{};
}

TEST(Ecdsa, AgreesWithThePublishedVectors) {
    for (const char* file : {"crypto/rfc6979_p256.txt", "crypto/wycheproof_ecdsa_p256.txt"}) {
        for (const Vector& v : load_vectors(file)) {
            const Hash hash = sha256(v.bytes("message"));
            const ByteVector signature = v.bytes("signature");
            EXPECT_EQ(verify_signature(public_key(v), hash, exactly<kSignatureSize>(signature)),
                      v.text("result") == "valid")
                << file << " " << v.text("id");
        }
    }
}

TEST(Ecdsa, RefusesEveryFlippedBit) {
    const Vector v = load_vectors("crypto/rfc6979_p256.txt").front();
    const DhPublicKey key = public_key(v);
    Hash hash = sha256(v.bytes("message"));
    ByteVector signature = v.bytes("signature");
    const auto check = [&] {
        EXPECT_FALSE(verify_signature(key, hash, exactly<kSignatureSize>(signature)));
    };
    for_each_flip(signature, check);
    for_each_flip(hash, check);
    EXPECT_TRUE(verify_signature(key, hash, exactly<kSignatureSize>(signature)));
}

}  // namespace
}  // namespace sotto::crypto
