// SPDX-License-Identifier: Apache-2.0
#include "app/cli/exit_code.hpp"

namespace sotto::app {
namespace {

constexpr ExitRow kTable[] = {
    {ExitCode::Done, "done", "done"},
    {ExitCode::Usage, "usage", "the command line makes no sense"},
    {ExitCode::Refused, "refused", "the device or the cloud understood, and did not do it"},
    {ExitCode::Unreachable, "unreachable", "nobody answered, and nothing was done"},
    {ExitCode::OutcomeUnknown,
     "outcome-unknown",
     "the command may have run, once: look before you repeat it"},
    {ExitCode::NotTheDevice, "not-the-device", "the code is wrong, or another device answered"},
    {ExitCode::State, "state", "the state folder cannot be read or written, or is in use"},
    {ExitCode::SignIn, "sign-in", "the cloud wants a token, or another one: sotto login"},
};

}  // namespace

std::span<const ExitRow> exit_table() { return kTable; }

ExitCode exit_code_of(Trouble trouble) {
    switch (trouble) {
        case Trouble::Usage:
            return ExitCode::Usage;
        case Trouble::State:
            return ExitCode::State;
        case Trouble::SignIn:
            return ExitCode::SignIn;
        case Trouble::Away:
        case Trouble::Unreachable:
            return ExitCode::Unreachable;
        case Trouble::NotTheDevice:
            return ExitCode::NotTheDevice;
        case Trouble::Refused:
            return ExitCode::Refused;
        case Trouble::OutcomeUnknown:
            return ExitCode::OutcomeUnknown;
    }
    return ExitCode::Usage;
}

std::string_view name_of(ExitCode code) { return kTable[static_cast<std::size_t>(code)].name; }

}  // namespace sotto::app
