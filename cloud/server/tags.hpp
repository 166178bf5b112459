// SPDX-License-Identifier: Apache-2.0
// Gives gateways the tags of the devices that they may serve: those of the account that their token
// is of, as far as their owners have given this cloud the keys. Gateways get tags of the next hours
// and never a key. Allocates; never blocks.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "cloud/services/hub.hpp"
#include "cloud/store/store.hpp"

namespace sotto::cloud::server {

class Tags {
  public:
    struct Setup {
        store::Store& store;
        services::Hub& hub;
        std::function<Instant()> now;  // since 1970
    };
    // What it refers to must live as long as this.
    explicit Tags(Setup setup) : setup_(std::move(setup)) {}

    // A gateway of this account asks for them, for as long as it is there.
    void on_wanted(services::GatewayId gateway, model::AccountId account);
    // The account has given a key or taken one back.
    void on_keys_changed(model::AccountId account);
    // To be called at least once in each second.
    void on_time();
    std::size_t gateway_count() const { return readers_.size(); }

  private:
    struct Reader {
        model::AccountId account;
        Instant give_at;
    };

    void give(services::GatewayId gateway, const std::vector<model::TagKey>& keys);

    Setup setup_;
    std::map<services::GatewayId, Reader> readers_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace sotto::cloud::server
