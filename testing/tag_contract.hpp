// SPDX-License-Identifier: Apache-2.0
// As store_contract.hpp: what every Store must do with the keys of the tags of devices.
#pragma once

#include <vector>

#include "testing/store_contract.hpp"

namespace sotto::testing {

template <class Fixture>
class TagContract : public StoreContract<Fixture> {
  public:
    using TagKey = cloud::model::TagKey;

    static TagKey key_of(contract::AccountId account, std::uint32_t device, std::uint8_t number) {
        contract::DeviceId id = contract::device_id(static_cast<std::uint8_t>(device));
        id[11] = static_cast<std::uint8_t>(device >> 8U);
        return {id, account, std::array<std::uint8_t, TagKey::Key::kSize>{number}};
    }
    Status set(const TagKey& key) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.set_tag_key(key, done); });
    }
    Status erase(contract::AccountId account, std::uint8_t device) {
        return this->template ask<void>([&](auto& store, auto done) {
            store.erase_tag_key(account, contract::device_id(device), done);
        });
    }
    // The first byte of each, by device.
    std::vector<int> list(contract::AccountId account) {
        const auto keys = this->template ask<std::vector<TagKey>>(
            [&](auto& store, auto done) { store.list_tag_keys(account, done); });
        std::vector<int> numbers;
        for (const TagKey& key : *keys) {
            EXPECT_EQ(key.account, account);
            numbers.push_back(key.key.expose()[0]);
        }
        return numbers;
    }
    const contract::AccountId ann_{1};
    const contract::AccountId bob_{2};
};

TYPED_TEST_SUITE_P(TagContract);

TYPED_TEST_P(TagContract, AreOfTheAccountOfTheDeviceAndNewOnesTakeTheirPlace) {
    this->register_devices();  // of the first account
    EXPECT_TRUE(this->list(this->ann_).empty());
    EXPECT_EQ(this->set(this->key_of(this->bob_, 1, 7)).error(), Error::NotFound) << "another's";
    EXPECT_EQ(this->set(this->key_of(this->ann_, 99, 7)).error(), Error::NotFound) << "nobody's";
    EXPECT_TRUE(this->set(this->key_of(this->ann_, 2, 8)));
    EXPECT_TRUE(this->set(this->key_of(this->ann_, 1, 7)));
    EXPECT_EQ(this->list(this->ann_), (std::vector{7, 8}));
    EXPECT_TRUE(this->list(this->bob_).empty());
    EXPECT_TRUE(this->set(this->key_of(this->ann_, 1, 9)));
    EXPECT_EQ(this->list(this->ann_), (std::vector{9, 8}));
    this->fixture.reopen();
    if (!TypeParam::kRemembers) return;
    EXPECT_EQ(this->list(this->ann_), (std::vector{9, 8}));
}

TYPED_TEST_P(TagContract, AreTakenBackByTheirAccountOnly) {
    this->register_devices();
    EXPECT_TRUE(this->set(this->key_of(this->ann_, 1, 7)));
    EXPECT_EQ(this->erase(this->bob_, 1).error(), Error::NotFound);
    EXPECT_EQ(this->erase(this->ann_, 2).error(), Error::NotFound);
    EXPECT_TRUE(this->erase(this->ann_, 1));
    EXPECT_EQ(this->erase(this->ann_, 1).error(), Error::NotFound);
    EXPECT_TRUE(this->list(this->ann_).empty());
}

TYPED_TEST_P(TagContract, GoWithTheirDeviceToAnotherAccountAndWithTheirAccount) {
    using namespace contract;
    this->register_devices();
    EXPECT_TRUE(this->set(this->key_of(this->ann_, 1, 7)));
    EXPECT_TRUE(this->set(this->key_of(this->ann_, 2, 8)));
    const auto device = this->load(1);
    const std::uint8_t key = device.registration->credential[0];
    EXPECT_TRUE(this->create_claim(91, this->ann_));
    EXPECT_TRUE(this->redeem(91, 1, key));
    EXPECT_EQ(this->list(this->ann_), (std::vector{7, 8})) << "his again";
    EXPECT_TRUE(this->create_claim(92, this->bob_));
    EXPECT_TRUE(this->redeem(92, 1, key));
    EXPECT_EQ(this->list(this->ann_), std::vector{8});
    EXPECT_TRUE(this->list(this->bob_).empty()) << "he has not given it";
    EXPECT_TRUE(this->template ask<void>(
        [&](auto& store, auto done) { store.erase_account(this->ann_, done); }));
    EXPECT_TRUE(this->list(this->ann_).empty());
}

TYPED_TEST_P(TagContract, AnAccountGivesSoManyAtMost) {
    using namespace contract;
    this->register_devices();
    Status last;
    for (std::uint32_t i = 0; i <= cloud::store::kTagKeysPerAccountMax; ++i) {
        const ClaimCode code{{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8U), 3}};
        const auto key = this->key_of(this->ann_, 1'000 + i, 5);
        this->fixture.store().create_claim(
            {.code = code, .account = this->ann_, .expires_at = kLater},
            10'000,
            kNow,
            [](const Status& created) { EXPECT_TRUE(created); });
        this->fixture.store().redeem_claim(
            code, key.device, credential(1), kNow, [](const auto& registered) {
                EXPECT_TRUE(registered);
            });
        this->fixture.store().set_tag_key(key, [&last](const Status& set) { last = set; });
        if (i % 64 == 0) this->fixture.settle();
    }
    this->fixture.settle();
    EXPECT_EQ(last.error(), Error::NoSpace);
    EXPECT_EQ(this->list(this->ann_).size(), cloud::store::kTagKeysPerAccountMax);
    EXPECT_TRUE(this->set(this->key_of(this->ann_, 1'000, 6))) << "it is among them";
}

REGISTER_TYPED_TEST_SUITE_P(TagContract,
                            AreOfTheAccountOfTheDeviceAndNewOnesTakeTheirPlace,
                            AreTakenBackByTheirAccountOnly,
                            GoWithTheirDeviceToAnotherAccountAndWithTheirAccount,
                            AnAccountGivesSoManyAtMost);

}  // namespace sotto::testing
