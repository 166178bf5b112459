// SPDX-License-Identifier: Apache-2.0
// As account_contract.hpp: what every Store must do with accounts as an administrator sees them,
// programs of products and environment variables.
#pragma once

#include <string>
#include <vector>

#include "testing/product_contract.hpp"

namespace sotto::testing {

template <class Fixture>
class PeopleContract : public ProductContract<Fixture> {
  public:
    using Info = cloud::model::AccountInfo;
    using Changes = cloud::model::AccountChanges;
    using Environment = cloud::model::EnvironmentRecord;
    using Token = cloud::model::Token;
    using TokenInfo = cloud::model::TokenInfo;

    std::vector<Info> accounts() {
        return this
            ->template ask<std::vector<Info>>(
                [](auto& store, auto done) { store.list_accounts(done); })
            .value();
    }
    Status change(contract::AccountId account, Changes changes) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.update_account(account, changes, done); });
    }
    Status erase(contract::AccountId account) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.erase_account(account, done); });
    }
    Token api_user(std::uint8_t number, contract::AccountId account, std::uint16_t product) {
        return {.hash = contract::token_hash(number),
                .kind = contract::TokenKind::ApiUser,
                .account = account,
                .name = "robot" + std::to_string(number),
                .client = "friendly",
                .scopes = 5,
                .product = product};
    }
    Status add_token(const Token& token) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.add_token(token, contract::kNow, done); });
    }
    std::vector<TokenInfo> api_users(contract::AccountId account, std::uint16_t product) {
        return this
            ->template ask<std::vector<TokenInfo>>([&](auto& store, auto done) {
                store.list_api_users(account, cloud::model::ProductId{product}, done);
            })
            .value();
    }
    Environment environment(contract::AccountId account,
                            std::uint16_t product = 0,
                            std::optional<std::uint8_t> device = {}) {
        std::optional<cloud::model::DeviceId> id;
        if (device) id = contract::device_id(*device);
        return this
            ->template ask<Environment>([&](auto& store, auto done) {
                store.find_environment(account, cloud::model::ProductId{product}, id, done);
            })
            .value();
    }
    Status save(const Environment& record) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.save_environment(record, done); });
    }
};

TYPED_TEST_SUITE_P(PeopleContract);

TYPED_TEST_P(PeopleContract, AnAdministratorSeesAccountsAndWhatTheyHaveNoMore) {
    using namespace contract;
    ASSERT_TRUE(this->claim(1, this->ann_));
    EXPECT_TRUE(this->template ask<void>(
        [&](auto& store, auto done) { store.set_password(this->bob_, "line", done); }));
    EXPECT_TRUE(this->template ask<void>(
        [&](auto& store, auto done) { store.set_otp_secret(this->bob_, {1, 2}, done); }));
    EXPECT_TRUE(this->change(this->ann_, {.is_administrator = true}));
    EXPECT_TRUE(this->change(this->bob_, {.is_disabled = true}));
    EXPECT_EQ(this->change(AccountId{99}, {.is_disabled = true}).error(), Error::NotFound);
    this->fixture.reopen();
    if (!TypeParam::kRemembers) return;
    const auto list = this->accounts();
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0].name, "ann");
    EXPECT_TRUE(list[0].is_administrator);
    EXPECT_FALSE(list[0].is_disabled);
    EXPECT_FALSE(list[0].has_password);
    EXPECT_EQ(list[0].device_count, 1U);
    EXPECT_EQ(list[1].account, this->bob_);
    EXPECT_TRUE(list[1].is_disabled);
    EXPECT_TRUE(list[1].has_password);
    EXPECT_TRUE(list[1].has_second_factor);
    EXPECT_EQ(list[1].device_count, 0U);
}

TYPED_TEST_P(PeopleContract, ADisabledAccountHasNoAccessUntilItIsEnabled) {
    using namespace contract;
    ASSERT_TRUE(this->add_access(1, this->ann_));
    ASSERT_TRUE(this->add_access(2, this->ann_, {}, kNow, TokenKind::Account));
    ASSERT_TRUE(this->add_access(3, this->ann_, {}, kNow, TokenKind::Gateway));
    ASSERT_TRUE(this->add_access(4, this->ann_, {}, kNow, TokenKind::Refresh));
    ASSERT_TRUE(this->add_token(this->api_user(5, this->ann_, 1'000)));
    const auto holder = [&](std::uint8_t number, TokenKind kind) {
        return this->template ask<TokenHolder>(
            [&](auto& store, auto done) { store.find_token(token_hash(number), kind, done); });
    };
    const auto login = [this] {
        return this->template ask<Login>(
            [](auto& store, auto done) { store.find_login("ann", done); });
    };
    EXPECT_FALSE(login()->is_disabled);
    ASSERT_TRUE(this->change(this->ann_, {.is_administrator = true, .is_disabled = true}));
    EXPECT_TRUE(login()->is_disabled);
    for (const std::uint8_t number : {1, 2, 5})
        EXPECT_EQ(this->find_access(number).error(), Error::NotFound) << int{number};
    EXPECT_EQ(holder(2, TokenKind::Account).error(), Error::NotFound);
    EXPECT_TRUE(holder(3, TokenKind::Gateway)) << "carries the devices of all";
    const auto refreshed = this->template ask<Access>(
        [](auto& store, auto done) { store.take_refresh(token_hash(4), kNow, done); });
    EXPECT_EQ(refreshed.error(), Error::NotFound);
    ASSERT_TRUE(this->change(this->ann_, {.is_disabled = false}));
    for (const std::uint8_t number : {1, 2, 5}) {
        const auto access = this->find_access(number);
        ASSERT_TRUE(access) << int{number};
        EXPECT_TRUE(access->is_administrator);
        EXPECT_EQ(access->product, number == 5 ? 1'000 : 0);
    }
    EXPECT_TRUE(holder(2, TokenKind::Account));
}

TYPED_TEST_P(PeopleContract, AnAccountGoesWithAllThatIsItsOwnAndNothingElse) {
    using namespace contract;
    ASSERT_TRUE(this->claim(1, this->ann_));
    ASSERT_TRUE(this->claim(2, this->bob_));
    for (const auto& [number, account] : {std::pair{1, this->ann_}, std::pair{2, this->bob_}}) {
        const auto n = static_cast<std::uint8_t>(number);
        const auto product = static_cast<std::uint16_t>(number * 1'000);
        ASSERT_TRUE(this->add_access(n, account));
        ASSERT_TRUE(
            this->add_token(this->api_user(static_cast<std::uint8_t>(n + 10), account, product)));
        ASSERT_TRUE(this->save({.account = account, .revision = 1, .definition = "{}"}));
        ASSERT_TRUE(this->add(account, this->device(product, n)));
        HookRecord hook{.account = account, .definition = "{}"};
        hook.id.bytes[0] = n;
        ASSERT_TRUE(
            this->template ask<void>([&](auto& store, auto done) { store.add_hook(hook, done); }));
    }
    EXPECT_EQ(this->erase(AccountId{99}).error(), Error::NotFound);
    ASSERT_TRUE(this->erase(this->ann_));
    EXPECT_EQ(this->erase(this->ann_).error(), Error::NotFound);
    EXPECT_EQ(this->accounts().size(), 1U);
    EXPECT_FALSE(this->find(1));
    EXPECT_TRUE(this->find(2));
    EXPECT_FALSE(this->find_access(1));
    EXPECT_FALSE(this->find_access(11));
    EXPECT_TRUE(this->find_access(2));
    EXPECT_TRUE(this->find_access(12));
    EXPECT_EQ(this->environment(this->ann_).revision, 0);
    EXPECT_EQ(this->environment(this->bob_).revision, 1);
    const auto hooks = this->template ask<std::vector<HookRecord>>(
        [](auto& store, auto done) { store.list_hooks(done); });
    ASSERT_EQ(hooks->size(), 1U);
    EXPECT_EQ(hooks->front().account, this->bob_);
    EXPECT_NE(this->account("ann"), this->ann_) << "a number is given once";
}

TYPED_TEST_P(PeopleContract, ASealedDeviceOfAnErasedAccountIsNobodys) {
    using namespace contract;
    ASSERT_TRUE(this->create_claim(1, this->ann_));
    ASSERT_TRUE(this->redeem(1, 7, 7));
    ASSERT_TRUE(this->template ask<void>(
        [&](auto& store, auto done) { store.save_link_context(device_id(7), {1, 2}, done); }));
    EXPECT_EQ(this->accounts().front().device_count, 1U);
    ASSERT_TRUE(this->erase(this->ann_));
    const auto context = this->template ask<std::optional<std::vector<std::uint8_t>>>(
        [](auto& store, auto done) { store.load_link_context(device_id(7), done); });
    EXPECT_FALSE(*context);
    EXPECT_TRUE(this->claim(7, this->bob_)) << "it is no sealed device any more";
}

TYPED_TEST_P(PeopleContract, AProgramOfAProductHasOneTokenThatIsRenewed) {
    using namespace contract;
    const Token first = this->api_user(1, this->ann_, 1'000);
    ASSERT_TRUE(this->add_token(first));
    EXPECT_EQ(this->add_token(this->api_user(1, this->ann_, 1'000)).error(), Error::AlreadyExists);
    auto list = this->api_users(this->ann_, 1'000);
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].name, "robot1");
    EXPECT_EQ(list[0].client, "friendly");
    EXPECT_EQ(list[0].scopes, 5U);
    EXPECT_TRUE(this->api_users(this->bob_, 1'000).empty());
    EXPECT_TRUE(this->api_users(this->ann_, 2'000).empty());

    Token second = first;
    second.hash = token_hash(2);
    const auto renew = [this](const Token& token) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.renew_api_user(token, kNow, done); });
    };
    EXPECT_TRUE(renew(second));
    EXPECT_FALSE(this->find_access(1));
    EXPECT_EQ(this->find_access(2)->product, 1'000);
    second.product = 2'000;
    EXPECT_EQ(renew(second).error(), Error::NotFound);

    Token changed = first;
    changed.scopes = 9;
    changed.client = "other";
    const auto update = [this](const Token& token) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.update_api_user(token, done); });
    };
    EXPECT_TRUE(update(changed));
    EXPECT_EQ(this->find_access(2)->scopes, 9U);
    changed.account = this->bob_;
    EXPECT_EQ(update(changed).error(), Error::NotFound);

    const auto erase = [this](AccountId account) {
        return this->template ask<void>([&](auto& store, auto done) {
            store.erase_api_user(account, cloud::model::ProductId{1'000}, "robot1", done);
        });
    };
    EXPECT_EQ(erase(this->bob_).error(), Error::NotFound);
    EXPECT_TRUE(erase(this->ann_));
    EXPECT_FALSE(this->find_access(2));
}

TYPED_TEST_P(PeopleContract, ProgramsOfAProductAreNoTokensOfItsUserAndGoWithIt) {
    using namespace contract;
    ASSERT_TRUE(this->add_access(1, this->ann_));
    ASSERT_TRUE(this->add_token(this->api_user(2, this->ann_, 1'000)));
    const auto tokens = this->template ask<std::vector<TokenInfo>>(
        [&](auto& store, auto done) { store.list_tokens(this->ann_, kNow, done); });
    EXPECT_EQ(tokens->size(), 1U);
    const auto erased = this->template ask<std::size_t>(
        [&](auto& store, auto done) { store.erase_tokens(this->ann_, done); });
    EXPECT_EQ(*erased, 1U);
    EXPECT_TRUE(this->find_access(2)) << "a new password does not stop what runs by itself";
    ASSERT_TRUE(this->template ask<void>([&](auto& store, auto done) {
        store.erase_product(this->ann_, cloud::model::ProductId{1'000}, done);
    }));
    EXPECT_FALSE(this->find_access(2));
}

TYPED_TEST_P(PeopleContract, AProductHasSoManyProgramsAtMost) {
    using namespace contract;
    for (std::size_t i = 0; i < cloud::store::kApiUsersPerProductMax; ++i)
        ASSERT_TRUE(
            this->add_token(this->api_user(static_cast<std::uint8_t>(i), this->ann_, 1'000)));
    EXPECT_EQ(this->add_token(this->api_user(200, this->ann_, 1'000)).error(), Error::NoSpace);
    EXPECT_TRUE(this->add_token(this->api_user(200, this->bob_, 2'000)));
}

TYPED_TEST_P(PeopleContract, AnEnvironmentIsSavedOverTheRevisionBeforeOnly) {
    using namespace contract;
    const EnvironmentRecord none = this->environment(this->ann_);
    EXPECT_EQ(none, (EnvironmentRecord{.account = this->ann_}));
    EnvironmentRecord first = none;
    first.revision = 1;
    first.definition = "one";
    EXPECT_TRUE(this->save(first));
    EXPECT_EQ(this->save(first).error(), Error::Refused);
    EnvironmentRecord third = first;
    third.revision = 3;
    EXPECT_EQ(this->save(third).error(), Error::Refused);
    EnvironmentRecord second = first;
    second.revision = 2;
    second.definition = "two";
    EXPECT_TRUE(this->save(second));
    EnvironmentRecord other = first;
    other.product = cloud::model::ProductId{1'000};
    other.device = device_id(1);
    EXPECT_TRUE(this->save(other));
    this->fixture.reopen();
    if (!TypeParam::kRemembers) return;
    EXPECT_EQ(this->environment(this->ann_), second);
    EXPECT_EQ(this->environment(this->ann_, 1'000, 1), other);
    EXPECT_EQ(this->environment(this->bob_).revision, 0);
}

TYPED_TEST_P(PeopleContract, AnAccountHasSoManyEnvironmentsAtMost) {
    using namespace contract;
    Status last;
    for (std::size_t i = 0; i <= cloud::store::kEnvironmentsPerAccountMax; ++i) {
        EnvironmentRecord record{.account = this->ann_, .device = device_id(1), .revision = 1};
        (*record.device)[0] = static_cast<std::uint8_t>(i);
        (*record.device)[1] = static_cast<std::uint8_t>(i >> 8U);
        this->fixture.store().save_environment(record,
                                               [&last](const Status& saved) { last = saved; });
        if (i % 256 == 0) this->fixture.settle();
    }
    this->fixture.settle();
    EXPECT_EQ(last.error(), Error::NoSpace);
    EXPECT_TRUE(this->save({.account = this->bob_, .revision = 1}));
}

REGISTER_TYPED_TEST_SUITE_P(PeopleContract,
                            AnAdministratorSeesAccountsAndWhatTheyHaveNoMore,
                            ADisabledAccountHasNoAccessUntilItIsEnabled,
                            AnAccountGoesWithAllThatIsItsOwnAndNothingElse,
                            ASealedDeviceOfAnErasedAccountIsNobodys,
                            AProgramOfAProductHasOneTokenThatIsRenewed,
                            ProgramsOfAProductAreNoTokensOfItsUserAndGoWithIt,
                            AProductHasSoManyProgramsAtMost,
                            AnEnvironmentIsSavedOverTheRevisionBeforeOnly,
                            AnAccountHasSoManyEnvironmentsAtMost);

}  // namespace sotto::testing
