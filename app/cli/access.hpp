// SPDX-License-Identifier: Apache-2.0
// Giving access to a device, to people and to one's cloud, and taking it back. Allocates; blocks on
// the device where it is told.
#pragma once

#include <string>
#include <vector>

#include "app/cli/home.hpp"
#include "app/cli/job.hpp"
#include "core/session/access_token.hpp"

namespace sotto::app {

// AIF (RFC 9237) of "f/lamp,v/lamp": functions are posted to, the others are got. Trouble::Usage.
Outcome<std::vector<std::uint8_t>> encode_scope(const std::string& list);

// Whether somebody can be let in under this name. Trouble::Usage: it is no name, or somebody of it
// has access already.
Outcome<> check_guest_name(const std::string& name, const Home& home, const DeviceEntry& entry);

// An access token for the holder of the credential with this hash, who is put down before it is
// given away; sets his generation and number. Trouble::Usage if its names are too many.
Outcome<keystore::TokenBytes> let_in(const crypto::Hash& key,
                                     Guest& guest,
                                     const DeviceEntry& entry,
                                     const Home& home);

// By name or number; of the same name the latest one. Trouble::Usage.
Outcome<Guest> find_guest(const std::string& text, const DeviceEntry& entry, const Home& home);

// Tells the device, and puts it down only when that has done it: until then it is not true.
// Troubles as Device::revoke().
Outcome<> take_back(Guest& guest, const DeviceEntry& entry, const Home& home, const Job& job);

// What of a device its cloud was let in to: the guest of this name.
inline constexpr const char* kCloudGuest = "the cloud";

}  // namespace sotto::app
