// SPDX-License-Identifier: Apache-2.0
// The part of the Store that is about who uses this cloud, as an administrator sees it; about
// programs that users make for a product (ApiUser), and about environment variables. The contract
// of store.hpp.
#pragma once

#include <string>
#include <vector>

#include "cloud/model/people.hpp"
#include "cloud/store/product_store.hpp"

namespace sotto::cloud::store {

class PeopleStore {
  public:
    virtual ~PeopleStore() = default;

    // By name.
    virtual void list_accounts(Done<std::vector<model::AccountInfo>> done) = 0;
    // A disabled account has no access by any token but those of its gateways, and no log-in.
    // Error::NotFound.
    virtual void update_account(model::AccountId account,
                                model::AccountChanges changes,
                                Done<void> done) = 0;
    // With everything that is its own; its devices are nobody's. What was done stays in the audit
    // log, and its number is never given again. Error::NotFound.
    virtual void erase_account(model::AccountId account, Done<void> done) = 0;

    // Programs of a product, by name: tokens of kind ApiUser, which add_token() adds,
    // Error::NoSpace at kApiUsersPerProductMax.
    virtual void list_api_users(model::AccountId account,
                                model::ProductId product,
                                Done<std::vector<model::TokenInfo>> done) = 0;
    // Another token in place of the one of this name and product, with these scopes.
    // Error::NotFound.
    virtual void renew_api_user(model::Token token, Instant now, Done<void> done) = 0;
    // The same token, with these scopes and under this friendly name (client). Error::NotFound.
    virtual void update_api_user(model::Token token, Done<void> done) = 0;
    virtual void erase_api_user(model::AccountId account,
                                model::ProductId product,
                                std::string name,
                                Done<void> done) = 0;

    // Those of this account, product and device. One that is not there has the revision 0.
    virtual void find_environment(model::AccountId account,
                                  model::ProductId product,
                                  std::optional<model::DeviceId> device,
                                  Done<model::EnvironmentRecord> done) = 0;
    // In place of the revision before. Error::Refused if there is another by now, Error::NoSpace
    // at kEnvironmentsPerAccountMax.
    virtual void save_environment(model::EnvironmentRecord record, Done<void> done) = 0;
};

}  // namespace sotto::cloud::store
