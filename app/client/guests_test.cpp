// SPDX-License-Identifier: Apache-2.0
// What goes between owner and guest, and what the owner's app remembers of it.
#include <gtest/gtest.h>

#include "app/client/guest_list.hpp"
#include "app/client/invitation.hpp"
#include "core/cose/credential.hpp"
#include "core/edhoc/role.hpp"
#include "core/keystore/private_key.hpp"
#include "testing/memory_storage.hpp"
#include "testing/seeded_entropy.hpp"

namespace sotto::app {
namespace {

constexpr std::uint32_t kNow = 1'800'000'000;

keystore::CredentialBytes credential() {
    testing::SeededEntropy entropy{1};
    const edhoc::EphemeralKey key = edhoc::EphemeralKey::from(*keystore::draw_private_key(entropy));
    return keystore::CredentialBytes{cose::Credential::create("lamp 1", key.public_key)->bytes()};
}

TEST(Invitation, AKeyGoesThereAndBackHoweverItIsPasted) {
    const crypto::Hash hash{1, 2, 3};
    const std::string key = encode_key(hash);
    EXPECT_EQ(key.size(), 59U);
    EXPECT_EQ(*parse_key(key), hash);
    std::string pasted = " \n" + key.substr(0, 20) + "\r\n " + key.substr(20) + "\n";
    for (char& c : pasted) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(*parse_key(pasted), hash);
    for (std::size_t i = 0; i < key.size(); ++i) {
        EXPECT_FALSE(parse_key(key.substr(0, i))) << i;
    }
    EXPECT_FALSE(parse_key(key + "A"));
    EXPECT_FALSE(parse_key("SOTTO:I" + key.substr(7)));
}

TEST(Invitation, GoesThereAndBackAndNoPartOfItIsTaken) {
    const std::array<std::uint8_t, session::kTagKeySize> tag_key{1, 2, 3};
    const Invitation invitation{.device = credential(),
                                .token = keystore::TokenBytes{std::array<std::uint8_t, 3>{7, 8, 9}},
                                .name = "lamp in the hall",
                                .tag_key = session::TagKey{tag_key}};
    const std::string text = encode_invitation(invitation);
    const auto back = parse_invitation(text);
    ASSERT_TRUE(back);
    EXPECT_TRUE(equal(back->device, invitation.device));
    EXPECT_TRUE(equal(back->token, invitation.token));
    EXPECT_EQ(back->name, invitation.name);
    ASSERT_TRUE(back->tag_key);
    EXPECT_TRUE(equal(back->tag_key->expose(), tag_key));
    for (std::size_t i = 0; i < text.size(); ++i) {
        EXPECT_FALSE(parse_invitation(text.substr(0, i))) << i;
    }
}

TEST(Invitation, ANameThatCouldActOnATerminalIsRefused) {
    Invitation invitation{.device = credential(),
                          .token = keystore::TokenBytes{std::array<std::uint8_t, 1>{7}},
                          .name = "lamp\x1b[2J"};
    EXPECT_FALSE(parse_invitation(encode_invitation(invitation)));
    invitation.name.clear();
    ASSERT_TRUE(parse_invitation(encode_invitation(invitation)));
    EXPECT_FALSE(parse_invitation(encode_invitation(invitation))->tag_key) << "an earlier one";
    invitation.device.assign(std::array<std::uint8_t, 2>{1, 2});
    EXPECT_FALSE(parse_invitation(encode_invitation(invitation)));
}

TEST(GuestList, KeepsWhatItIsGivenAndNumbersIt) {
    testing::MemoryStorage storage;
    EXPECT_TRUE(load_guests(storage)->empty());
    Guest anna{.token = {1, 2, 3, 4}, .generation = 2, .not_after = kNow, .name = "Anna"};
    Guest berta{.token = {5}, .generation = 2, .not_after = kNow, .name = "B", .scope = "f/lamp"};
    ASSERT_TRUE(add_guest(storage, anna, kNow));
    ASSERT_TRUE(add_guest(storage, berta, kNow));
    EXPECT_EQ(berta.number, 2);
    anna.is_revoked = true;
    ASSERT_TRUE(store_guest(storage, anna));
    const auto guests = load_guests(storage);
    ASSERT_TRUE(guests);
    ASSERT_EQ(guests->size(), 2U);
    EXPECT_EQ((*guests)[0].token, anna.token);
    EXPECT_TRUE((*guests)[0].is_revoked);
    EXPECT_EQ((*guests)[0].name, "Anna");
    EXPECT_EQ((*guests)[1].scope, "f/lamp");
    EXPECT_EQ((*guests)[1].generation, 2U);
    EXPECT_EQ((*guests)[1].not_after, kNow);
}

TEST(GuestList, WhoIsOverMakesRoom) {
    testing::MemoryStorage storage;
    Guest guest{.generation = 2, .not_after = kNow};
    ASSERT_TRUE(add_guest(storage, guest, kNow));
    Guest next = guest;
    ASSERT_TRUE(add_guest(storage, next, kNow));
    EXPECT_EQ(next.number, 2);
    ASSERT_TRUE(add_guest(storage, next, kNow + 1)) << "the first has ended";
    EXPECT_EQ(next.number, 1);
    next.generation = 3;
    ASSERT_TRUE(add_guest(storage, next, kNow)) << "of a former pairing";
    EXPECT_EQ(next.number, 1);
}

TEST(GuestList, IsBounded) {
    testing::MemoryStorage storage;
    Guest guest{.generation = 2, .not_after = kNow};
    for (std::size_t i = 1; i <= kGuestsMax; ++i) {
        guest.number = static_cast<std::uint16_t>(i);
        ASSERT_TRUE(store_guest(storage, guest));
    }
    EXPECT_EQ(add_guest(storage, guest, kNow).error(), Error::Busy);
    EXPECT_TRUE(add_guest(storage, guest, kNow + 1));
    guest.name = std::string(kGuestNameSizeMax + 1, 'x');
    EXPECT_EQ(add_guest(storage, guest, kNow + 1).error(), Error::TooLarge);
}

}  // namespace
}  // namespace sotto::app
