// SPDX-License-Identifier: Apache-2.0
// As account_contract.hpp: what every Store must do with the keys of legacy devices.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "testing/account_contract.hpp"

namespace sotto::testing {

template <class Fixture>
class KeyContract : public AccountContract<Fixture> {};

TYPED_TEST_SUITE_P(KeyContract);

TYPED_TEST_P(KeyContract, KeysThatAreShownWaitForApproval) {
    using namespace contract;
    using Keys = std::vector<DeviceKey>;
    const auto show = [this](std::uint8_t device, std::uint8_t key, int at) {
        EXPECT_TRUE(this->template ask<void>([&](auto& store, auto done) {
            store.add_pending_key(
                {.device = device_id(device), .key = {key}, .stored_at = kNow + seconds(at)}, done);
        }));
    };
    const auto list = [this] {
        Keys keys = *this->template ask<Keys>(
            [](auto& store, auto done) { store.list_pending_keys(done); });
        std::vector<int> texts;
        for (const DeviceKey& key : keys) texts.push_back(key.device[0] * 100 + key.key[0]);
        return texts;
    };
    show(2, 9, 0);
    show(1, 1, 1);
    show(1, 2, 2);
    EXPECT_EQ(list(), (std::vector{102, 101, 209})) << "the newest of each first";
    show(1, 1, 3);
    EXPECT_EQ(list(), (std::vector{101, 102, 209})) << "shown again";
    for (std::uint8_t key = 3; key < 3 + cloud::store::kPendingKeysPerDeviceMax; ++key)
        show(1, key, key + 1);
    EXPECT_EQ(list(), (std::vector{106, 105, 104, 103, 209}));

    EXPECT_TRUE(this->template ask<void>([&](auto& store, auto done) {
        store.set_device_key({.device = device_id(1), .key = {5}, .stored_at = kNow}, done);
    }));
    EXPECT_EQ(list(), std::vector{209}) << "there is no choice any more";
    for (std::size_t i = 0; i < cloud::store::kPendingKeysMax; ++i) {
        DeviceKey key{.device = device_id(3), .key = {1}, .stored_at = kNow + seconds(60)};
        key.device[10] = static_cast<std::uint8_t>(i);
        key.device[11] = static_cast<std::uint8_t>(i >> 8);
        EXPECT_TRUE(this->template ask<void>(
            [&](auto& store, auto done) { store.add_pending_key(key, done); }));
    }
    EXPECT_EQ(list().size(), cloud::store::kPendingKeysMax);
    EXPECT_EQ(list().front(), 301) << "the oldest made room";
}

TYPED_TEST_P(KeyContract, AKeyMakesADeviceHisThatNobodyHasAndReplacesNoOther) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    const AccountId bob = this->account("bob");
    const auto key = [](std::uint8_t device, std::uint8_t value) {
        return DeviceKey{.device = device_id(device), .key = {value}, .stored_at = kNow};
    };
    const auto provision = [&](DeviceKey given, AccountId account) {
        return this->template ask<OpenDeviceRecord>(
            [&](auto& store, auto done) { store.provision_device(given, account, done); });
    };
    const auto stored = [this](std::uint8_t device) {
        return this
            ->template ask<std::optional<DeviceKey>>(
                [&](auto& store, auto done) { store.find_device_key(device_id(device), done); })
            .value()
            ->key.at(0);
    };
    EXPECT_EQ(provision(key(1, 1), ann)->account, ann);
    EXPECT_EQ(provision(key(1, 2), bob).error(), Error::Refused);
    EXPECT_EQ(stored(1), 1);
    EXPECT_TRUE(provision(key(1, 3), ann)) << "his own device";
    EXPECT_EQ(stored(1), 3);
    EXPECT_TRUE(this->template ask<void>(
        [&](auto& store, auto done) { store.set_device_key(key(2, 7), done); }));
    EXPECT_EQ(provision(key(2, 8), ann).error(), Error::Refused) << "the operator's";
    EXPECT_TRUE(this->claim(2, ann));
    EXPECT_TRUE(provision(key(2, 9), ann));
    EXPECT_EQ(this->count_devices(ann), 2U);
}

TYPED_TEST_P(KeyContract, AnAccountHasSoManyDevicesByTheirKeys) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    std::optional<Result<OpenDeviceRecord>> last;
    for (std::size_t i = 0; i <= cloud::store::kOpenDevicesPerAccountMax; ++i) {
        const DeviceId id{1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
        this->fixture.store().provision_device({.device = id, .key = {1}, .stored_at = kNow},
                                               ann,
                                               [&last](const auto& answer) { last = answer; });
        if (i % 256 == 0) this->fixture.settle();
        if (i == cloud::store::kOpenDevicesPerAccountMax - 1) {
            this->fixture.settle();
            EXPECT_TRUE(last->has_value());
        }
    }
    this->fixture.settle();
    EXPECT_EQ(last->error(), Error::NoSpace);
}

TYPED_TEST_P(KeyContract, KeepsOneKeyOfALegacyDevice) {
    using namespace contract;
    using Key = cloud::model::DeviceKey;
    const auto key = [](std::uint8_t device, std::uint8_t byte) {
        return Key{.device = device_id(device), .key = {byte, 7}, .stored_at = kNow};
    };
    const auto find = [this](std::uint8_t device) {
        return this
            ->template ask<std::optional<Key>>(
                [&](auto& store, auto done) { store.find_device_key(device_id(device), done); })
            .value();
    };
    const auto set = [this](const Key& given) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.set_device_key(given, done); });
    };
    const auto add = [this](const Key& given, std::size_t count_max) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.add_device_key(given, count_max, done); });
    };
    const auto erase = [this](std::uint8_t device) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.erase_device_key(device_id(device), done); });
    };
    EXPECT_EQ(find(1), std::nullopt);
    EXPECT_TRUE(set(key(1, 1)));
    EXPECT_TRUE(set(key(1, 2)));
    EXPECT_EQ(find(1), key(1, 2));
    EXPECT_EQ(add(key(1, 3), 9).error(), Error::AlreadyExists);
    EXPECT_EQ(add(key(2, 3), 1).error(), Error::NoSpace);
    EXPECT_TRUE(add(key(2, 3), 2));
    EXPECT_EQ(this->template ask<std::vector<Key>>(
                      [](auto& store, auto done) { store.list_device_keys(done); })
                  .value(),
              (std::vector{key(1, 2), key(2, 3)}));
    EXPECT_TRUE(erase(1));
    EXPECT_EQ(erase(1).error(), Error::NotFound);
    EXPECT_EQ(find(1), std::nullopt);
    EXPECT_EQ(find(2), key(2, 3));
}

TYPED_TEST_P(KeyContract, AReaderKnowsWhatTheStoreHasAnswered) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    const auto reader = this->fixture.store().make_device_reader();
    const auto known = [&](std::uint8_t device) { return reader->find(device_id(device)).value(); };
    const std::vector<std::uint8_t> key{1, 2, 3};
    EXPECT_EQ(known(1), cloud::model::KnownDevice{});
    EXPECT_TRUE(this->template ask<void>([&](auto& store, auto done) {
        store.set_device_key({.device = device_id(1), .key = key, .stored_at = kNow}, done);
    }));
    EXPECT_EQ(known(1), (cloud::model::KnownDevice{.key = key}));
    EXPECT_TRUE(this->claim(1, ann));
    EXPECT_TRUE(this->claim(2, ann));
    EXPECT_EQ(known(1), (cloud::model::KnownDevice{.key = key, .owner = ann}));
    EXPECT_EQ(known(2), (cloud::model::KnownDevice{.owner = ann}));
    EXPECT_TRUE(this->template ask<void>(
        [&](auto& store, auto done) { store.erase_device_key(device_id(1), done); }));
    EXPECT_EQ(known(1), (cloud::model::KnownDevice{.owner = ann}));
    // In a thread of its own, while the store is written.
    std::atomic<bool> is_over{false};
    std::thread other{[&] {
        const auto mine = this->fixture.store().make_device_reader();
        while (!is_over) EXPECT_EQ(mine->find(device_id(2)).value().owner, ann);
    }};
    for (std::uint8_t i = 0; i < 100; ++i)
        this->fixture.store().set_device_key(
            {.device = device_id(3), .key = {i}, .stored_at = kNow}, [](const auto&) {});
    this->fixture.settle();
    is_over = true;
    other.join();
    EXPECT_EQ(known(3).key, std::vector<std::uint8_t>{99});
}

REGISTER_TYPED_TEST_SUITE_P(KeyContract,
                            AReaderKnowsWhatTheStoreHasAnswered,
                            KeysThatAreShownWaitForApproval,
                            AKeyMakesADeviceHisThatNobodyHasAndReplacesNoOther,
                            AnAccountHasSoManyDevicesByTheirKeys,
                            KeepsOneKeyOfALegacyDevice);

}  // namespace sotto::testing
