// SPDX-License-Identifier: Apache-2.0
#include "ports/openssl/sealed_file.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "core/crypto/hash.hpp"
#include "testing/seeded_entropy.hpp"
#include "testing/vectors.hpp"

namespace sotto::ports {
namespace {

constexpr ScryptCost kCheap{.log2_n = 4, .r = 1, .p = 1};

using Buffer = std::vector<std::uint8_t>;

TEST(Scrypt, GivesTheExamplesOfTheRfc) {
    for (const testing::Vector& vector : testing::load_vectors("scrypt/rfc7914.txt")) {
        const ScryptCost cost{static_cast<std::uint8_t>(vector.number("log2_n")),
                              static_cast<std::uint8_t>(vector.number("r")),
                              static_cast<std::uint8_t>(vector.number("p"))};
        Buffer out(64);
        ASSERT_TRUE(
            scrypt(as_bytes(vector.text("passphrase")), as_bytes(vector.text("salt")), cost, out));
        EXPECT_EQ(out, vector.bytes("output"));
    }
}

TEST(Scrypt, RefusesWhatWouldExhaustTheMachine) {
    Buffer out(32);
    constexpr ScryptCost kTooMuch[] = {
        {18, 9, 1}, {21, 1, 1}, {255, 1, 1}, {20, 255, 1}, {14, 8, 5}, {14, 8, 255}};
    for (const ScryptCost cost : kTooMuch)
        EXPECT_EQ(scrypt({}, {}, cost, out).error(), Error::TooLarge) << int{cost.log2_n};
    constexpr ScryptCost kNone[] = {{0, 8, 1}, {14, 0, 1}, {14, 8, 0}};
    for (const ScryptCost cost : kNone)
        EXPECT_EQ(scrypt({}, {}, cost, out).error(), Error::InvalidArgument);
    EXPECT_TRUE(scrypt({}, {}, ScryptCost{}, out)) << "the default cost is within the limits";
}

class SealedFile : public ::testing::Test {
  protected:
    Buffer seal(Bytes content) {
        Buffer file(content.size() + kSealedFileOverhead);
        EXPECT_TRUE(seal_file(content, as_bytes("passphrase"), kCheap, entropy_, file));
        return file;
    }
    static Error open_error(const Buffer& file, std::string_view passphrase = "passphrase") {
        Buffer out(file.size() < kSealedFileOverhead ? 0 : file.size() - kSealedFileOverhead);
        const Status opened = open_sealed_file(file, as_bytes(passphrase), out);
        EXPECT_FALSE(opened);
        EXPECT_EQ(out, Buffer(out.size())) << "nothing is given out";
        return opened.error();
    }
    // As somebody would who changes a file on purpose.
    static void repair_checksum(Buffer& file) {
        const auto hash = crypto::sha256(Bytes{file}.first(file.size() - 8));
        std::copy_n(hash.begin(), 8, file.end() - 8);
    }

    testing::SeededEntropy entropy_{1};
    const Bytes content_ = as_bytes("content");
};

TEST_F(SealedFile, IsOpenedByItsPassphraseAlone) {
    const Buffer file = seal(content_);
    Buffer out(content_.size());
    ASSERT_TRUE(open_sealed_file(file, as_bytes("passphrase"), out));
    EXPECT_TRUE(equal(out, content_));
    for (const char* wrong : {"", "Passphrase", "passphrase "})
        EXPECT_EQ(open_error(file, wrong), Error::Unauthenticated);
    EXPECT_TRUE(open_sealed_file(seal({}), as_bytes("passphrase"), {}));
}

TEST_F(SealedFile, IsAnotherOneEachTime) { EXPECT_NE(seal(content_), seal(content_)); }

TEST_F(SealedFile, EveryChangeIsNoticed) {
    const Buffer file = seal(content_);
    for (std::size_t i = 0; i < file.size(); ++i) {
        Buffer changed = file;
        changed[i] ^= 0x01;
        EXPECT_FALSE(check_sealed_file(changed)) << i;
        // The three bytes of the cost are left out: what they ask for may be dear.
        if ((i >= 9 && i < 12) || i >= file.size() - 8) continue;
        repair_checksum(changed);
        const Error error = open_error(changed);
        EXPECT_EQ(error,
                  i < 8    ? Error::Malformed
                  : i == 8 ? Error::Unsupported
                           : Error::Unauthenticated)
            << i;
    }
    for (std::size_t size = 0; size < file.size(); ++size)
        EXPECT_FALSE(check_sealed_file(Bytes{file}.first(size))) << size;
}

TEST_F(SealedFile, AHostileCostIsRefusedUnopened) {
    Buffer file = seal(content_);
    file[9] = 20;
    file[10] = 255;
    repair_checksum(file);
    EXPECT_EQ(check_sealed_file(file).error(), Error::TooLarge);
    EXPECT_EQ(open_error(file), Error::TooLarge);
    file[9] = 0;
    file[10] = 1;
    repair_checksum(file);
    EXPECT_EQ(check_sealed_file(file).error(), Error::Malformed);
}

TEST_F(SealedFile, TheCostIsAuthenticated) {
    Buffer file = seal(content_);
    file[9] = 5;
    repair_checksum(file);
    EXPECT_EQ(open_error(file), Error::Unauthenticated);
}

}  // namespace
}  // namespace sotto::ports
