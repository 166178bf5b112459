// SPDX-License-Identifier: Apache-2.0
// As store_contract.hpp: what every Store must do with users, tokens of programs, open devices and
// the audit log. Nothing of one account is seen or changed through another.
#pragma once

#include <string>
#include <vector>

#include "cloud/store/limits.hpp"
#include "testing/store_contract.hpp"

namespace sotto::testing {

template <class Fixture>
class AccountContract : public StoreContract<Fixture> {
  public:
    using Access = contract::Access;
    using Record = contract::OpenDeviceRecord;

    // Of kind Access, its name made from its number.
    Status add_access(std::uint8_t number,
                      contract::AccountId account,
                      std::optional<Instant> expires_at = {},
                      Instant now = contract::kNow,
                      contract::TokenKind kind = contract::TokenKind::Access) {
        return this->template ask<void>([&](auto& store, auto done) {
            store.add_token({.hash = contract::token_hash(number),
                             .kind = kind,
                             .account = account,
                             .name = std::to_string(number),
                             .client = "program",
                             .scopes = 3,
                             .expires_at = expires_at},
                            now,
                            done);
        });
    }
    Result<Access> find_access(std::uint8_t number, Instant now = contract::kNow) {
        return this->template ask<Access>([&](auto& store, auto done) {
            store.find_access(contract::token_hash(number), now, done);
        });
    }
    Result<Record> claim(std::uint8_t device, contract::AccountId account) {
        return this->template ask<Record>([&](auto& store, auto done) {
            store.claim_open_device(contract::device_id(device), account, contract::kNow, done);
        });
    }
    std::optional<Record> find(std::uint8_t device) {
        return this
            ->template ask<std::optional<Record>>([&](auto& store, auto done) {
                store.find_open_device(contract::device_id(device), done);
            })
            .value();
    }
    std::size_t count_devices(contract::AccountId account) {
        return this
            ->template ask<std::vector<Record>>(
                [&](auto& store, auto done) { store.list_open_devices(account, done); })
            .value()
            .size();
    }
};

TYPED_TEST_SUITE_P(AccountContract);

TYPED_TEST_P(AccountContract, KeepsThePasswordOfAUser) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    const auto login = [this] {
        return this->template ask<Login>(
            [](auto& store, auto done) { store.find_login("ann", done); });
    };
    EXPECT_EQ(login().value(), (Login{.account = ann, .password = ""}));
    const auto set = [this](AccountId account) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.set_password(account, "hash", done); });
    };
    EXPECT_TRUE(set(ann));
    EXPECT_EQ(set(AccountId{99}).error(), Error::NotFound);
    const auto renew = [this](AccountId account, const char* old) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.renew_password(account, old, "renewed", done); });
    };
    EXPECT_EQ(renew(ann, "").error(), Error::NotFound);
    EXPECT_EQ(renew(AccountId{99}, "hash").error(), Error::NotFound);
    EXPECT_EQ(login().value(), (Login{.account = ann, .password = "hash"}));
    EXPECT_TRUE(renew(ann, "hash"));
    this->fixture.reopen();
    if (!TypeParam::kRemembers) return;
    EXPECT_EQ(login().value(), (Login{.account = ann, .password = "renewed"}));
    const auto nobody =
        this->template ask<Login>([](auto& store, auto done) { store.find_login("Ann", done); });
    EXPECT_EQ(nobody.error(), Error::NotFound);
}

TYPED_TEST_P(AccountContract, ATokenOfAProgramStandsForItsUserUntilItExpires) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    EXPECT_TRUE(this->add_access(1, ann, kLater));
    EXPECT_EQ(this->find_access(1).value(),
              (Access{.account = ann,
                      .user = "ann",
                      .kind = TokenKind::Access,
                      .client = "program",
                      .scopes = 3,
                      .expires_at = kLater}));
    EXPECT_EQ(this->find_access(1, kLater).error(), Error::NotFound);
    EXPECT_TRUE(this->add_access(2, ann));
    EXPECT_TRUE(this->find_access(2, kLater + days(9'999)));
    EXPECT_EQ(this->find_access(3).error(), Error::NotFound);
}

TYPED_TEST_P(AccountContract, TheOperatorsTokensGoOnAndThoseOfGatewaysAreNoUsers) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    const auto add = [&](std::uint8_t number, TokenKind kind) {
        EXPECT_TRUE(this->add_token(
            {.hash = token_hash(number), .kind = kind, .account = ann, .name = "operator's"}));
    };
    add(1, TokenKind::Account);
    add(2, TokenKind::Gateway);
    EXPECT_EQ(this->find_access(1)->scopes, kAllScopes);
    EXPECT_EQ(this->find_access(2).error(), Error::NotFound);
    EXPECT_TRUE(this->add_access(3, ann));
    const auto as_account = this->template ask<TokenHolder>(
        [](auto& store, auto done) { store.find_token(token_hash(3), TokenKind::Account, done); });
    EXPECT_EQ(as_account.error(), Error::NotFound) << "it opens no channel for sealed messages";
}

TYPED_TEST_P(AccountContract, ARefreshTokenIsGoodOnceAndForNothingElse) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    EXPECT_TRUE(this->add_access(1, ann, kLater, kNow, TokenKind::Refresh));
    EXPECT_EQ(this->find_access(1).error(), Error::NotFound);
    const auto take = [this](std::uint8_t number, Instant now) {
        return this->template ask<Access>(
            [&](auto& store, auto done) { store.take_refresh(token_hash(number), now, done); });
    };
    EXPECT_EQ(take(1, kLater).error(), Error::NotFound);
    EXPECT_EQ(take(1, kNow)->account, ann);
    EXPECT_EQ(take(1, kNow).error(), Error::NotFound);
    EXPECT_TRUE(this->add_access(2, ann));
    EXPECT_EQ(take(2, kNow).error(), Error::NotFound);
}

TYPED_TEST_P(AccountContract, ListsAndRevokesTokensOfTheAccountOnly) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    const AccountId bob = this->account("bob");
    EXPECT_TRUE(this->add_access(1, ann, kLater));
    EXPECT_TRUE(this->add_access(2, ann, {}, kNow + seconds(1)));
    EXPECT_TRUE(this->add_access(3, bob));
    EXPECT_TRUE(this->add_token(
        {.hash = token_hash(4), .kind = TokenKind::Gateway, .account = ann, .name = "gateway"}));
    const auto list = [this](AccountId account, Instant now) {
        return this
            ->template ask<std::vector<TokenInfo>>(
                [&](auto& store, auto done) { store.list_tokens(account, now, done); })
            .value();
    };
    const auto tokens = list(ann, kNow);
    ASSERT_EQ(tokens.size(), 2U);
    EXPECT_EQ(tokens[0],
              (TokenInfo{.hash = token_hash(1),
                         .kind = TokenKind::Access,
                         .name = "1",
                         .client = "program",
                         .scopes = 3,
                         .created_at = kNow,
                         .expires_at = kLater}));
    EXPECT_EQ(list(ann, kLater).size(), 1U);
    const auto erase = [this](std::uint8_t number, std::optional<AccountId> account) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.erase_token(token_hash(number), account, done); });
    };
    EXPECT_EQ(erase(3, ann).error(), Error::NotFound);
    EXPECT_EQ(erase(4, std::nullopt).error(), Error::NotFound) << "a gateway's";
    EXPECT_TRUE(erase(1, ann));
    EXPECT_TRUE(erase(3, std::nullopt));
    EXPECT_EQ(this->find_access(1).error(), Error::NotFound);
    EXPECT_EQ(this->find_access(3).error(), Error::NotFound);
    EXPECT_TRUE(this->find_access(2));
}

TYPED_TEST_P(AccountContract, ErasesAllTokensOfProgramsOfAnAccount) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    const AccountId bob = this->account("bob");
    EXPECT_TRUE(this->add_access(1, ann));
    EXPECT_TRUE(this->add_access(2, ann, {}, kNow, TokenKind::Refresh));
    EXPECT_TRUE(this->add_access(3, bob));
    EXPECT_TRUE(this->add_token(
        {.hash = token_hash(4), .kind = TokenKind::Account, .account = ann, .name = "x"}));
    EXPECT_EQ(this->template ask<std::size_t>(
                      [&](auto& store, auto done) { store.erase_tokens(ann, done); })
                  .value(),
              2U);
    EXPECT_FALSE(this->find_access(1));
    EXPECT_TRUE(this->find_access(3));
    EXPECT_TRUE(this->find_access(4));
}

TYPED_TEST_P(AccountContract, TheOldestTokenOfProgramsMakesRoom) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    const auto add = [&](std::size_t number) {
        TokenHash hash{{static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(number >> 8)}};
        EXPECT_TRUE(this->template ask<void>([&](auto& store, auto done) {
            store.add_token({.hash = hash,
                             .kind = TokenKind::Access,
                             .account = ann,
                             .name = std::to_string(number)},
                            kNow + milliseconds(static_cast<std::int64_t>(number)),
                            done);
        }));
        return hash;
    };
    const auto is_there = [&](const TokenHash& hash) {
        return this
            ->template ask<Access>(
                [&](auto& store, auto done) { store.find_access(hash, kNow, done); })
            .has_value();
    };
    EXPECT_TRUE(this->add_token(
        {.hash = token_hash(1), .kind = TokenKind::Account, .account = ann, .name = "x"}));
    const TokenHash first = add(0);
    const TokenHash second = add(1);
    for (std::size_t i = 2; i < cloud::store::kTokensPerAccountMax; ++i) add(i);
    EXPECT_TRUE(is_there(first));
    add(cloud::store::kTokensPerAccountMax);
    EXPECT_FALSE(is_there(first));
    EXPECT_TRUE(is_there(second));
    EXPECT_TRUE(is_there(token_hash(1))) << "the operator's stays";
}

TYPED_TEST_P(AccountContract, AnOpenDeviceBelongsToOneAccount) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    const AccountId bob = this->account("bob");
    EXPECT_FALSE(this->find(1));
    EXPECT_TRUE(this->claim(1, ann));
    EXPECT_TRUE(this->claim(1, ann)) << "again is no harm";
    EXPECT_EQ(this->claim(1, bob).error(), Error::Refused);
    EXPECT_EQ(this->find(1)->account, ann);
    EXPECT_EQ(this->count_devices(ann), 1U);
    EXPECT_EQ(this->count_devices(bob), 0U);
    const auto release = [this](AccountId account) {
        return this->template ask<void>([&](auto& store, auto done) {
            store.release_open_device(account, device_id(1), done);
        });
    };
    EXPECT_EQ(release(bob).error(), Error::NotFound);
    EXPECT_TRUE(release(ann));
    EXPECT_TRUE(this->claim(1, bob));
}

TYPED_TEST_P(AccountContract, ASealedDeviceIsNoOpenOne) {
    using namespace contract;
    this->register_devices();
    EXPECT_EQ(this->claim(1, AccountId{1}).error(), Error::Refused);
}

TYPED_TEST_P(AccountContract, WhatIsOpenedOfASealedDeviceIsItsAccountsAlone) {
    using namespace contract;
    this->register_devices();  // of the first account
    const AccountId ann{1};
    const AccountId bob{2};
    const auto open = [this](AccountId account, std::uint8_t device, std::uint8_t token) {
        return this->template ask<Opening>([&](auto& store, auto done) {
            store.set_opening({.device = device_id(device),
                               .account = account,
                               .name = "lamp",
                               .token = {token},
                               .scope = "f/lamp"},
                              kNow,
                              done);
        });
    };
    const auto list = [this] {
        return *this->template ask<std::vector<Opening>>(
            [](auto& store, auto done) { store.list_openings(done); });
    };
    const auto close = [this](AccountId account) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.erase_opening(account, device_id(1), done); });
    };
    EXPECT_TRUE(list().empty());
    EXPECT_EQ(open(bob, 1, 7).error(), Error::NotFound) << "another's";
    EXPECT_EQ(open(ann, 99, 7).error(), Error::NotFound) << "nobody's";
    const auto opened = open(ann, 1, 7);
    ASSERT_TRUE(opened);
    EXPECT_NE(opened->credential, CredentialHash{});
    EXPECT_EQ(list(), std::vector{*opened});
    EXPECT_EQ(this->find(1)->name, "lamp");
    EXPECT_EQ(this->find(1)->account, ann);
    EXPECT_EQ(this->claim(1, bob).error(), Error::Refused);

    ASSERT_TRUE(open(ann, 1, 8));
    ASSERT_EQ(list().size(), 1U);
    EXPECT_EQ(list()[0].token, std::vector<std::uint8_t>{8}) << "it takes the other's place";
    EXPECT_EQ(close(bob).error(), Error::NotFound);
    EXPECT_TRUE(close(ann));
    EXPECT_EQ(close(ann).error(), Error::NotFound);
    EXPECT_TRUE(list().empty());
    EXPECT_FALSE(this->find(1));
}

TYPED_TEST_P(AccountContract, WhatWasOpenedGoesWithItsOwner) {
    using namespace contract;
    this->register_devices();
    const AccountId bob{2};
    const auto opened = this->template ask<Opening>([&](auto& store, auto done) {
        store.set_opening({.device = device_id(1),
                           .account = AccountId{1},
                           .name = "lamp",
                           .token = {1},
                           .scope = "f/lamp"},
                          kNow,
                          done);
    });
    ASSERT_TRUE(opened);
    EXPECT_TRUE(this->create_claim(91, AccountId{1}));
    EXPECT_TRUE(this->redeem(91, 1, opened->credential[0]));
    EXPECT_TRUE(this->find(1)) << "his again";
    EXPECT_TRUE(this->create_claim(92, bob));
    EXPECT_TRUE(this->redeem(92, 1, opened->credential[0]));
    EXPECT_FALSE(this->find(1));
    EXPECT_TRUE(this->template ask<std::vector<Opening>>(
                        [](auto& store, auto done) { store.list_openings(done); })
                    ->empty());
}

TYPED_TEST_P(AccountContract, OnlyTheOwnerNamesADevice) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    const AccountId bob = this->account("bob");
    EXPECT_TRUE(this->claim(1, ann));
    const auto update = [this](AccountId account, DeviceChanges changes) {
        return this->template ask<OpenDeviceRecord>([&](auto& store, auto done) {
            store.update_open_device(account, device_id(1), changes, done);
        });
    };
    EXPECT_EQ(update(ann, {.name = "lamp"})->name, "lamp");
    EXPECT_EQ(update(ann, {.notes = "in the hall"})->name, "lamp");
    EXPECT_EQ(update(bob, {.name = "mine"}).error(), Error::NotFound);
    EXPECT_EQ(this->find(1)->name, "lamp");
    EXPECT_EQ(this->find(1)->notes, "in the hall");
}

TYPED_TEST_P(AccountContract, RemembersTheTracesOfADevice) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    EXPECT_TRUE(this->claim(1, ann));
    const DeviceTraces traces{.heard_at = kNow,
                              .connected_at = kLater,
                              .address = "10.0.0.1",
                              .platform_id = 6,
                              .product_id = 103,
                              .firmware_version = 3,
                              .system_version = "2.3.1"};
    for (const std::uint8_t number : {1, 2}) {
        EXPECT_TRUE(this->template ask<void>(
            [&](auto& store, auto done) { store.save_traces(device_id(number), traces, done); }));
    }
    EXPECT_EQ(this->find(1)->traces, traces);
    EXPECT_FALSE(this->find(2));
}

TYPED_TEST_P(AccountContract, AClaimCodeGivesADeviceOnceUntilItExpires) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    const AccountId bob = this->account("bob");
    const auto create = [this](std::uint8_t number, AccountId account, Instant now = kNow) {
        return this->template ask<void>([&](auto& store, auto done) {
            store.create_claim_code(
                {.hash = token_hash(number), .account = account, .expires_at = kLater},
                2,
                now,
                done);
        });
    };
    const auto redeem = [this](std::uint8_t number, Instant now = kNow) {
        return this->template ask<OpenDeviceRecord>([&](auto& store, auto done) {
            store.redeem_claim_code(token_hash(number), device_id(1), now, done);
        });
    };
    EXPECT_TRUE(create(1, ann));
    EXPECT_TRUE(create(2, bob));
    EXPECT_TRUE(create(3, bob));
    EXPECT_EQ(create(4, bob).error(), Error::NoSpace);
    EXPECT_EQ(redeem(1, kLater).error(), Error::NotFound);
    EXPECT_EQ(redeem(1)->account, ann);
    EXPECT_EQ(redeem(1).error(), Error::NotFound);
    EXPECT_EQ(redeem(2)->account, bob) << "whoever holds it in his hands";
    EXPECT_EQ(this->count_devices(ann), 0U);
    EXPECT_TRUE(create(5, bob, kLater)) << "expired ones count no more";
}

TYPED_TEST_P(AccountContract, KeepsAnAuditLogPerAccountTheNewestFirst) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    const auto add = [this](std::optional<AccountId> account, std::string subject) {
        const AuditEntry entry{.at = kNow,
                               .account = account,
                               .address = "::1",
                               .action = "login",
                               .subject = std::move(subject),
                               .outcome = "done"};
        EXPECT_TRUE(this->template ask<void>(
            [&](auto& store, auto done) { store.add_audit(entry, done); }));
        return entry;
    };
    const AuditEntry first = add(ann, "1");
    const AuditEntry second = add(std::nullopt, "2");
    const AuditEntry third = add(ann, "3");
    const auto list = [this](std::optional<AccountId> account, std::size_t count) {
        return this
            ->template ask<std::vector<AuditEntry>>(
                [&](auto& store, auto done) { store.list_audit(account, count, done); })
            .value();
    };
    EXPECT_EQ(list(std::nullopt, 10), (std::vector{third, second, first}));
    EXPECT_EQ(list(ann, 10), (std::vector{third, first}));
    EXPECT_EQ(list(ann, 1), std::vector{third});
}

TYPED_TEST_P(AccountContract, WhoFillsTheAuditLogLosesHisOwnEntriesAlone) {
    using namespace contract;
    constexpr std::size_t kCount = cloud::store::kAuditEntriesPerAccountMax;
    const AccountId ann = this->account("ann");
    const AccountId bob = this->account("bob");
    // Many in each transaction: who adds them one by one waits for the disk each time.
    const auto add = [this](std::optional<AccountId> account, std::size_t first, std::size_t last) {
        EXPECT_TRUE(this->template ask<void>([&](auto& store, auto done) {
            for (std::size_t number = first; number <= last; ++number) {
                const AuditEntry entry{.at = kNow,
                                       .account = account,
                                       .address = "::1",
                                       .action = "login",
                                       .subject = std::to_string(number),
                                       .outcome = "done"};
                if (number == last) return store.add_audit(entry, done);
                store.add_audit(entry, [](const Status& added) { EXPECT_TRUE(added); });
            }
        }));
    };
    const auto list = [this](std::optional<AccountId> account) {
        return this
            ->template ask<std::vector<AuditEntry>>(
                [&](auto& store, auto done) { store.list_audit(account, 10'000, done); })
            .value();
    };
    add(ann, 0, 0);
    add(std::nullopt, 0, 0);
    add(bob, 0, kCount + 1);
    EXPECT_EQ(list(ann).size(), 1U);
    const auto of_bob = list(bob);
    ASSERT_EQ(of_bob.size(), kCount);
    EXPECT_EQ(of_bob.back().subject, "2");
    EXPECT_EQ(list(std::nullopt).size(), kCount + 2);
}

REGISTER_TYPED_TEST_SUITE_P(AccountContract,
                            KeepsThePasswordOfAUser,
                            ATokenOfAProgramStandsForItsUserUntilItExpires,
                            TheOperatorsTokensGoOnAndThoseOfGatewaysAreNoUsers,
                            ARefreshTokenIsGoodOnceAndForNothingElse,
                            ListsAndRevokesTokensOfTheAccountOnly,
                            ErasesAllTokensOfProgramsOfAnAccount,
                            TheOldestTokenOfProgramsMakesRoom,
                            AnOpenDeviceBelongsToOneAccount,
                            ASealedDeviceIsNoOpenOne,
                            WhatIsOpenedOfASealedDeviceIsItsAccountsAlone,
                            WhatWasOpenedGoesWithItsOwner,
                            OnlyTheOwnerNamesADevice,
                            RemembersTheTracesOfADevice,
                            AClaimCodeGivesADeviceOnceUntilItExpires,
                            KeepsAnAuditLogPerAccountTheNewestFirst,
                            WhoFillsTheAuditLogLosesHisOwnEntriesAlone);

}  // namespace sotto::testing
