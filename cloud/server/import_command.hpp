// SPDX-License-Identifier: Apache-2.0
// sotto-cloud import: from a spark-server to this cloud (docs/operation.md). Allocates; blocks.
#pragma once

#include <string>

#include "cloud/server/settings.hpp"
#include "cloud/server/state.hpp"
#include "core/hal/entropy.hpp"

namespace sotto::cloud::server {

// A table of what comes and what does not, and why. What comes, comes all at once; what is here
// already stays as it is, so that nothing changes the second time. Error::NotFound: there is no
// such server's data; Error::Busy: this cloud is running.
Outcome<std::string> import_server(const ImportCommand& command, hal::Entropy& entropy);

}  // namespace sotto::cloud::server
