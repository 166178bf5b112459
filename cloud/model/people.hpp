// SPDX-License-Identifier: Apache-2.0
// What an administrator sees of accounts, and environment variables. Records own their bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cloud/model/products.hpp"

namespace sotto::cloud::model {

struct AccountInfo {
    AccountId account{};
    std::string name{};
    Instant created_at{};
    bool is_administrator = false;
    bool is_disabled = false;
    bool has_password = false;
    bool has_second_factor = false;
    std::size_t device_count = 0;  // open and sealed
    friend bool operator==(const AccountInfo&, const AccountInfo&) = default;
};

struct AccountChanges {
    std::optional<bool> is_administrator{};
    std::optional<bool> is_disabled{};
};

// Environment variables of an account, of a product or of a device. What they are, the definition
// says in JSON, which no store looks at.
struct EnvironmentRecord {
    AccountId account{};
    ProductId product{};               // 0: of no product
    std::optional<DeviceId> device{};  // of one device
    std::int64_t revision = 0;         // rises with each change; 0: there is none yet
    std::string definition{};
    friend bool operator==(const EnvironmentRecord&, const EnvironmentRecord&) = default;
};

}  // namespace sotto::cloud::model
