// SPDX-License-Identifier: Apache-2.0
// To whom the owner of a device has given access, as his app remembers it: the device keeps none of
// it (docs/formats/app_state.md). Allocates.
#pragma once

#include <string>
#include <vector>

#include "app/client/limits.hpp"
#include "core/hal/storage.hpp"
#include "core/keystore/records.hpp"

namespace sotto::app {

inline constexpr std::size_t kGuestNameSizeMax = 64;
inline constexpr std::size_t kGuestScopeSizeMax = 200;

struct Guest {
    std::uint16_t number = 0;  // his place in the list, from 1
    keystore::TokenId token{};
    std::uint32_t generation = 0;  // of the pairing that the token hangs from
    std::uint32_t not_after = 0;   // seconds since 1970; session::Grant::kNever
    bool is_revoked = false;
    std::string name = {};
    std::string scope = {};  // as it was given, "f/lamp,v/lamp"; empty: everything

    bool is_over(std::uint32_t present_generation, std::uint32_t time) const {
        return is_revoked || generation != present_generation || not_after < time;
    }
};

// All of them, by number. Error::StorageFailed, Malformed.
Result<std::vector<Guest>> load_guests(hal::Storage& storage);
// Error::StorageFailed, NoSpace; Error::TooLarge for what the format cannot hold.
Status store_guest(hal::Storage& storage, const Guest& guest);
// Adds one, whose number it sets, in a place that is free or of somebody who is over. Error::Busy
// if there is none; others as above.
Status add_guest(hal::Storage& storage, Guest& guest, std::uint32_t time);

}  // namespace sotto::app
