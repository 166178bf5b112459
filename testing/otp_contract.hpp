// SPDX-License-Identifier: Apache-2.0
// As account_contract.hpp: what every Store must do with one-time passwords.
#pragma once

#include <vector>

#include "testing/account_contract.hpp"

namespace sotto::testing {

template <class Fixture>
class OtpContract : public AccountContract<Fixture> {};

TYPED_TEST_SUITE_P(OtpContract);

TYPED_TEST_P(OtpContract, AStepIsUsedOnceAndNoneBeforeIt) {
    using namespace contract;
    const AccountId ann = this->account("ann");
    this->account("bob");
    using Secret = std::vector<std::uint8_t>;
    const auto secret_of = [this](const char* name) {
        return this
            ->template ask<Login>([&](auto& store, auto done) { store.find_login(name, done); })
            ->otp_secret;
    };
    const auto set = [this](AccountId account, const Secret& secret) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.set_otp_secret(account, secret, done); });
    };
    const auto use = [this](AccountId account, std::int64_t step) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.use_otp(account, step, done); });
    };
    EXPECT_EQ(secret_of("ann"), Secret{});
    EXPECT_TRUE(set(ann, {1, 0, 3}));
    EXPECT_EQ(secret_of("ann"), (Secret{1, 0, 3}));
    EXPECT_EQ(secret_of("bob"), Secret{});
    EXPECT_EQ(set(AccountId{99}, {1}).error(), Error::NotFound);
    EXPECT_TRUE(use(ann, 100));
    EXPECT_EQ(use(ann, 100).error(), Error::Refused);
    EXPECT_EQ(use(ann, 99).error(), Error::Refused);
    EXPECT_TRUE(use(ann, 101));
    EXPECT_EQ(use(AccountId{99}, 1).error(), Error::NotFound);
    EXPECT_TRUE(set(ann, {4}));
    EXPECT_TRUE(use(ann, 100)) << "of another secret";
    EXPECT_TRUE(set(ann, {}));
    EXPECT_EQ(secret_of("ann"), Secret{});
}

REGISTER_TYPED_TEST_SUITE_P(OtpContract, AStepIsUsedOnceAndNoneBeforeIt);

}  // namespace sotto::testing
