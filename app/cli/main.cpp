// SPDX-License-Identifier: Apache-2.0
// `sotto`: private commands and events between you and your devices.
#include <exception>
#include <iostream>
#include <unistd.h>

#include "app/cli/job.hpp"
#include "ports/linux/system_entropy.hpp"

namespace {

using namespace sotto;
using namespace sotto::app;

ExitCode run_command(const CommandLine& line) {
    Printer printer{{std::cout, std::cerr}, line.settings.is_json, ::isatty(STDOUT_FILENO) == 1};
    if (::isatty(STDERR_FILENO) == 1) printer.show_progress();
    ports::SystemEntropy entropy;
    const Job job{line.settings, printer, entropy};
    const Outcome<> outcome =
        std::visit([&job](const auto& command) { return run(command, job); }, line.command);
    return outcome ? ExitCode::Done : printer.failure(outcome.error());
}

int leave(const Leave& leave) {
    std::cout << leave.output;
    std::cerr << leave.error;
    return leave.code;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const auto parsed = parse_command_line({argv + 1, argv + argc});
        if (const auto* nothing = std::get_if<Leave>(&parsed)) return leave(*nothing);
        return static_cast<int>(run_command(std::get<CommandLine>(parsed)));
    } catch (const std::exception& error) {
        std::cerr << "sotto: an unexpected error: " << error.what() << '\n';
        return static_cast<int>(ExitCode::State);
    }
}
