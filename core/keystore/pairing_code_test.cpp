// SPDX-License-Identifier: Apache-2.0
#include "core/keystore/pairing_code.hpp"

#include <string>

#include <gtest/gtest.h>

#include "testing/vectors.hpp"

namespace sotto::keystore {
namespace {

std::string encode(const PairingCode& code) {
    std::array<char, kPairingCodeSize> out{};
    return std::string{encode_pairing_code(code, out)};
}

std::string good() {
    return testing::load_vectors("keystore/pairing_code.txt").back().text("code");
}

TEST(PairingCode, AgreesWithAnotherBase32) {
    for (const auto& vector : testing::load_vectors("keystore/pairing_code.txt")) {
        const auto code = parse_pairing_code(vector.text("code"));
        ASSERT_TRUE(code) << vector.text("code");
        EXPECT_TRUE(equal(code->credential_hash_prefix, vector.bytes("hash")));
        EXPECT_TRUE(ct_equal(code->secret.expose(), vector.bytes("secret")));
        EXPECT_EQ(encode(*code), vector.text("code"));
    }
}

TEST(PairingCode, TakesWhatPeopleTypeAndPaste) {
    std::string lower = good();
    for (char& c : lower) c = static_cast<char>(std::tolower(c));
    for (const std::string& text : {lower, " " + good() + "\r\n", "\t" + lower + "  "}) {
        const auto code = parse_pairing_code(text);
        ASSERT_TRUE(code) << text;
        EXPECT_EQ(encode(*code), good());
    }
}

TEST(PairingCode, EachMistakeHasItsName) {
    using enum PairingCodeError;
    std::string misread = good();
    misread.back() = misread.back() == 'B' ? 'C' : 'B';
    std::string foreign = good();
    foreign[10] = '0';
    const struct {
        std::string text;
        PairingCodeError error;
    } cases[] = {
        {"", NotACode},
        {" \n", NotACode},
        {"SOTT", NotACode},
        {"https://example.org", NotACode},
        {"SOTTO:", WrongSize},
        {"SOTTO:1", WrongSize},
        {"SOTTO:2" + good().substr(7), OtherVersion},
        {"SOTTO:" + good().substr(7), OtherVersion},
        {good().substr(0, kPairingCodeSize - 1), WrongSize},
        {good() + "A", WrongSize},
        {good() + "=", BadDigit},
        {good().substr(0, 20) + " " + good().substr(21), BadDigit},
        {good().substr(0, 20) + std::string(1, '\0') + good().substr(21), BadDigit},
        {foreign, BadDigit},
        {misread, NotCanonical},
    };
    for (const auto& item : cases) {
        const auto code = parse_pairing_code(item.text);
        ASSERT_FALSE(code) << item.text;
        EXPECT_EQ(code.error(), item.error) << item.text;
        EXPECT_NE(to_string(code.error()), "?");
    }
}

}  // namespace
}  // namespace sotto::keystore
