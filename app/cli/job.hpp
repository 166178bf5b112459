// SPDX-License-Identifier: Apache-2.0
// What a command needs to do its job. Each command is a function: it prints its results and returns
// what went wrong.
#pragma once

#include "app/cli/printer.hpp"
#include "app/cli/settings.hpp"
#include "core/hal/entropy.hpp"

namespace sotto::app {

struct Job {
    const Settings& settings;
    Printer& printer;
    hal::Entropy& entropy;
};

Outcome<> run(const PairCommand& command, const Job& job);
Outcome<> run(const CallCommand& command, const Job& job);
Outcome<> run(const OutboxCommand& command, const Job& job);
Outcome<> run(const GetCommand& command, const Job& job);
Outcome<> run(const WatchCommand& command, const Job& job);
Outcome<> run(const DevicesCommand& command, const Job& job);
Outcome<> run(const LoginCommand& command, const Job& job);
Outcome<> run(const MoveCommand& command, const Job& job);
Outcome<> run(const ExportCommand& command, const Job& job);
Outcome<> run(const ImportCommand& command, const Job& job);
Outcome<> run(const TakeoverCommand& command, const Job& job);
Outcome<> run(const UpdateCommand& command, const Job& job);
Outcome<> run(const KeysFlashCommand& command, const Job& job);
Outcome<> run(const KeyCommand& command, const Job& job);
Outcome<> run(const ShareCommand& command, const Job& job);
Outcome<> run(const AcceptCommand& command, const Job& job);
Outcome<> run(const GuestsCommand& command, const Job& job);
Outcome<> run(const RevokeCommand& command, const Job& job);
Outcome<> run(const OpenCommand& command, const Job& job);
Outcome<> run(const CloseCommand& command, const Job& job);
Outcome<> run(const TagCommand& command, const Job& job);
Outcome<> run(const UntagCommand& command, const Job& job);
// Also for an answer that is no success, whose code it prints.
Outcome<> run(const CoapCommand& command, const Job& job);

}  // namespace sotto::app
