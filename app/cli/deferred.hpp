// SPDX-License-Identifier: Apache-2.0
// Calls that wait for a device in the cloud's mailbox, and what became of them.
#pragma once

#include "app/cli/job.hpp"

namespace sotto::app {

// Seals the call, keeps what is needed to understand its answer, and lets the cloud store it.
// Trouble::Unreachable if there is no session with the device yet, or no cloud.
Outcome<> call_later(const CallCommand& command, const Job& job);

}  // namespace sotto::app
