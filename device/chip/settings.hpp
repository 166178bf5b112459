// SPDX-License-Identifier: Apache-2.0
// The command line of `sotto-chip`, parsed.
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace sotto::chip {

struct ProvisionCommand {
    std::string firmware;  // an image as the build makes it, or one that was provisioned before
    std::string out;
    std::string subject;  // of the credential; empty: a random one
    std::string code_file;
    std::string publisher;  // file with the key whose updates it takes; empty: it takes none
};
struct SignCommand {
    std::string key;
    std::uint32_t version = 0;
    std::string hardware;
    std::string slot_a;
    std::string slot_b;
    std::string out;
};
struct AirCommand {
    std::string uart;  // a terminal device or a UNIX socket
    std::string air;   // folder
};
using Command = std::variant<ProvisionCommand, SignCommand, AirCommand>;

// What to print and the code to leave with, when there is nothing to run.
struct Leave {
    std::string output;
    std::string error;
    int code = 0;
};

std::variant<Command, Leave> parse_command_line(std::vector<std::string> arguments);

}  // namespace sotto::chip
