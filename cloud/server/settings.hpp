// SPDX-License-Identifier: Apache-2.0
// What sotto-cloud was asked to do, on its command line.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace sotto::cloud::server {

struct InitCommand {
    std::string state{};
    std::string address{};  // HOST:PORT for gateways and devices; empty: where `run` listens
};

struct RunCommand {
    std::string state{};
    std::string http = "127.0.0.1:8080";
    std::string devices = "127.0.0.1:5684";
    std::string address{};  // as InitCommand's, for this run
    std::string ports_file{};
    std::string capture_file{};
    bool insecure = false;
};

struct AddCommand {
    enum class Kind : std::uint8_t { Account, Gateway };
    Kind kind = Kind::Account;
    std::string state{};
    std::string name{};
    std::string account{};  // of a gateway
};

// An exit code: everything was said already (help, version, a mistake on the command line).
using Command = std::variant<InitCommand, RunCommand, AddCommand, int>;
Command read_command_line(int argc, char** argv);

}  // namespace sotto::cloud::server
