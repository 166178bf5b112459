// SPDX-License-Identifier: Apache-2.0
// sotto-cloud run: the wiring. Blocks until SIGTERM or SIGINT, and then until everybody was told
// good-bye, for some seconds at most; a second signal ends it at once.
#pragma once

#include <string>

#include "cloud/server/settings.hpp"
#include "cloud/server/state.hpp"
#include "ports/service/log.hpp"

namespace sotto::cloud::server {

// No payload and no secret goes into it.
using ports::Log;

Outcome<> run(const RunCommand& command, hal::Entropy& entropy, Log& log);

}  // namespace sotto::cloud::server
