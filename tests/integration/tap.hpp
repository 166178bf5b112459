// SPDX-License-Identifier: Apache-2.0
// A wire that keeps a copy: connections to it go on to somebody else, and every byte of both
// directions is recorded. Runs in a thread of its own. Allocates.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace sotto::integration {

using Recording = std::vector<unsigned char>;

class Tap {
  public:
    // Listens at a free port of this machine, or at the path of a UNIX socket.
    static std::unique_ptr<Tap> on_tcp();
    static std::unique_ptr<Tap> on_unix(const std::string& path);
    ~Tap();

    // Where those go on who connect from now on.
    void lead_to_tcp(const std::string& address);
    void lead_to_unix(const std::string& path);
    // "host:port" or the path.
    const std::string& address() const;

    // What came from those who connected, and what they were answered; all connections one after
    // another, each in order.
    Recording from_client() const;
    Recording from_server() const;

  private:
    class Core;
    explicit Tap(std::unique_ptr<Core> core);
    std::unique_ptr<Core> core_;
};

// Sends bytes to whoever listens there, without waiting for anything that comes back, and hangs up
// after a moment.
void send_to_tcp(const std::string& address, const Recording& bytes);
void send_to_unix(const std::string& path, const Recording& bytes);

}  // namespace sotto::integration
