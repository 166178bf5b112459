// SPDX-License-Identifier: Apache-2.0
// What `sotto login` reads and believes. Allocates.
#pragma once

#include "app/cli/job.hpp"
#include "app/client/failure.hpp"
#include "app/client/records.hpp"

namespace sotto::app {

// The first line of a token's text. Trouble::Usage if that can't be a token.
Outcome<std::string> parse_token(std::string_view text);

// What a cloud says about itself (GET /sotto/v1/cloud): fills credential and address of `account`.
// Trouble::Unreachable if this is not the answer of a cloud that we understand.
Outcome<> parse_cloud(std::string_view body, Account& account);

// Reads the token, and asks the cloud who it is. Stores nothing. Troubles as http_request().
Outcome<Account> sign_in(const LoginCommand& command, const Job& job);

}  // namespace sotto::app
