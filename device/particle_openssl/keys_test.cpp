// SPDX-License-Identifier: Apache-2.0
#include "device/particle_openssl/keys.hpp"

#include <gtest/gtest.h>

#include "core/base/hex.hpp"
#include "device/particle/channel.hpp"

namespace sotto::device::particle_openssl {
namespace {

using particle::Channel;
using Buffer = std::vector<std::uint8_t>;

// Made by `openssl genrsa 2048 | openssl rsa -pubout`.
constexpr std::string_view kServerPem = R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA3G+pspaYc/j2CEDnzkfo
w7t4qUapMbf16QP/q8mPfiOfNlNFVy3p9nzHEkLU1NEiFZfvlE+W+OW+yhmh10aT
xSayuhF9Q5y4T4hmlTfoY7rB3NeIRI5Ghr6FfZMaWb+kbi+k/VZSobThEeIrlYd0
jWxnyy4esZI0MpLLVw0/W7FEClhdoXZE32edqeS+A245c0WhHITjTKJLGEB7EChj
qpIGrVE2RKbQSvy8Bmx5Kavfi3Hqr7Fw1RqVWE8b0FxeN2qlh5P4Nc9Ljq+fpfYZ
6r6zne7qP03helzlA6P1ajSl6ybaKCb9y0NFypPoPbJY08Oc2gRWJnM3odlkMOfg
KQIDAQAB
-----END PUBLIC KEY-----
)";

std::unique_ptr<particle::Crypto> some_crypto() {
    return DeviceKey::generate()->make_crypto(*ServerKey::read(as_bytes(kServerPem)));
}

// From openssl's own command line: key 00..0f, IV 10..1f, salt a1b2c3d4e5f60718, one after the
// other.
TEST(Crypto, FramesAreThoseOfFirmware) {
    const std::pair<const char*, const char*> kFrames[] = {
        {"5002a1b3b168ff0067000800000067", "0010f463dbee7ae51314340b07abdebf5306"},
        {"4000a1b4", "00109bbc9d320f2b7f15c9f1a1bf0744377e"},
        {"5002a1b5b1450474656d70ff32312e35",
         "00208c3fcf1776ee0b6a28eb8d687615222c2aa2ba76fb01f8ac5d78eb5c7825ce19"},
        {"5002a1b6b1650d056d6f74696f6e2f66726f6e742d646f6f723133000e10ff6f70656e",
         "00309764beb5843c975aedfbe33ed3c9e60fcb05588790e9a90c2b7fb40aea1a83da4a284edc247164c675e17"
         "6"
         "c2ccbcb5f4"}};
    const auto crypto = some_crypto();
    const particle::Credentials credentials{Bytes{
        *from_hex<Buffer>(
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fa1b2c3d4e5f60718")}
                                                .first<40>()};
    Channel device{credentials};
    Channel server{credentials};
    for (const auto& [message, frame] : kFrames) {
        Buffer sealed;
        device.seal(*crypto, *from_hex<Buffer>(message), sealed);
        EXPECT_EQ(to_hex<std::string>(sealed), frame);
        Buffer plain(sealed.size() - 2);
        const auto opened = server.open(*crypto, Bytes{sealed}.subspan(2), plain);
        ASSERT_TRUE(opened);
        EXPECT_EQ(to_hex<std::string>(*opened), message);
    }
}

TEST(Crypto, TheMacIsHmacSha1UnderAllCredentials) {
    const Buffer key = *from_hex<Buffer>(
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fa1b2c3d4e5f60718");
    Buffer message(128);
    for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::uint8_t>(i);
    std::array<std::uint8_t, 20> mac{};
    some_crypto()->hmac_sha1(key, message, mac);
    EXPECT_EQ(to_hex<std::string>(mac), "07e8f0ca28c0410e59ae0852e76fcf521632edf9");
}

TEST(DeviceKey, IsReadAsItWasWritten) {
    const auto key = DeviceKey::generate();
    ASSERT_TRUE(key);
    const auto again = DeviceKey::read(key->private_pem());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->public_pem(), key->public_pem());
    EXPECT_NE(DeviceKey::generate()->public_pem(), key->public_pem());
}

TEST(DeviceKey, WhatIsNoneIsRefused) {
    const Buffer pem = DeviceKey::generate()->private_pem();
    EXPECT_FALSE(DeviceKey::read({}));
    EXPECT_FALSE(DeviceKey::read(Bytes{pem}.first(pem.size() / 2)));
    EXPECT_FALSE(DeviceKey::read(as_bytes(kServerPem)));
    Buffer damaged = pem;
    damaged[pem.size() / 2] = damaged[pem.size() / 2] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(DeviceKey::read(damaged));
}

TEST(ServerKey, IsTakenFromPemAndDerAndNothingElse) {
    EXPECT_TRUE(ServerKey::read(as_bytes(kServerPem)));
    const Buffer der = *from_hex<Buffer>(
        "30820122300d06092a864886f70d01010105000382010f003082010a0282010100dc6fa9b2969873f8f6"
        "0840e7ce47e8c3bb78a946a931b7f5e903ffabc98f7e239f365345572de9f67cc71242d4d4d1221597ef"
        "944f96f8e5beca19a1d74693c526b2ba117d439cb84f88669537e863bac1dcd788448e4686be857d931a"
        "59bfa46e2fa4fd5652a1b4e111e22b9587748d6c67cb2e1eb192343292cb570d3f5bb1440a585da17644"
        "df679da9e4be036e397345a11c84e34ca24b18407b102863aa9206ad513644a6d04afcbc066c7929abdf"
        "8b71eaafb170d51a95584f1bd05c5e376aa58793f835cf4b8eaf9fa5f619eabeb39deeea3f4de17a5ce5"
        "03a3f56a34a5eb26da2826fdcb4345ca93e83db258d3c39cda0456267337a1d96430e7e0290203010001");
    ASSERT_EQ(der.size(), 294U);
    EXPECT_TRUE(ServerKey::read(der));
    EXPECT_FALSE(ServerKey::read({}));
    EXPECT_FALSE(ServerKey::read(Bytes{der}.first(293)));
    Buffer longer = der;
    longer.push_back(0);
    EXPECT_FALSE(ServerKey::read(longer));
    const auto device = DeviceKey::generate();
    EXPECT_FALSE(ServerKey::read(as_bytes(device->public_pem()))) << "of 1,024 bits";
    EXPECT_FALSE(ServerKey::read(device->private_pem()));
}

}  // namespace
}  // namespace sotto::device::particle_openssl
