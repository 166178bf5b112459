// SPDX-License-Identifier: Apache-2.0
// Whether an adapter of this machine shows itself under addresses that change, as the kernel says
// (BlueZ's doc/mgmt-api.txt, "Read Controller Information"). No privileges are needed. Does not
// block: the kernel answers at once.
#pragma once

#include <optional>
#include <string>

namespace sotto::air::bluez {

// `adapter`: hci0, ... Nothing if it cannot be told.
std::optional<bool> has_private_address(const std::string& adapter);

}  // namespace sotto::air::bluez
