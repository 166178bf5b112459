// SPDX-License-Identifier: Apache-2.0
#include "core/session/access_token.hpp"

#include <gtest/gtest.h>

#include "core/cbor/writer.hpp"
#include "core/session/device_test.hpp"
#include "testing/vectors.hpp"

namespace sotto::session {
namespace {

using Token = std::vector<std::uint8_t>;

class AccessTokenTest : public ::testing::Test {
  protected:
    Token issue(const Grant& grant) {
        std::array<std::uint8_t, keystore::kTokenSizeMax> buffer;
        const auto token = issue_token(grant, key_, buffer);
        EXPECT_TRUE(token);
        return token ? Token{token->begin(), token->end()} : Token{};
    }
    // A token with these claims, made with the right key.
    Token seal(const cbor::Writer& claims) {
        std::array<std::uint8_t, 256> buffer;
        cbor::Writer writer{buffer};
        const std::array<std::uint8_t, 3> header{0xa1, 0x01, 0x05};
        writer.tag(17).array(4).bytes(header).map(0).bytes(claims.written());
        const Bytes token = writer.bytes(mac0_tag(key_.expose(), claims.written())).written();
        return {token.begin(), token.end()};
    }
    Status open(const Token& token) { return open_token(token, key_, opened_); }
    cbor::Writer claims(std::size_t count) {
        cbor::Writer writer{buffer_};
        writer.map(count);
        return writer;
    }

    const keystore::TokenKey key_{std::array<std::uint8_t, 32>{1, 2, 3}};
    const keystore::TokenId id_{9, 8, 7, 6};
    const crypto::Hash holder_{4, 4, 4};
    const Grant grant_{.id = id_, .holder = holder_, .not_after = 1'900'000'000};
    std::array<std::uint8_t, 200> buffer_{};
    Grant opened_;
};

TEST_F(AccessTokenTest, HasTheTagOfTheCoseExample) {
    for (const testing::Vector& vector : testing::load_vectors("cose/mac0.txt")) {
        const crypto::Hash tag = mac0_tag(vector.bytes("key"), vector.bytes("payload"));
        EXPECT_EQ(Token(tag.begin(), tag.end()), vector.bytes("tag"));
    }
}

TEST_F(AccessTokenTest, SaysWhatWasGranted) {
    const std::array<std::uint8_t, 1> scope{0x80};
    Grant grant = grant_;
    grant.scope = scope;
    const Token token = issue(grant);
    ASSERT_TRUE(open(token));
    EXPECT_EQ(opened_.id, id_);
    EXPECT_EQ(opened_.holder, holder_);
    EXPECT_EQ(opened_.not_after, 1'900'000'000U);
    ASSERT_TRUE(opened_.scope);
    EXPECT_TRUE(equal(*opened_.scope, scope));
}

TEST_F(AccessTokenTest, WithoutEndAndScopeItHasNeither) {
    ASSERT_TRUE(open(issue({.id = id_, .holder = holder_})));
    EXPECT_EQ(opened_.not_after, Grant::kNever);
    EXPECT_FALSE(opened_.scope);
}

TEST_F(AccessTokenTest, AScopeThatIsTooLongIsNoToken) {
    const std::array<std::uint8_t, keystore::kTokenSizeMax> scope{};
    std::array<std::uint8_t, keystore::kTokenSizeMax> buffer;
    Grant grant = grant_;
    for (std::size_t size = 80; size <= scope.size(); ++size) {
        grant.scope = Bytes{scope}.first(size);
        const auto token = issue_token(grant, key_, buffer);
        if (token) {
            EXPECT_LE(token->size(), keystore::kTokenSizeMax);
            continue;
        }
        EXPECT_EQ(token.error(), Error::NoSpace);
        EXPECT_GE(size, 90U);
    }
    EXPECT_FALSE(issue_token(grant, key_, buffer));
}

TEST_F(AccessTokenTest, NoFlippedBitAndNoOtherKeyOpensIt) {
    const Token token = issue(grant_);
    for (std::size_t bit = 0; bit < 8 * token.size(); ++bit) {
        Token other = token;
        other[bit / 8] = static_cast<std::uint8_t>(other[bit / 8] ^ 1U << bit % 8);
        EXPECT_FALSE(open(other)) << bit;
    }
    for (std::size_t size = 0; size < token.size(); ++size) {
        EXPECT_FALSE(open({token.begin(), token.begin() + std::ptrdiff_t(size)})) << size;
    }
    Token longer = token;
    longer.push_back(0);
    EXPECT_FALSE(open(longer));
    const keystore::TokenKey other{std::array<std::uint8_t, 32>{1, 2, 4}};
    EXPECT_EQ(open_token(token, other, opened_).error(), Error::Unauthenticated);
    EXPECT_TRUE(open(token));
}

TEST_F(AccessTokenTest, AClaimThatIsNotKnownIsNotPassedOver) {
    cbor::Writer writer = claims(3);
    writer.uint(5).uint(1).uint(7).bytes(id_);  // nbf
    writer.uint(8).map(1).uint(3).bytes(holder_);
    EXPECT_EQ(open(seal(writer)).error(), Error::Malformed);
}

TEST_F(AccessTokenTest, WithoutIdOrHolderItIsNone) {
    cbor::Writer no_holder = claims(1);
    no_holder.uint(7).bytes(id_);
    EXPECT_FALSE(open(seal(no_holder)));
    cbor::Writer no_id = claims(1);
    no_id.uint(8).map(1).uint(3).bytes(holder_);
    EXPECT_FALSE(open(seal(no_id)));
    cbor::Writer twice = claims(3);
    twice.uint(7).bytes(id_).uint(7).bytes(id_).uint(8).map(1).uint(3).bytes(holder_);
    EXPECT_FALSE(open(seal(twice)));
}

TEST_F(AccessTokenTest, AScopeGivesWhatItNamesAndNothingElse) {
    const Lamp lamp;
    cbor::Writer writer{buffer_};
    writer.array(6);
    writer.array(2).text("/f/lamp").uint(2);
    writer.array(2).text("/v/note").uint(3);  // GET and POST
    writer.array(2).text("/f/note").uint(1);  // GET gives no call
    writer.array(2).text("/f/nothing").uint(2);
    writer.array(2).text("/m/owner").uint(0xff);
    writer.array(2).text("f/list").uint(2);
    Permissions permissions;
    ASSERT_TRUE(parse_scope(writer.written(), lamp, permissions));
    EXPECT_TRUE(permissions.has(ResourceKind::Function, 0));
    EXPECT_TRUE(permissions.has(ResourceKind::Variable, 1));
    for (int index = 1; index < 256; ++index) {
        EXPECT_FALSE(permissions.has(ResourceKind::Function, static_cast<std::uint8_t>(index)));
    }
    EXPECT_FALSE(permissions.has(ResourceKind::Variable, 0));
    EXPECT_FALSE(permissions.has(ResourceKind::Event, 0));
}

TEST_F(AccessTokenTest, AScopeThatIsNoneGivesNothing) {
    const Lamp lamp;
    Permissions permissions;
    EXPECT_FALSE(parse_scope({}, lamp, permissions));
    cbor::Writer writer{buffer_};
    writer.array(1).array(3).text("/f/lamp").uint(2).uint(2);
    EXPECT_FALSE(parse_scope(writer.written(), lamp, permissions));
    cbor::Writer nothing{buffer_};
    nothing.array(0);
    ASSERT_TRUE(parse_scope(nothing.written(), lamp, permissions));
    EXPECT_FALSE(permissions.has(ResourceKind::Function, 0));
}

}  // namespace
}  // namespace sotto::session
