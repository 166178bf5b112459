// SPDX-License-Identifier: Apache-2.0
// What the owner of a sealed device trusts his cloud with, so that its gateways recognise the
// device on the air: the key of its tags.
#pragma once

#include "cloud/model/ids.hpp"
#include "core/base/secret.hpp"

namespace sotto::cloud::model {

struct TagKey {
    using Key = Secret<16, struct TagKeyTag>;

    TagKey() = default;
    TagKey(const DeviceId& its_device, AccountId its_account, BytesN<Key::kSize> bytes)
        : device(its_device), account(its_account), key(bytes) {}
    // A store answers with copies, each of which is wiped.
    TagKey(const TagKey& other)
        : device(other.device), account(other.account), key(other.key.clone()) {}
    TagKey& operator=(const TagKey& other) {
        device = other.device;
        account = other.account;
        key = other.key.clone();
        return *this;
    }
    TagKey(TagKey&&) = default;
    TagKey& operator=(TagKey&&) = default;
    ~TagKey() = default;

    DeviceId device{};
    AccountId account{};
    Key key;
};

}  // namespace sotto::cloud::model
