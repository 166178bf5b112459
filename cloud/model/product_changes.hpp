// SPDX-License-Identifier: Apache-2.0
// What changes make of records, the same for whoever keeps them. Allocates; pure.
#pragma once

#include <algorithm>

#include "cloud/model/products.hpp"

namespace sotto::cloud::model {

inline void apply(const ProductDeviceChanges& changes, ProductDevice& device) {
    if (changes.membership) device.membership = *changes.membership;
    if (changes.is_development) device.is_development = *changes.is_development;
    if (changes.desired_version) device.desired_version = *changes.desired_version;
    if (changes.groups) device.groups = *changes.groups;
    if (changes.trouble) device.trouble = *changes.trouble;
}

// The group has another name from now on; empty: there is no such group any more.
inline bool rename_group(std::vector<std::string>& groups,
                         const std::string& from,
                         const std::string& to) {
    const auto found = std::ranges::find(groups, from);
    if (found == groups.end()) return false;
    if (to.empty()) {
        groups.erase(found);
    } else {
        *found = to;
    }
    return true;
}

}  // namespace sotto::cloud::model
