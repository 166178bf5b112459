// SPDX-License-Identifier: Apache-2.0
// Three plain forwarders in a row, each a process of its own: the least that a relayed round trip
// can cost on this machine. TCP to the first, TCP to the second, a UNIX socket to the third, which
// echoes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <sys/types.h>

namespace sotto::bench {

class Forwarders {
  public:
    // Throws std::runtime_error.
    Forwarders();
    ~Forwarders();
    Forwarders(const Forwarders&) = delete;
    Forwarders& operator=(const Forwarders&) = delete;

    // Sends the bytes and waits until as many have come back.
    void round_trip(std::span<std::uint8_t> bytes) const;

  private:
    std::array<pid_t, 3> processes_{};
    int socket_ = -1;
};

}  // namespace sotto::bench
