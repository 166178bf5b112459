// SPDX-License-Identifier: Apache-2.0
// The exit codes of `sotto`: one table for the program, its --help and docs/cli.md.
#pragma once

#include <span>
#include <string_view>

#include "app/client/failure.hpp"

namespace sotto::app {

enum class ExitCode : std::uint8_t {
    Done = 0,
    Usage = 1,
    Refused = 2,
    Unreachable = 3,
    OutcomeUnknown = 4,
    NotTheDevice = 5,
    State = 6,
    SignIn = 7,
};

struct ExitRow {
    ExitCode code;
    std::string_view name;  // as --json gives it
    std::string_view meaning;
};

std::span<const ExitRow> exit_table();
ExitCode exit_code_of(Trouble trouble);
std::string_view name_of(ExitCode code);

}  // namespace sotto::app
