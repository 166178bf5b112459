// SPDX-License-Identifier: Apache-2.0
// `sotto-cloud keys`: what the operator does with the keys of legacy devices, and with the one by
// which they know this cloud. Allocates; blocks on the disk.
#pragma once

#include <string>

#include "cloud/server/settings.hpp"
#include "ports/linux/failure.hpp"

namespace sotto::cloud::server {

// What it prints. While a cloud runs, keys of devices count from their next handshake on, and those
// of the server from its next start.
ports::Outcome<std::string> perform_keys(const KeysCommand& command);

}  // namespace sotto::cloud::server
