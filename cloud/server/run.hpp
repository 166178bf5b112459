// SPDX-License-Identifier: Apache-2.0
// sotto-cloud run: the wiring. Blocks until SIGTERM or SIGINT.
#pragma once

#include <string>

#include "cloud/server/settings.hpp"
#include "cloud/server/state.hpp"

namespace sotto::cloud::server {

// One line for what an operator wants to know. No payloads, no secrets.
class Log {
  public:
    virtual void info(const std::string& line) = 0;
    virtual void warn(const std::string& line) = 0;

  protected:
    ~Log() = default;  // owned by main
};

Outcome<> run(const RunCommand& command, hal::Entropy& entropy, Log& log);

}  // namespace sotto::cloud::server
