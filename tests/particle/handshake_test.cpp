// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/handshake.hpp"

#include <gtest/gtest.h>

#include "tests/particle/pair.hpp"

namespace sotto::tests {
namespace {

using Stage = Handshake::Stage;

constexpr Instant kNow{1'000'000};

Nonce some_nonce() {
    Nonce nonce{};
    for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<std::uint8_t>(i + 1);
    return nonce;
}

// nonce, id and key of a device, as it would send them.
std::vector<std::uint8_t> introduction(const Nonce& nonce, Bytes key) {
    std::vector<std::uint8_t> plain(nonce.begin(), nonce.end());
    plain.insert(plain.end(), kLegacyId.begin(), kLegacyId.end());
    plain.insert(plain.end(), key.begin(), key.end());
    return plain;
}

KeyMessage seal(const Nonce& nonce, Bytes plain) {
    KeyMessage message{.nonce = nonce};
    message.sealed = device_key().seal_to_server(server_key().public_der(), plain);
    return message;
}

TEST(ParticleHandshake, ADeviceIsLetInUnderTheStoredKeyAndBothHaveTheSameCredentials) {
    const auto crypto = server_key().make_crypto();
    const Nonce nonce = some_nonce();
    const auto opened =
        open_key_message(*crypto, seal(nonce, introduction(nonce, device_key().public_der())));
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->device, kLegacyId);
    EXPECT_EQ(opened->reported_key, device_key().public_der());
    const auto agreement = agree(*crypto, device_key().public_der());
    ASSERT_TRUE(agreement);
    const auto credentials = device_key().open(server_key().public_der(), agreement->message);
    ASSERT_TRUE(credentials);
    EXPECT_TRUE(equal(*credentials, agreement->credentials.expose()));
}

TEST(ParticleHandshake, TheFirstFirmwareSentNoKey) {
    const Nonce nonce = some_nonce();
    const auto opened =
        open_key_message(*server_key().make_crypto(), seal(nonce, introduction(nonce, {})));
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->reported_key.empty());
}

TEST(ParticleHandshake, EveryFailureOfTheKeyMessageIsTheSameError) {
    const auto crypto = server_key().make_crypto();
    const Nonce nonce = some_nonce();
    const auto right = introduction(nonce, device_key().public_der());
    Nonce other = nonce;
    other[39] ^= 1;
    KeyMessage noise = seal(nonce, right);
    noise.sealed[100] ^= 1;
    KeyMessage above_modulus = seal(nonce, right);
    above_modulus.sealed.fill(0xff);
    KeyMessage zero = seal(nonce, right);
    zero.sealed.fill(0);
    KeyMessage one = zero;
    one.sealed[255] = 1;
    for (const KeyMessage& bad : {seal(other, right),
                                  noise,
                                  above_modulus,
                                  zero,
                                  one,
                                  seal(nonce, Bytes{right}.first(51)),
                                  seal(nonce, {})}) {
        const auto opened = open_key_message(*crypto, bad);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error(), Error::Unauthenticated);
    }
}

// A server key whose operation gives the block that the test wants.
class Block final : public HandshakeCrypto {
  public:
    std::array<std::uint8_t, 256> block{};
    Status private_operation(BytesN<256> /*in*/, MutBytesN<256> out) override {
        std::copy(block.begin(), block.end(), out.begin());
        return {};
    }
    Status encrypt_for_device(Bytes, BytesN<40>, MutBytesN<128>) override { return {}; }
    void hmac_sha1(Bytes, Bytes, MutBytesN<20>) override {}
    Status fill_random(MutBytes) override { return {}; }
};

Block block_with(const Nonce& nonce, std::size_t padding) {
    Block block;
    block.block.fill(0x77);
    block.block[0] = 0;
    block.block[1] = 2;
    block.block[2 + padding] = 0;
    std::copy(nonce.begin(), nonce.end(), block.block.begin() + static_cast<long>(3 + padding));
    return block;
}

TEST(ParticleHandshake, ThePaddingIsHeldAgainstItsGrammarAtEveryLength) {
    const Nonce nonce = some_nonce();
    for (std::size_t padding = 0; padding <= 256 - 3 - 40; ++padding) {
        Block block = block_with(nonce, padding);
        const auto opened = open_key_message(block, {.nonce = nonce});
        const bool is_right = padding >= 8 && 256 - 3 - padding >= 52;
        EXPECT_EQ(opened.has_value(), is_right) << padding;
        if (opened) {
            EXPECT_EQ(opened->reported_key.size(), 256 - 3 - padding - 52);
        }
    }
}

TEST(ParticleHandshake, TheHeadOfThePaddingMatters) {
    const Nonce nonce = some_nonce();
    for (const auto& [place, value] :
         {std::pair{0, 1}, {0, 0x80}, {1, 1}, {1, 0}, {1, 3}, {1, 0x82}, {5, 0}}) {
        Block block = block_with(nonce, 39);
        block.block[static_cast<std::size_t>(place)] = static_cast<std::uint8_t>(value);
        EXPECT_FALSE(open_key_message(block, {.nonce = nonce})) << place << ' ' << value;
    }
    Block no_end = block_with(nonce, 39);
    for (auto& byte : no_end.block) byte = byte == 0 ? 1 : byte;
    no_end.block[0] = 0;
    EXPECT_FALSE(open_key_message(no_end, {.nonce = nonce}));
}

TEST(ParticleHandshake, AKeyThatIsNoneIsRefused) {
    const auto crypto = server_key().make_crypto();
    EXPECT_FALSE(agree(*crypto, {}));
    EXPECT_FALSE(agree(*crypto, as_bytes("no key at all")));
    EXPECT_FALSE(agree(*crypto, server_key().public_der()));  // of 2,048 bits
}

TEST(ParticleHandshake, TheBytesMayComeOneByOneAndNoMoreThanAllOfThem) {
    const Nonce nonce = some_nonce();
    const KeyMessage message = seal(nonce, introduction(nonce, {}));
    Handshake handshake{nonce, kNow};
    for (const std::uint8_t byte : message.sealed) {
        EXPECT_EQ(handshake.stage(), Stage::Reading);
        handshake.receive({&byte, 1}, kNow);
    }
    EXPECT_EQ(handshake.stage(), Stage::Answering);
    EXPECT_EQ(handshake.key_message().sealed, message.sealed);
    const std::uint8_t more = 0;
    handshake.receive({&more, 1}, kNow);
    EXPECT_EQ(handshake.stage(), Stage::Refused);
}

TEST(ParticleHandshake, WhateverIsWrongTheEndComesAtTheSameTime) {
    const Nonce nonce = some_nonce();
    const KeyMessage message = seal(nonce, introduction(nonce, device_key().public_der()));
    const Instant read_at = kNow + seconds(3);
    Handshake not_answered{nonce, kNow};
    not_answered.receive(message.sealed, read_at);
    not_answered.on_answered(Error::Unauthenticated);
    Handshake too_much{nonce, kNow};
    too_much.receive(std::vector<std::uint8_t>(message.sealed.size() + 1), read_at);
    for (const Handshake& handshake : {not_answered, too_much}) {
        EXPECT_EQ(handshake.stage(), Stage::Refused);
        EXPECT_FALSE(handshake.is_over(read_at + kRefusalTime - milliseconds(1)));
        EXPECT_TRUE(handshake.is_over(read_at + kRefusalTime));
    }
}

TEST(ParticleHandshake, SlowBytesEndWithTheirTime) {
    Handshake handshake{some_nonce(), kNow};
    const std::uint8_t byte = 0;
    handshake.receive({&byte, 1}, kNow + kKeyMessageTime - milliseconds(1));
    EXPECT_FALSE(handshake.is_over(kNow + kKeyMessageTime - milliseconds(1)));
    EXPECT_TRUE(handshake.is_over(kNow + kKeyMessageTime));
}

TEST(ParticleHandshake, EveryStageSurvivesEveryInput) {
    const Nonce nonce = some_nonce();
    const KeyMessage message = seal(nonce, introduction(nonce, {}));
    // Each input in each order of three.
    const auto apply = [&](Handshake& handshake, int input) {
        if (input == 0) handshake.receive(message.sealed, kNow);
        if (input == 1) handshake.on_answered({});
        if (input == 2) handshake.on_answered(Error::Malformed);
    };
    for (int order = 0; order < 27; ++order) {
        Handshake handshake{nonce, kNow};
        const int inputs[] = {order % 3, order / 3 % 3, order / 9};
        for (const int input : inputs) apply(handshake, input);
        EXPECT_EQ(handshake.stage(), Stage::Refused) << order;
        Handshake right{nonce, kNow};
        apply(right, inputs[0]);
        apply(right, inputs[1]);
        EXPECT_EQ(right.stage() == Stage::Done, inputs[0] == 0 && inputs[1] == 1) << order;
    }
}

}  // namespace
}  // namespace sotto::tests
