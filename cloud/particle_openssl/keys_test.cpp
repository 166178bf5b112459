// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle_openssl/keys.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "cloud/particle/key_files.hpp"
#include "testing/particle/legacy_keys.hpp"

namespace sotto::cloud::particle_openssl {
namespace {

class KeyFiles : public ::testing::Test {
  protected:
    KeyFiles() { std::filesystem::create_directories(folder_); }
    ~KeyFiles() override { std::filesystem::remove_all(folder_); }

    // What users have: keys made by the openssl command.
    std::string openssl(const std::string& arguments, const std::string& file) {
        const std::string command =
            "cd " + folder_ + " && openssl " + arguments + " >/dev/null 2>&1";
        EXPECT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(concurrency-mt-unsafe)
        std::ifstream in(folder_ + "/" + file, std::ios::binary);
        std::stringstream text;
        text << in.rdbuf();
        return text.str();
    }
    void write(const std::string& file, const std::string& text) const {
        std::ofstream(folder_ + "/" + file, std::ios::binary) << text;
    }

    std::string folder_ = ::testing::TempDir() + "/particle_keys";
};

TEST_F(KeyFiles, ADeviceKeyIsReadInEveryFormOfTheTools) {
    openssl("genrsa -traditional -out device.pem 1024", "device.pem");
    const std::string pem =
        openssl("rsa -in device.pem -pubout -out device.pub.pem", "device.pub.pem");
    const std::string der =
        openssl("rsa -in device.pem -pubout -outform DER -out device.pub.der", "device.pub.der");
    const auto of_pem = read_device_key(as_bytes(pem));
    ASSERT_TRUE(of_pem);
    EXPECT_EQ(of_pem->size(), 162U);
    EXPECT_EQ(as_text(*of_pem), der);
    const auto of_der = read_device_key(as_bytes(der));
    ASSERT_TRUE(of_der);
    EXPECT_EQ(*of_der, *of_pem);
    EXPECT_EQ(to_pem(*of_pem), pem);
}

TEST_F(KeyFiles, APairForADeviceHasTheShapeThatItKnowsAndIsOneKey) {
    const auto pair = DevicePair::generate();
    ASSERT_TRUE(pair);
    EXPECT_TRUE(particle::has_device_shape(pair->private_der()));
    const auto device = testing::LegacyKey::from(pair->private_der());
    EXPECT_EQ(device.public_der(), pair->public_der());
    write("made.der", std::string{as_text(pair->private_der())});
    openssl("rsa -inform DER -in made.der -check -out made.pem", "made.pem");
    EXPECT_EQ(*read_device_key(
                  as_bytes(openssl("rsa -in made.pem -pubout -out made.pub.pem", "made.pub.pem"))),
              pair->public_der());
}

TEST_F(KeyFiles, AKeyOfAnotherShapeIsNoneForADevice) {
    const auto pair = *DevicePair::generate();
    const std::vector<std::uint8_t> good{pair.private_der().begin(), pair.private_der().end()};
    std::vector<std::uint8_t> bad = good;
    bad.pop_back();
    EXPECT_FALSE(particle::has_device_shape(bad));
    bad = good;
    bad.push_back(0);
    EXPECT_FALSE(particle::has_device_shape(bad));
    for (const std::size_t at : {0U, 1U, 2U, 4U, 8U, 9U, 10U, 11U, 140U}) {
        bad = good;
        bad[at] ^= 0x80;
        EXPECT_FALSE(particle::has_device_shape(bad)) << at;
    }
    EXPECT_FALSE(particle::has_device_shape({}));
    openssl("genrsa -traditional -out p1.pem 1024", "p1.pem");
    const std::string pkcs8 =
        openssl("pkcs8 -topk8 -nocrypt -in p1.pem -outform DER -out p8.der", "p8.der");
    EXPECT_FALSE(particle::has_device_shape(as_bytes(pkcs8)));
}

TEST_F(KeyFiles, WhatIsNoPublicRsa1024KeyIsNotTaken) {
    const std::string own = openssl("genrsa -traditional -out a.pem 1024", "a.pem");
    EXPECT_FALSE(read_device_key(as_bytes(own)));  // the private half
    openssl("genrsa -out b.pem 2048", "b.pem");
    EXPECT_FALSE(read_device_key(as_bytes(openssl("rsa -in b.pem -pubout -out b.pub", "b.pub"))));
    openssl("genrsa -3 -out c.pem 1024", "c.pem");
    EXPECT_FALSE(read_device_key(as_bytes(openssl("rsa -in c.pem -pubout -out c.pub", "c.pub"))));
    openssl("ecparam -name prime256v1 -genkey -noout -out d.pem", "d.pem");
    EXPECT_FALSE(read_device_key(as_bytes(openssl("ec -in d.pem -pubout -out d.pub", "d.pub"))));
    std::string der = openssl("rsa -in a.pem -pubout -outform DER -out a.der", "a.der");
    EXPECT_FALSE(read_device_key(as_bytes(der + "x")));
    EXPECT_FALSE(read_device_key(as_bytes(der.substr(0, 100))));
    EXPECT_FALSE(read_device_key({}));
}

TEST_F(KeyFiles, TheServersKeyIsWrittenAsTheToolsReadIt) {
    const auto key = ServerKey::generate();
    ASSERT_TRUE(key);
    write("default_key.pem", key->private_pem());
    EXPECT_EQ(openssl("rsa -in default_key.pem -pubout -out p.pem", "p.pem"), key->public_pem());
    const std::string der =
        openssl("rsa -in default_key.pem -pubout -outform DER -out p.der", "p.der");
    EXPECT_EQ(as_text(key->public_der()), der);
    EXPECT_EQ(der.size(), 294U);
    const auto again = ServerKey::read(key->private_pem());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->public_der(), key->public_der());
}

TEST_F(KeyFiles, AServersKeyOfAnOlderServerIsRead) {
    EXPECT_TRUE(ServerKey::read(openssl("genrsa -traditional -out old.pem 2048", "old.pem")));
    EXPECT_FALSE(ServerKey::read(openssl("genrsa -out small.pem 1024", "small.pem")));
    EXPECT_FALSE(ServerKey::read(openssl(
        "genrsa -traditional -aes128 -passout pass:secret -out sealed.pem 2048", "sealed.pem")));
    EXPECT_FALSE(ServerKey::read("nothing"));
    EXPECT_FALSE(ServerKey::read(""));
}

TEST(HandshakeCrypto, AValueAboveTheModulusIsAnErrorAndTheNextOneWorks) {
    const auto key = ServerKey::generate();
    const auto crypto = key->make_crypto();
    std::array<std::uint8_t, 256> in{};
    std::array<std::uint8_t, 256> out{};
    in.fill(0xff);
    EXPECT_EQ(crypto->private_operation(in, out).error(), Error::Malformed);
    in.fill(0);
    in[255] = 1;
    ASSERT_TRUE(crypto->private_operation(in, out));
    EXPECT_EQ(out, in);  // 1 to any power
}

// Whatever is changed about a key, it is refused or is another key: nothing else happens.
TEST(HandshakeCrypto, OnlyAKeyOfTheOneShapeIsEncryptedTo) {
    const auto crypto = ServerKey::generate()->make_crypto();
    const particle::DeviceKey key = testing::LegacyKey::generate().public_der();
    const std::array<std::uint8_t, 40> credentials{1};
    std::array<std::uint8_t, 128> out{};
    EXPECT_TRUE(crypto->encrypt_for_device(key, credentials, out));
    for (std::size_t place = 0; place < key.size(); ++place) {
        particle::DeviceKey changed = key;
        changed[place] ^= 0x81;
        const bool is_modulus = place > 29 && place < 29 + 127;
        EXPECT_EQ(crypto->encrypt_for_device(changed, credentials, out).has_value(), is_modulus)
            << place;
        if (!is_modulus) {
            EXPECT_EQ(crypto->encrypt_for_device(changed, credentials, out).error(),
                      Error::Malformed);
        }
    }
    particle::DeviceKey longer = key;
    longer.push_back(0);
    EXPECT_FALSE(crypto->encrypt_for_device(longer, credentials, out));
}

TEST(HandshakeCrypto, NoTwoEncryptionsAreTheSameAndEachIsOpened) {
    const auto server = *ServerKey::generate();
    const auto crypto = server.make_crypto();
    const auto device = testing::LegacyKey::generate();
    std::set<std::array<std::uint8_t, particle::kAnswerSize>> seen;
    for (int i = 0; i < 300; ++i) {
        const auto agreement = particle::agree(*crypto, device.public_der());
        ASSERT_TRUE(agreement);
        EXPECT_TRUE(seen.insert(agreement->message).second);
        const auto opened = device.open(server.public_der(), agreement->message);
        ASSERT_TRUE(opened) << i;
        EXPECT_TRUE(equal(*opened, agreement->credentials.expose()));
    }
}

TEST(HandshakeCrypto, HmacIsThatOfTheVectors) {
    std::array<std::uint8_t, 128> message{};
    for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::uint8_t>(i);
    std::vector<std::uint8_t> key;
    for (int i = 0; i < 32; ++i) key.push_back(static_cast<std::uint8_t>(i));
    key.insert(key.end(), {0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x07, 0x18});
    std::array<std::uint8_t, 20> mac{};
    ServerKey::generate()->make_crypto()->hmac_sha1(key, message, mac);
    const std::array<std::uint8_t, 20> wanted{0x07, 0xe8, 0xf0, 0xca, 0x28, 0xc0, 0x41,
                                              0x0e, 0x59, 0xae, 0x08, 0x52, 0xe7, 0x6f,
                                              0xcf, 0x52, 0x16, 0x32, 0xed, 0xf9};
    EXPECT_EQ(mac, wanted);
}

}  // namespace
}  // namespace sotto::cloud::particle_openssl
