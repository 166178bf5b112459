// SPDX-License-Identifier: Apache-2.0
// What the operator does with accounts and sees of them, beside `add` (state.hpp). Allocates;
// blocks on the disk. May be called while the cloud runs.
#pragma once

#include <string>

#include "cloud/server/settings.hpp"
#include "cloud/server/state.hpp"
#include "core/hal/entropy.hpp"

namespace sotto::cloud::server {

// Error::NotFound without such an account, Error::InvalidArgument for a password that is too short
// or too long. What logged in before is logged out.
Outcome<> set_password(const PasswordCommand& command, hal::Entropy& entropy);

// What the operator wants to be done with an account, and what there is to be said of it.
// Error::NotFound without such an account; Error::Busy if it is to be removed while the cloud runs.
Outcome<std::string> manage_account(const AccountCommand& command);

// A line for each entry: time, address, account, action, outcome, subject.
Outcome<std::string> read_audit(const AuditCommand& command);

}  // namespace sotto::cloud::server
