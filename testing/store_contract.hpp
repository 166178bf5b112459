// SPDX-License-Identifier: Apache-2.0
// What every Store must do, as a suite of typed tests. A test binary defines a fixture type with
//   Store& store();         the store under test, empty at first
//   void settle();          returns when every operation so far has answered
//   void reopen();          as after a restart of the process; a store without memory says
//   static constexpr bool kRemembers
// and instantiates the suite with it.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cloud/store/store.hpp"

namespace sotto::testing {

namespace contract {

using namespace cloud::model;  // NOLINT(google-build-using-namespace): one vocabulary
using cloud::store::Done;
using cloud::store::Store;

inline constexpr Instant kNow{1'000'000};
inline constexpr Instant kLater = kNow + minutes(10);
inline constexpr MailboxLimits kWide{.count_max = 100, .bytes_max = 100'000};

inline DeviceId device_id(std::uint8_t number) { return DeviceId{number, 1, 2, 3}; }
inline CredentialHash credential(std::uint8_t number) { return CredentialHash{number, 0xcc}; }
inline ClaimCode claim_code(std::uint8_t number) { return ClaimCode{{number, 0xc1}}; }
inline TokenHash token_hash(std::uint8_t number) { return TokenHash{{number, 0x70}}; }
inline AppAddress app_of(AccountId account, std::uint8_t number) {
    return {.account = account, .app = AppId{{number, 0xa9}}};
}

}  // namespace contract

template <class Fixture>
class StoreContract : public ::testing::Test {
  public:
    // Calls an operation, waits for its answer, and returns it.
    template <class T, class Call>
    Result<T> ask(Call call) {
        auto answers = std::make_shared<std::vector<Result<T>>>();
        call(fixture.store(), [answers](Result<T> answer) { answers->push_back(answer); });
        EXPECT_TRUE(answers->empty()) << "answered before the call returned";
        fixture.settle();
        EXPECT_EQ(answers->size(), 1U);
        return answers->empty() ? Result<T>{Error::Timeout} : answers->front();
    }

    contract::AccountId account(const std::string& name) {
        return ask<contract::AccountId>([&](auto& store, auto done) {
                   store.create_account(name, contract::kNow, done);
               })
            .value();
    }
    Status add_token(contract::Token token) {
        return ask<void>(
            [&](auto& store, auto done) { store.add_token(token, contract::kNow, done); });
    }
    Status create_claim(std::uint8_t number,
                        contract::AccountId owner,
                        Instant now = contract::kNow,
                        std::size_t open_max = 10) {
        return ask<void>([&](auto& store, auto done) {
            store.create_claim({.code = contract::claim_code(number),
                                .account = owner,
                                .expires_at = contract::kLater},
                               open_max,
                               now,
                               done);
        });
    }
    Result<contract::Registration> redeem(std::uint8_t claim,
                                          std::uint8_t device,
                                          std::uint8_t key,
                                          Instant now = contract::kNow) {
        return ask<contract::Registration>([&](auto& store, auto done) {
            store.redeem_claim(contract::claim_code(claim),
                               contract::device_id(device),
                               contract::credential(key),
                               now,
                               done);
        });
    }
    contract::DeviceRecord load(std::uint8_t device) {
        return ask<contract::DeviceRecord>([&](auto& store, auto done) {
                   store.load_device(contract::device_id(device), done);
               })
            .value();
    }
    contract::Label label(std::uint8_t device, const contract::AppAddress& app) {
        return ask<contract::Label>([&](auto& store, auto done) {
                   store.allocate_label(contract::device_id(device), app, done);
               })
            .value();
    }
    contract::Letter letter(std::uint8_t device, std::size_t size = 3) {
        return {.to = contract::MailboxKind::Device,
                .device = contract::device_id(device),
                .app = contract::app_of(contract::AccountId{1}, 1),
                .stored_at = contract::kNow,
                .expires_at = contract::kLater,
                .message = std::vector<std::uint8_t>(size, 0x5a)};
    }
    Result<contract::Sequence> put(contract::Letter letter,
                                   contract::MailboxLimits limits = contract::kWide,
                                   contract::MailboxLimits account = cloud::store::kAccountMail) {
        return ask<contract::Sequence>([&](auto& store, auto done) {
            store.put(std::move(letter), {.mailbox = limits, .account = account}, done);
        });
    }
    // Two accounts, and devices 1 to 3 that belong to the first.
    void register_devices() {
        const contract::AccountId ann = account("ann");
        account("bob");
        for (std::uint8_t number = 1; number <= 3; ++number) {
            EXPECT_TRUE(create_claim(number, ann));
            EXPECT_TRUE(redeem(number, number, number));
        }
    }
    contract::Purged purge(Instant now) {
        return ask<contract::Purged>([&](auto& store, auto done) { store.purge(now, done); })
            .value();
    }
    std::vector<contract::StoredLetter> list(const contract::Mailbox& mailbox,
                                             contract::Sequence after = {},
                                             std::size_t count_max = 100,
                                             Instant now = contract::kNow) {
        return ask<std::vector<contract::StoredLetter>>([&](auto& store, auto done) {
                   store.list(mailbox, after, count_max, now, done);
               })
            .value();
    }

    Fixture fixture;
};

TYPED_TEST_SUITE_P(StoreContract);

TYPED_TEST_P(StoreContract, GivesEachAccountNameOnce) {
    using namespace contract;
    const AccountId first = this->account("ann");
    EXPECT_NE(first, this->account("bob"));
    const auto create = [](auto& store, auto done) { store.create_account("ann", kNow, done); };
    EXPECT_EQ(this->template ask<AccountId>(create).error(), Error::AlreadyExists);
    const auto find = [](auto& store, auto done) { store.find_account("ann", done); };
    EXPECT_EQ(this->template ask<AccountId>(find).value(), first);
    const auto miss = [](auto& store, auto done) { store.find_account("eve", done); };
    EXPECT_EQ(this->template ask<AccountId>(miss).error(), Error::NotFound);
}

TYPED_TEST_P(StoreContract, FindsATokenByHashAndKind) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    const Token token{
        .hash = token_hash(1), .kind = TokenKind::Gateway, .account = ann, .name = "hall"};
    EXPECT_TRUE(this->add_token(token));
    const auto find = [&](std::uint8_t number, TokenKind kind) {
        return this->template ask<TokenHolder>(
            [&](auto& store, auto done) { store.find_token(token_hash(number), kind, done); });
    };
    EXPECT_EQ(find(1, TokenKind::Gateway).value(), (TokenHolder{.account = ann, .name = "hall"}));
    EXPECT_EQ(find(1, TokenKind::Account).error(), Error::NotFound);
    EXPECT_EQ(find(2, TokenKind::Gateway).error(), Error::NotFound);
}

TYPED_TEST_P(StoreContract, RefusesATokenThatIsTakenOrOfNobody) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    Token token{.hash = token_hash(1), .kind = TokenKind::Account, .account = ann, .name = "first"};
    EXPECT_TRUE(this->add_token(token));
    token.name = "second";
    EXPECT_EQ(this->add_token(token).error(), Error::AlreadyExists);  // the hash
    token = {.hash = token_hash(2), .kind = TokenKind::Account, .account = ann, .name = "first"};
    EXPECT_EQ(this->add_token(token).error(), Error::AlreadyExists);  // the name
    token.kind = TokenKind::Gateway;
    EXPECT_TRUE(this->add_token(token));
    token.hash = token_hash(3);
    token.account = AccountId{999};
    EXPECT_EQ(this->add_token(token).error(), Error::NotFound);
}

TYPED_TEST_P(StoreContract, RegistersADeviceByAClaimOnce) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    EXPECT_TRUE(this->create_claim(1, ann));
    EXPECT_EQ(this->create_claim(1, ann).error(), Error::AlreadyExists);
    EXPECT_FALSE(this->load(1).registration.has_value());
    const Registration registration = this->redeem(1, 1, 1).value();
    EXPECT_EQ(registration.account, ann);
    EXPECT_EQ(registration.credential, credential(1));
    EXPECT_EQ(this->load(1).registration, registration);
    EXPECT_EQ(this->redeem(1, 2, 2).error(), Error::NotFound);       // used
    EXPECT_EQ(this->redeem(1, 1, 1, kLater).value(), registration);  // shown again
}

TYPED_TEST_P(StoreContract, RefusesAnUnknownOrExpiredClaim) {
    using namespace contract;
    EXPECT_TRUE(this->create_claim(1, this->account("ann")));
    EXPECT_EQ(this->redeem(2, 1, 1).error(), Error::NotFound);
    EXPECT_EQ(this->redeem(1, 1, 1, kLater).error(), Error::NotFound);
    EXPECT_TRUE(this->redeem(1, 1, 1, kLater - milliseconds(1)));
}

TYPED_TEST_P(StoreContract, RefusesASecondCredentialForAKnownDevice) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    EXPECT_TRUE(this->create_claim(1, ann));
    EXPECT_TRUE(this->create_claim(2, ann));
    EXPECT_TRUE(this->redeem(1, 1, 1));
    EXPECT_EQ(this->redeem(2, 1, 9).error(), Error::Refused);
    EXPECT_EQ(this->load(1).registration->credential, credential(1));
    EXPECT_TRUE(this->redeem(2, 2, 2)) << "the claim was not used up by the refused device";
}

TYPED_TEST_P(StoreContract, MovesADeviceToTheAccountOfAFreshClaim) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    const AccountId bob = this->account("bob");
    EXPECT_TRUE(this->create_claim(1, ann));
    EXPECT_TRUE(this->create_claim(2, bob));
    EXPECT_TRUE(this->redeem(1, 1, 1));
    EXPECT_TRUE(this->put(this->letter(1)));
    EXPECT_EQ(this->redeem(2, 1, 1).value().account, bob);
    EXPECT_TRUE(this->list(Mailbox::of_device(device_id(1))).empty()) << "of the owner before";
    EXPECT_EQ(this->redeem(1, 1, 1).value().account, bob) << "an old claim moves nothing";
}

TYPED_TEST_P(StoreContract, BoundsTheOpenClaimsOfAnAccount) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    EXPECT_TRUE(this->create_claim(1, ann, kNow, 2));
    EXPECT_TRUE(this->create_claim(2, ann, kNow, 2));
    EXPECT_EQ(this->create_claim(3, ann, kNow, 2).error(), Error::NoSpace);
    EXPECT_TRUE(this->create_claim(4, this->account("bob"), kNow, 2));
    EXPECT_TRUE(this->redeem(1, 1, 1));
    EXPECT_TRUE(this->create_claim(3, ann, kNow, 2)) << "a redeemed claim is not open";
    EXPECT_TRUE(this->create_claim(5, ann, kLater, 2)) << "expired claims are not open";
}

TYPED_TEST_P(StoreContract, ListsTheDevicesOfAnAccountById) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    for (const std::uint8_t number : std::array<std::uint8_t, 3>{3, 1, 2}) {
        EXPECT_TRUE(this->create_claim(number, ann));
        EXPECT_TRUE(this->redeem(number, number, number));
    }
    const auto list = [&](AccountId account) {
        return this
            ->template ask<std::vector<Registration>>(
                [&](auto& store, auto done) { store.list_devices(account, done); })
            .value();
    };
    const auto devices = list(ann);
    ASSERT_EQ(devices.size(), 3U);
    EXPECT_EQ(devices[0].device, device_id(1));
    EXPECT_EQ(devices[2].device, device_id(3));
    EXPECT_TRUE(list(this->account("bob")).empty());
}

TYPED_TEST_P(StoreContract, KeepsTheLabelOfAnApp) {
    using namespace contract;
    const AppAddress first = app_of(AccountId{1}, 1);
    const AppAddress second = app_of(AccountId{2}, 1);  // the same installation id
    EXPECT_EQ(this->label(1, first), kLabelAppFirst);
    EXPECT_EQ(this->label(1, second), next_label(kLabelAppFirst));
    EXPECT_EQ(this->label(1, first), kLabelAppFirst);
    EXPECT_EQ(this->label(2, second), kLabelAppFirst) << "labels are a device's own";
    const auto labels = this->load(1).labels;
    ASSERT_EQ(labels.size(), 2U);
    EXPECT_EQ(labels[0], (LabelEntry{.label = kLabelAppFirst, .app = first}));
}

TYPED_TEST_P(StoreContract, GivesTheOldestLabelUpWhenADeviceIsFull) {
    using namespace contract;
    const auto nth = [](std::size_t number) {
        AppAddress app = app_of(AccountId{1}, 0);
        app.app.bytes[2] = static_cast<std::uint8_t>(number >> 8);
        app.app.bytes[3] = static_cast<std::uint8_t>(number);
        return app;
    };
    for (std::size_t i = 0; i < cloud::store::kLabelsPerDeviceMax; i++) {
        this->fixture.store().allocate_label(device_id(1), nth(i), [](const auto&) {});
    }
    const Label newest = this->label(1, nth(5'000));
    EXPECT_EQ(this->load(1).labels.size(), cloud::store::kLabelsPerDeviceMax);
    EXPECT_EQ(newest.value(), kLabelAppFirst.value() + cloud::store::kLabelsPerDeviceMax);
    EXPECT_EQ(this->load(1).labels.front().app, nth(1));
}

TYPED_TEST_P(StoreContract, KeepsLettersInOrderUntilTheyAreErased) {
    using namespace contract;
    this->register_devices();
    const Sequence first = this->put(this->letter(1)).value();
    Letter other = this->letter(1, 9);
    const Sequence second = this->put(other).value();
    EXPECT_LT(first, second);
    const Mailbox mailbox = Mailbox::of_device(device_id(1));
    const auto letters = this->list(mailbox);
    ASSERT_EQ(letters.size(), 2U);
    EXPECT_EQ(letters[1], (StoredLetter{.sequence = second, .letter = other}));
    EXPECT_EQ(this->list(mailbox, first).size(), 1U);
    EXPECT_EQ(this->list(mailbox, {}, 1).front().sequence, first);
    const auto erase = [&](auto& store, auto done) { store.erase(mailbox, first, done); };
    EXPECT_TRUE(this->template ask<void>(erase));
    EXPECT_EQ(this->list(mailbox).front().sequence, second);
}

TYPED_TEST_P(StoreContract, NeverUsesASequenceTwice) {
    using namespace contract;
    this->register_devices();
    const Sequence first = this->put(this->letter(1)).value();
    const auto erase = [&](auto& store, auto done) {
        store.erase(Mailbox::of_device(device_id(1)), first, done);
    };
    EXPECT_TRUE(this->template ask<void>(erase));
    this->fixture.reopen();
    if (!TypeParam::kRemembers) return;
    EXPECT_GT(this->put(this->letter(1)).value(), first);
}

TYPED_TEST_P(StoreContract, KeepsMailboxesApart) {
    using namespace contract;
    this->register_devices();
    Letter to_app = this->letter(1);
    to_app.to = MailboxKind::App;
    EXPECT_TRUE(this->put(to_app));
    EXPECT_TRUE(this->put(this->letter(2)));
    EXPECT_TRUE(this->list(Mailbox::of_device(device_id(1))).empty());
    EXPECT_EQ(this->list(Mailbox::of_app(to_app.app)).size(), 1U);
    EXPECT_TRUE(this->list(Mailbox::of_app(app_of(AccountId{2}, 1))).empty());
}

TYPED_TEST_P(StoreContract, TakesLettersOnlyForTheDevicesOfTheirSendersAccount) {
    using namespace contract;
    EXPECT_EQ(this->put(this->letter(1)).error(), Error::Refused) << "registered to nobody";
    this->register_devices();
    EXPECT_TRUE(this->put(this->letter(1)));
    Letter other = this->letter(1);
    other.app = app_of(AccountId{2}, 1);
    EXPECT_EQ(this->put(other).error(), Error::Refused);
}

TYPED_TEST_P(StoreContract, ErasesTheLettersThatAreNamed) {
    using namespace contract;
    this->register_devices();
    std::vector<Sequence> sequences;
    for (int i = 0; i < 4; ++i) sequences.push_back(this->put(this->letter(1)).value());
    const Sequence other = this->put(this->letter(2)).value();
    const Mailbox mailbox = Mailbox::of_device(device_id(1));
    EXPECT_TRUE(this->template ask<void>([&](auto& store, auto done) {
        store.erase_each(mailbox, {sequences[0], sequences[2], other}, done);
    }));
    const auto left = this->list(mailbox);
    ASSERT_EQ(left.size(), 2U);
    EXPECT_EQ(left[0].sequence, sequences[1]);
    EXPECT_EQ(left[1].sequence, sequences[3]);
    EXPECT_EQ(this->list(Mailbox::of_device(device_id(2))).size(), 1U) << "another mailbox";
}

TYPED_TEST_P(StoreContract, BoundsTheMailOfAnAccount) {
    using namespace contract;
    this->register_devices();
    const MailboxLimits account{.count_max = 3, .bytes_max = 10};
    EXPECT_TRUE(this->put(this->letter(1, 4), kWide, account));
    EXPECT_TRUE(this->put(this->letter(2, 4), kWide, account));
    EXPECT_EQ(this->put(this->letter(3, 3), kWide, account).error(), Error::NoSpace);
    EXPECT_TRUE(this->put(this->letter(3, 2), kWide, account));
    EXPECT_EQ(this->put(this->letter(3, 0), kWide, account).error(), Error::NoSpace);
    Letter of_another = this->letter(1, 9);
    of_another.to = MailboxKind::App;
    of_another.app = app_of(AccountId{2}, 1);
    EXPECT_TRUE(this->put(of_another, kWide, account));
    const Mailbox mailbox = Mailbox::of_device(device_id(1));
    EXPECT_TRUE(this->template ask<void>([&](auto& store, auto done) {
        store.erase(mailbox, this->list(mailbox).back().sequence, done);
    }));
    EXPECT_TRUE(this->put(this->letter(3, 4), kWide, account)) << "what is erased counts no more";
}

TYPED_TEST_P(StoreContract, TellsTheSenderOfALetterThatExpired) {
    using namespace contract;
    this->register_devices();
    Letter first = this->letter(1);
    first.reference = 77;
    Letter second = this->letter(2);
    second.app = app_of(AccountId{1}, 2);
    second.expires_at = kNow + minutes(1);
    second.reference = 88;
    EXPECT_TRUE(this->put(first));
    EXPECT_TRUE(this->put(second));
    const Purged early = this->purge(kNow + minutes(1));
    EXPECT_EQ(early.count, 1U);
    EXPECT_EQ(early.told, std::vector{second.app});
    EXPECT_EQ(this->purge(kLater).told, std::vector{first.app});
    const auto letters = this->list(Mailbox::of_app(first.app));
    ASSERT_EQ(letters.size(), 1U);
    const Letter& notice = letters[0].letter;
    EXPECT_EQ(notice.kind, LetterKind::Expired);
    EXPECT_EQ(notice.reference, 77U);
    EXPECT_EQ(notice.device, first.device);
    EXPECT_TRUE(notice.message.empty());
    const Purged last = this->purge(kLater + cloud::store::kNoticeLife);
    EXPECT_EQ(last.count, 2U);
    EXPECT_TRUE(last.told.empty()) << "nobody is told of a notice";
}

TYPED_TEST_P(StoreContract, ErasesThoseFirstThatExpiredFirst) {
    using namespace contract;
    this->register_devices();
    const std::size_t count = cloud::store::kPurgeCountMax;
    for (std::size_t i = 0; i <= count; ++i) {
        Letter letter = this->letter(1);
        letter.to = MailboxKind::App;
        if (i == 0) letter.expires_at = kLater + minutes(1);
        this->fixture.store().put(letter,
                                  {.mailbox = {.count_max = 1'000, .bytes_max = 100'000}},
                                  [](const Result<Sequence>& put) { EXPECT_TRUE(put); });
    }
    EXPECT_EQ(this->purge(kLater + minutes(2)).count, count);
    const auto left = this->list(Mailbox::of_app(this->letter(1).app));
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left[0].letter.expires_at, kLater + minutes(1));
}

TYPED_TEST_P(StoreContract, TellsTheSendersWhenADeviceGoesToAnotherAccount) {
    using namespace contract;
    this->register_devices();
    EXPECT_TRUE(this->put(this->letter(1)));
    EXPECT_TRUE(this->create_claim(9, AccountId{2}));
    EXPECT_TRUE(this->redeem(9, 1, 1));
    EXPECT_TRUE(this->list(Mailbox::of_device(device_id(1))).empty());
    const auto letters = this->list(Mailbox::of_app(this->letter(1).app));
    ASSERT_EQ(letters.size(), 1U);
    EXPECT_EQ(letters[0].letter.kind, LetterKind::Dropped);
}

TYPED_TEST_P(StoreContract, BoundsAMailboxInCountAndBytes) {
    using namespace contract;
    this->register_devices();
    const MailboxLimits limits{.count_max = 2, .bytes_max = 10};
    EXPECT_EQ(this->put(this->letter(1, 11), limits).error(), Error::NoSpace);
    EXPECT_TRUE(this->put(this->letter(1, 6), limits));
    EXPECT_EQ(this->put(this->letter(1, 5), limits).error(), Error::NoSpace);
    EXPECT_TRUE(this->put(this->letter(1, 4), limits));
    EXPECT_EQ(this->put(this->letter(1, 0), limits).error(), Error::NoSpace);
    EXPECT_TRUE(this->put(this->letter(2, 10), limits)) << "another mailbox";
    Letter late = this->letter(1, 6);
    late.stored_at = kLater;
    late.expires_at = kLater + minutes(1);
    EXPECT_TRUE(this->put(late, limits)) << "what has expired counts no more";
}

TYPED_TEST_P(StoreContract, ForgetsExpiredLetters) {
    using namespace contract;
    this->register_devices();
    EXPECT_TRUE(this->put(this->letter(1)));
    const Mailbox mailbox = Mailbox::of_device(device_id(1));
    EXPECT_TRUE(this->list(mailbox, {}, 100, kLater).empty());
    EXPECT_EQ(this->purge(kNow).count, 0U);
    EXPECT_EQ(this->purge(kLater).count, 1U);
    EXPECT_TRUE(this->list(mailbox).empty());
}

TYPED_TEST_P(StoreContract, KeepsALinkContext) {
    using namespace contract;
    using Context = std::optional<std::vector<std::uint8_t>>;
    const auto load = [this] {
        return this
            ->template ask<Context>(
                [](auto& store, auto done) { store.load_link_context(device_id(1), done); })
            .value();
    };
    EXPECT_EQ(load(), std::nullopt);
    for (const std::uint8_t byte : std::array<std::uint8_t, 2>{1, 2}) {
        EXPECT_TRUE(this->template ask<void>([&](auto& store, auto done) {
            store.save_link_context(device_id(1), {byte, 7}, done);
        }));
        EXPECT_EQ(load(), Context({byte, 7}));
    }
    EXPECT_TRUE(this->template ask<void>(
        [](auto& store, auto done) { store.erase_link_context(device_id(1), done); }));
    EXPECT_EQ(load(), std::nullopt);
    EXPECT_TRUE(this->template ask<void>(
        [](auto& store, auto done) { store.save_link_context(device_id(1), {7}, done); }));
    EXPECT_TRUE(
        this->template ask<void>([](auto& store, auto done) { store.erase_link_contexts(done); }));
    EXPECT_EQ(load(), std::nullopt);
}

TYPED_TEST_P(StoreContract, KeepsSettings) {
    using Value = std::optional<std::string>;
    const auto get = [this] {
        return this
            ->template ask<Value>([](auto& store, auto done) { store.get_setting("a", done); })
            .value();
    };
    EXPECT_EQ(get(), std::nullopt);
    for (const char* value : {"1", "2"}) {
        EXPECT_TRUE(this->template ask<void>(
            [&](auto& store, auto done) { store.set_setting("a", value, done); }));
        EXPECT_EQ(get(), value);
    }
}

TYPED_TEST_P(StoreContract, AnswersInTheOrderOfTheCalls) {
    using namespace contract;
    this->register_devices();
    std::vector<int> order;
    for (int i = 0; i < 300; i++) {
        this->fixture.store().put(this->letter(1),
                                  {.mailbox = {.count_max = 1'000, .bytes_max = 100'000}},
                                  [&order, i](const auto&) { order.push_back(i); });
    }
    std::size_t seen = 0;
    this->fixture.store().list(
        Mailbox::of_device(device_id(1)), {}, 1'000, kNow, [&seen](const auto& letters) {
            seen = letters->size();
        });
    this->fixture.settle();
    EXPECT_EQ(order.size(), 300U);
    EXPECT_TRUE(std::ranges::is_sorted(order));
    EXPECT_EQ(seen, 300U) << "what was written before is read";
}

TYPED_TEST_P(StoreContract, RemembersOverARestart) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    EXPECT_TRUE(this->create_claim(1, ann));
    EXPECT_TRUE(this->redeem(1, 1, 1));
    const AppAddress app = app_of(ann, 1);
    const Label label = this->label(1, app);
    EXPECT_TRUE(this->put(this->letter(1)));
    this->fixture.reopen();
    if (!TypeParam::kRemembers) return;
    EXPECT_EQ(this->load(1).registration->account, ann);
    EXPECT_EQ(this->label(1, app), label);
    EXPECT_EQ(this->list(Mailbox::of_device(device_id(1))).size(), 1U);
    EXPECT_EQ(this->redeem(1, 2, 2).error(), Error::NotFound) << "the claim stays used";
}

REGISTER_TYPED_TEST_SUITE_P(StoreContract,
                            GivesEachAccountNameOnce,
                            FindsATokenByHashAndKind,
                            RefusesATokenThatIsTakenOrOfNobody,
                            RegistersADeviceByAClaimOnce,
                            RefusesAnUnknownOrExpiredClaim,
                            RefusesASecondCredentialForAKnownDevice,
                            MovesADeviceToTheAccountOfAFreshClaim,
                            BoundsTheOpenClaimsOfAnAccount,
                            ListsTheDevicesOfAnAccountById,
                            KeepsTheLabelOfAnApp,
                            GivesTheOldestLabelUpWhenADeviceIsFull,
                            KeepsLettersInOrderUntilTheyAreErased,
                            NeverUsesASequenceTwice,
                            KeepsMailboxesApart,
                            TakesLettersOnlyForTheDevicesOfTheirSendersAccount,
                            ErasesTheLettersThatAreNamed,
                            BoundsTheMailOfAnAccount,
                            TellsTheSenderOfALetterThatExpired,
                            ErasesThoseFirstThatExpiredFirst,
                            TellsTheSendersWhenADeviceGoesToAnotherAccount,
                            BoundsAMailboxInCountAndBytes,
                            ForgetsExpiredLetters,
                            KeepsALinkContext,
                            KeepsSettings,
                            AnswersInTheOrderOfTheCalls,
                            RemembersOverARestart);

}  // namespace sotto::testing
