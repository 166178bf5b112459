// SPDX-License-Identifier: Apache-2.0
// Word to the service manager (sd_notify(3)): one datagram to the socket that $NOTIFY_SOCKET names.
// Without one nothing is said. Allocates; does not block.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace sotto::ports {

class ServiceManager {
  public:
    // Reads the environment: NOTIFY_SOCKET, WATCHDOG_USEC.
    ServiceManager();

    void say_ready() const { say("READY=1"); }
    void say_stopping() const { say("STOPPING=1"); }
    // To be called about every second from where a hang would be noticed.
    void say_alive() const {
        if (watchdog_) say("WATCHDOG=1");
    }
    bool is_there() const { return !socket_.empty(); }
    // How long it waits for a sign of life.
    std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

  private:
    void say(const std::string& state) const;

    std::string socket_;
    std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace sotto::ports
