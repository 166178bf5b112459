// SPDX-License-Identifier: Apache-2.0
// As account_contract.hpp: what every Store must do with integrations.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "testing/account_contract.hpp"

namespace sotto::testing {

template <class Fixture>
class HookContract : public AccountContract<Fixture> {};

TYPED_TEST_SUITE_P(HookContract);

TYPED_TEST_P(HookContract, IntegrationsAreOfOneAccountAndInTheOrderOfTheirComing) {
    using namespace contract;
    using Hook = cloud::model::HookRecord;
    const AccountId ann = this->account("ann");
    const AccountId bob = this->account("bob");
    const auto hook = [](std::uint8_t number, AccountId account, std::string definition) {
        Hook made{.account = account,
                  .definition = std::move(definition),
                  .created_at = kNow,
                  .updated_at = kNow};
        made.id.bytes[0] = number;
        return made;
    };
    const auto add = [this](const Hook& given) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.add_hook(given, done); });
    };
    const auto update = [this](const Hook& given) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.update_hook(given, done); });
    };
    const auto erase = [this](AccountId account, const Hook& given) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.erase_hook(account, given.id, done); });
    };
    const auto list = [this] {
        return this
            ->template ask<std::vector<Hook>>(
                [](auto& store, auto done) { store.list_hooks(done); })
            .value();
    };
    EXPECT_TRUE(list().empty());
    EXPECT_TRUE(add(hook(9, ann, "{\"a\": \"\u00e4\"}")));
    EXPECT_TRUE(add(hook(3, bob, "{}")));
    EXPECT_TRUE(add(hook(5, ann, "{}")));
    this->fixture.reopen();
    EXPECT_EQ(
        list(),
        (std::vector{hook(9, ann, "{\"a\": \"\u00e4\"}"), hook(3, bob, "{}"), hook(5, ann, "{}")}));
    EXPECT_EQ(update(hook(3, ann, "{\"stolen\": 1}")).error(), Error::NotFound);
    EXPECT_EQ(erase(ann, hook(3, bob, "")).error(), Error::NotFound);
    Hook changed = hook(3, bob, "{\"b\": 2}");
    changed.updated_at = kLater;
    EXPECT_TRUE(update(changed));
    EXPECT_EQ(list().at(1), changed);
    EXPECT_TRUE(erase(ann, hook(9, ann, "")));
    EXPECT_EQ(erase(ann, hook(9, ann, "")).error(), Error::NotFound);
    EXPECT_EQ(list().size(), 2U);
}

TYPED_TEST_P(HookContract, AnAccountHasRoomForSoManyIntegrationsAndSoMuchInThem) {
    using namespace contract;
    using Hook = cloud::model::HookRecord;
    const AccountId ann = this->account("ann");
    const AccountId bob = this->account("bob");
    std::size_t count = 0;
    const auto add = [&](AccountId account, std::size_t size) {
        Hook hook{.account = account, .definition = std::string(size, 'x')};
        hook.id.bytes[0] = static_cast<std::uint8_t>(++count);
        hook.id.bytes[1] = static_cast<std::uint8_t>(count >> 8U);
        return this->template ask<void>(
            [&](auto& store, auto done) { store.add_hook(hook, done); });
    };
    for (std::size_t i = 0; i < cloud::store::kHooksPerAccountMax; ++i) ASSERT_TRUE(add(ann, 2));
    EXPECT_EQ(add(ann, 2).error(), Error::NoSpace);
    EXPECT_TRUE(add(bob, cloud::store::kHookBytesPerAccountMax - 1));
    Hook last{.account = bob, .definition = std::string(2, 'x')};
    last.id.bytes[0] = static_cast<std::uint8_t>(count);
    last.id.bytes[1] = static_cast<std::uint8_t>(count >> 8U);
    EXPECT_EQ(add(bob, 2).error(), Error::NoSpace);
    EXPECT_TRUE(add(bob, 1));
    const auto update = [&](const Hook& given) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.update_hook(given, done); });
    };
    EXPECT_TRUE(update(last)) << "it is smaller than it was";
    last.definition = std::string(cloud::store::kHookBytesPerAccountMax, 'x');
    EXPECT_EQ(update(last).error(), Error::NoSpace);
    const auto hooks = this->template ask<std::vector<Hook>>(
        [](auto& store, auto done) { store.list_hooks(done); });
    const auto kept = std::ranges::find(*hooks, last.id, &Hook::id);
    ASSERT_NE(kept, hooks->end());
    EXPECT_EQ(kept->definition.size(), 2U);
}

REGISTER_TYPED_TEST_SUITE_P(HookContract,
                            IntegrationsAreOfOneAccountAndInTheOrderOfTheirComing,
                            AnAccountHasRoomForSoManyIntegrationsAndSoMuchInThem);

}  // namespace sotto::testing
